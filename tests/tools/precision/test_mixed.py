import copy
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import Interpreter
from tests.tools.precision.conftest import NARROW, Small
from tools.export.flatbuffer import compact, read_model
from tools.export.graph import read_graph
from tools.export.quantise import quantise
from tools.precision.layers import LayerError, weighted_layers
from tools.precision.matrices import convolutions_to_products
from tools.precision.mixed import quantise_mixed, rules
from tools.precision.rounding import rounded


def weights_of(model: bytes) -> list[tuple[Any, NDArray[np.int8], Any]]:
    """Type, integers and scales of every operator's weights, in order of execution."""
    parsed = read_model(model)
    tensors = parsed.subgraphs[0].tensors
    found = []
    for operator in parsed.subgraphs[0].operators:
        if len(operator.inputs) < 3:
            continue
        tensor = tensors[operator.inputs[1]]
        data = np.asarray(parsed.buffers[tensor.buffer].data, np.uint8)
        if tensor.type == schema.TensorType.INT4:  # two in a byte, the first one low
            pairs = np.stack([data & 15, data >> 4], 1).reshape(-1)[: np.prod(tensor.shape)]
            integers = ((pairs.astype(np.int8) ^ 8) - 8).astype(np.int8)
        else:
            integers = data.view(np.int8)
        found.append((tensor.type, integers.reshape(tensor.shape), tensor.quantization.scale))
    return found


def test_layers_are_found_by_their_weights(small: Small) -> None:
    assert [(layer.name, layer.operator, layer.shape) for layer in small.layers] == [
        ("visual.stem.conv", "DEPTHWISE_CONV_2D", (1, 3, 3, 8)),
        ("visual.blocks.0.depthwise.conv", "DEPTHWISE_CONV_2D", (1, 3, 3, 8)),
        ("visual.blocks.0.pointwise.conv", "CONV_2D", (12, 1, 1, 8)),
        ("visual.blocks.1.depthwise.conv", "DEPTHWISE_CONV_2D", (1, 3, 3, 12)),
        ("visual.blocks.1.pointwise.conv", "CONV_2D", (12, 1, 1, 12)),
        ("visual.gather.conv", "DEPTHWISE_CONV_2D", (1, 7, 7, 12)),
        ("visual.head", "FULLY_CONNECTED", (10, 12)),
    ]
    matrices = [layer.name for layer in small.layers if layer.is_matrix]
    assert matrices == [NARROW, "visual.blocks.1.pointwise.conv", "visual.head"]
    pointwise = small.layers[2]
    assert (pointwise.weights, pointwise.bytes(8), pointwise.bytes(4)) == (96, 96, 48)
    assert small.layers[1].bytes(4) == 36


def test_another_networks_model_is_refused(small: Small) -> None:
    other = torch.nn.Module()
    other.layer = torch.nn.Linear(12, 10)
    with pytest.raises(LayerError, match="no layer of the network"):
        weighted_layers(other, small.float_model)


def test_layers_with_the_same_weights_are_refused(small: Small) -> None:
    twice = torch.nn.ModuleDict({"a": small.network, "b": copy.deepcopy(small.network)})
    with pytest.raises(LayerError, match=r"a\.visual\.stem\.conv and b\.visual\.stem\.conv"):
        weighted_layers(twice, small.float_model)


def test_only_the_layer_named_is_narrow(small: Small) -> None:
    types = [some for some, _, _ in weights_of(small.mixed)]
    narrow = [
        layer.name
        for layer, some in zip(small.layers, types, strict=True)
        if some == schema.TensorType.INT4
    ]
    assert narrow == [NARROW]
    assert {some for some, _, _ in weights_of(small.int8)} == {schema.TensorType.INT8}
    assert len(small.mixed) < len(small.int8)


@pytest.mark.parametrize(("width", "name"), [(4, "mixed"), (8, "int8")])
def test_the_files_weights_are_the_rounded_ones(small: Small, width: int, name: str) -> None:
    index = [layer.name for layer in small.layers].index(NARROW)
    _, integers, scales = weights_of(getattr(small, name))[index]
    found = integers.reshape(12, 8) * scales[:, None]
    weights = small.network.get_parameter(f"{NARROW}.weight").detach()
    np.testing.assert_allclose(found, rounded(weights, width).reshape(12, 8), atol=1e-6)


def test_a_narrow_convolution_is_a_product_and_computes_the_same(small: Small) -> None:
    as_convolution = compact(
        quantise(small.float_model, small.samples, rules(small.layers, {NARROW: 4}))
    )
    assert read_graph(as_convolution).operators.count("CONV_2D") == 2
    graph = read_graph(small.mixed)
    assert (graph.operators.count("CONV_2D"), graph.operators.count("FULLY_CONNECTED")) == (1, 2)
    assert graph.macs == read_graph(as_convolution).macs
    before, after = Interpreter(as_convolution), Interpreter(small.mixed)
    for inputs in small.samples:
        exact, same = before.run(inputs)["logits"], after.run(inputs)["logits"]
        np.testing.assert_allclose(same, exact, atol=1.01 * output_step(small.mixed))
    assert after.delegated


def test_a_product_keeps_the_convolutions_activation(small: Small) -> None:
    subgraph = read_model(small.mixed).subgraphs[0]
    weights = {layer.name: at for at, layer in enumerate(small.layers)}
    operators = [some for some in subgraph.operators if len(some.inputs) > 2]
    options = operators[weights[NARROW]].builtinOptions
    assert options.fusedActivationFunction == schema.ActivationFunctionType.RELU


def output_step(model: bytes) -> float:
    """What the last integer of the output is worth."""
    parsed = read_model(model)
    output = parsed.subgraphs[0].tensors[parsed.subgraphs[0].outputs[0]]
    return float(output.quantization.scale[0])


def test_an_int8_model_keeps_its_convolutions(small: Small) -> None:
    graph = read_graph(convolutions_to_products(small.int8))
    assert graph.operators == read_graph(small.int8).operators


def test_the_narrow_file_still_answers_like_the_network(small: Small) -> None:
    int8, mixed = Interpreter(small.int8), Interpreter(small.mixed)
    errors = {"int8": 0.0, "mixed": 0.0}
    spread = 0.0
    for inputs in small.samples:
        with torch.no_grad():
            exact = small.network(torch.from_numpy(np.asarray(inputs["image"]))).numpy()
        spread += float(np.square(exact).mean())
        errors["int8"] += float(np.square(int8.run(inputs)["logits"] - exact).mean())
        errors["mixed"] += float(np.square(mixed.run(inputs)["logits"] - exact).mean())
    assert errors["int8"] < errors["mixed"] < 0.25 * spread


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        ({"visual.nose": 4}, "no such layer"),
        ({"visual.gather.conv": 4}, r"4, not one of \(8,\)"),
        ({NARROW: 2}, r"2, not one of \(4, 8\)"),
    ],
)
def test_impossible_bits_are_refused(small: Small, bits: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        quantise_mixed(small.float_model, small.samples, small.layers, bits)
