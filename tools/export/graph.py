"""What a model file contains: its operators, its types, its multiply-accumulates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tools.export.flatbuffer import builtin, read_model

OPERATORS = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
TYPES = {code: name for name, code in vars(schema.TensorType).items() if not name.startswith("_")}

ISLANDS = frozenset({"TRANSPOSE", "QUANTIZE", "DEQUANTIZE", "CAST"})
"""Operators that a full-integer model in its native layout has no use for."""


class GraphError(Exception):
    """A model file contains what it must not."""


@dataclass(frozen=True)
class Graph:
    """One model's contents.

    Attributes:
        operators: names in order of execution, as in the TFLite schema.
        types: the tensor types that occur, as in the TFLite schema.
        macs: multiply-accumulates of convolutions and matrix products for one window.
    """

    operators: tuple[str, ...]
    types: frozenset[str]
    macs: int


def read_graph(content: bytes) -> Graph:
    """Read operators, types and MACs from the bytes of a `.tflite` file."""
    model = read_model(content)
    subgraph = model.subgraphs[0]
    operators = []
    macs = 0
    for operator in subgraph.operators:
        operators.append(OPERATORS[builtin(model, operator)])
        macs += operator_macs(operators[-1], operator, subgraph.tensors)
    types = frozenset(TYPES[tensor.type] for tensor in subgraph.tensors)
    return Graph(tuple(operators), types, macs)


def operator_macs(name: str, operator: Any, tensors: list[Any]) -> int:
    """Return the multiply-accumulates of one operator: outputs times weights behind each."""
    if name not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
        return 0
    weights = tensors[operator.inputs[1]].shape
    outputs = int(np.prod(tensors[operator.outputs[0]].shape))
    # Layouts: [out, h, w, in], [1, h, w, out] and [out, in].
    behind = weights[1:3] if name == "DEPTHWISE_CONV_2D" else weights[1:]
    return outputs * int(np.prod(behind))


def check_full_integer(content: bytes) -> Graph:
    """Return the graph of a model that is int8 from input to output.

    Raises:
        GraphError: naming the floating-point types or the operators that are in the way.
    """
    graph = read_graph(content)
    floats = sorted(graph.types & {"FLOAT16", "FLOAT32", "FLOAT64"})
    islands = sorted(ISLANDS.intersection(graph.operators))
    if floats or islands:
        raise GraphError(f"not a full-integer model: it contains {', '.join(floats + islands)}")
    return graph
