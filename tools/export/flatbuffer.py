"""The model file as a flatbuffer: reading it, and writing it again without what nobody reads."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tools.export.packing import PackingBuilder

FILE_IDENTIFIER = b"TFL3"

WITH_BIAS = {
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
}
"""Operators whose inputs are data, weights and bias."""


def read_model(content: bytes | Path) -> Any:
    """Parse a `.tflite` file or its bytes into the schema's `ModelT` object."""
    data = content.read_bytes() if isinstance(content, Path) else content
    return schema.ModelT.InitFromPackedBuf(bytearray(data), 0)


def builtin(model: Any, operator: Any) -> int:
    """Return an operator's code in the schema's `BuiltinOperator`.

    Codes below 128 may stand in the older of two fields, others in the newer: the larger counts.
    """
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def compact(content: bytes) -> bytes:
    """Return the same model without what no runtime reads, and all else once.

    Tensor names go, which with many small layers are a third of a file (inputs and outputs are
    named after their signature), the converter's metadata, the scales of biases, and whatever is
    in the file twice. The answers stay the same to the bit.
    """
    model = read_model(content)
    model.description = None
    model.metadata = None
    model.metadataBuffer = None
    for subgraph in model.subgraphs:
        subgraph.name = None
        for tensor in subgraph.tensors:
            tensor.name = None
    for signature in model.signatureDefs:
        tensors = model.subgraphs[signature.subgraphIndex].tensors
        for binding in itertools.chain(signature.inputs, signature.outputs):
            tensors[binding.tensorIndex].name = binding.name
    drop_unused_buffers(model)
    share_bias_scales(model)
    builder = PackingBuilder(1024)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def drop_unused_buffers(model: Any) -> None:
    """Keep buffer 0, which means "no data" by convention, and one buffer for each constant."""
    kept = [model.buffers[0]]
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            data = model.buffers[tensor.buffer].data
            tensor.buffer = 0
            if data is not None and len(data):
                tensor.buffer = len(kept)
                kept.append(schema.BufferT())
                kept[-1].data = data
    model.buffers = kept


def share_bias_scales(model: Any) -> None:
    """Let the biases of per-channel layers point at the scales of their weights.

    A bias's scale is its input's times its weights', by definition (Jacob et al. 2018, eq. 11, and
    TFLite's 8-bit specification): the kernels compute that product and never read the vector, and
    XNNPACK only wants to see one as long as the bias. Whoever reads a bias out of a model file has
    to compute it too. A scale that is not the product stays, and so does that of a layer with one
    scale, which the kernels do compare.
    """
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if builtin(model, operator) not in WITH_BIAS:
                continue
            if len(operator.inputs) < 3 or operator.inputs[2] < 0:
                continue
            data, weights, bias = (
                subgraph.tensors[index].quantization for index in operator.inputs[:3]
            )
            if any(scaled is None or scaled.scale is None for scaled in (data, weights, bias)):
                continue
            if len(bias.scale) == len(weights.scale) > 1 and np.allclose(
                bias.scale, data.scale * weights.scale, rtol=1e-5, atol=0.0
            ):
                bias.scale = weights.scale
