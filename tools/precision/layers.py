"""The layers whose weights get bits: which operator of a model file each of them became."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tools.export.flatbuffer import read_model
from tools.export.graph import OPERATORS

MATRIX_PRODUCTS = frozenset({"CONV_2D", "FULLY_CONNECTED"})
"""Operators that can be a matrix product of weights [outputs, inputs]; see `Layer.is_matrix`."""


class LayerError(Exception):
    """A model file was not made from the network that it is compared with."""


@dataclass(frozen=True)
class Layer:
    """One convolution or linear layer, in the network and in the float model made from it.

    Attributes:
        name: of the module, as in `network.get_submodule`.
        operator: in the model, as in the TFLite schema.
        output: name of the operator's output tensor, by which the quantiser finds it.
        shape: of the weights in the model.
    """

    name: str
    operator: str
    output: str
    shape: tuple[int, ...]

    @property
    def weights(self) -> int:
        """How many there are."""
        return int(np.prod(self.shape))

    @property
    def is_matrix(self) -> bool:
        """Whether it is a product with a matrix: a linear layer or a 1 × 1 convolution."""
        return self.operator in MATRIX_PRODUCTS and set(self.shape[1:-1]) <= {1}

    def bytes(self, bits: int) -> int:
        """Return what the weights take at `bits` each, packed."""
        return -(-self.weights * bits // 8)


def weighted_layers(network: nn.Module, float_model: bytes) -> list[Layer]:
    """Find every operator with weights, in order of execution, and the layer that it comes from.

    A layer is recognised by its weights, not by names, which are the converter's business. Layers
    that take no part in the model, such as the other tier's head, are left out.

    Args:
        network: the network as it was lowered, batch normalisation folded.
        float_model: the float32 model made from it.

    Raises:
        LayerError: an operator has the weights of no layer, or of more than one.
    """
    sought = {
        name: module.weight.detach().numpy()
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    model = read_model(float_model)
    tensors = model.subgraphs[0].tensors
    found = []
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if kind not in MATRIX_PRODUCTS | {"DEPTHWISE_CONV_2D"}:
            continue
        weights = constant(model, tensors[operator.inputs[1]])
        names = [name for name, some in sought.items() if same_weights(some, weights)]
        output = tensors[operator.outputs[0]].name.decode()
        if len(names) != 1:
            of = " and ".join(names) if names else "no layer of the network"
            raise LayerError(f"{kind} {output}: has the weights of {of}; lower the same network")
        found.append(Layer(names[0], kind, output, weights.shape))
    return found


def constant(model: Any, tensor: Any) -> NDArray[np.float32]:
    """Return the float32 values of a constant tensor in its own shape."""
    content = np.asarray(model.buffers[tensor.buffer].data, np.uint8)
    return content.view(np.float32).reshape(tensor.shape)


def same_weights(weights: NDArray[np.float32], lowered: NDArray[np.float32]) -> bool:
    """Whether torch's weights are those of an operator, in one of the layouts that TFLite has."""
    return any(
        layout.shape == lowered.shape and bool(np.allclose(layout, lowered, rtol=1e-5, atol=1e-7))
        for layout in layouts(weights)
    )


def layouts(weights: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield [out, in] as it is; [out, in, h, w] as [out, h, w, in] and, depthwise, [1, h, w, out].

    A convolution of one channel is depthwise as well.
    """
    if weights.ndim == 2:
        yield weights
        return
    yield weights.transpose(0, 2, 3, 1)
    yield weights.transpose(1, 2, 3, 0)
