"""What the packed file says is what was to be written, however much of it is shared."""

from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tools.export.conftest import Converted
from tools.export.flatbuffer import FILE_IDENTIFIER, read_model
from tools.export.packing import CONSTANT_ALIGNMENT, PackingBuilder


def packed(model: Any, builder: flatbuffers.Builder) -> bytes:
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def plain(value: Any) -> Any:
    """Return an object of the schema as dictionaries and lists, which compare."""
    if hasattr(value, "__dict__"):
        return {"": type(value).__name__, **{k: plain(v) for k, v in vars(value).items()}}
    if isinstance(value, np.ndarray):
        return [value.dtype.str, *value.tolist()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@pytest.mark.parametrize("form", ["float_model", "int8_model"])
def test_it_reads_back_as_it_was(converted: Converted, form: str) -> None:
    model = read_model(getattr(converted, form))
    packing = packed(model, PackingBuilder(64))
    assert plain(read_model(packing)) == plain(model)
    assert len(packing) < len(packed(model, flatbuffers.Builder(64)))


def test_constants_lie_where_the_schema_wants_them(converted: Converted) -> None:
    content = packed(read_model(converted.int8_model), PackingBuilder(64))
    start = np.frombuffer(content, np.uint8).ctypes.data
    root = schema.Model.GetRootAs(content)
    places = [
        root.Buffers(index).DataAsNumpy().ctypes.data - start
        for index in range(root.BuffersLength())
        if root.Buffers(index).DataLength()
    ]
    assert len(places) > 10
    assert {place % CONSTANT_ALIGNMENT for place in places} == {0}


def tensor(name: bytes, size: int) -> Any:
    made = schema.TensorT()
    made.name, made.type = name, schema.TensorType.INT8
    made.shape = np.array([size], np.int32)
    made.quantization = schema.QuantizationParametersT()
    made.quantization.scale = np.full(size, 0.5, np.float32)
    made.quantization.zeroPoint = np.zeros(size, np.int64)
    return made


def test_equal_parts_are_written_once() -> None:
    """A second tensor costs its table's offset, and its table where it differs."""
    sizes = {}
    for names in ([b"same"], [b"same", b"same"], [b"same", b"else"]):
        subgraph = schema.SubGraphT()
        subgraph.tensors = [tensor(name, 200) for name in names]
        content = packed(subgraph, PackingBuilder(64))
        sizes[tuple(names)] = len(content)
        found = schema.SubGraphT.InitFromPackedBuf(bytearray(content), 0)
        assert [plain(tensor) for tensor in found.tensors] == [
            plain(tensor) for tensor in subgraph.tensors
        ]
    one, two, other = sizes.values()
    # The end of a file is padded, to eight bytes for the zero points.
    assert one < two <= one + 4 + 4
    # An offset, a table of five fields, a name of four letters.
    assert two < other <= one + 4 + 24 + 12 + 8


def test_small_fields_share_four_bytes() -> None:
    made = tensor(b"x", 1)
    made.hasRank = True
    builder = PackingBuilder(64)
    made.Pack(builder)
    before = builder.Offset()
    made.buffer = 7
    made.Pack(builder)
    # Only a table and its vtable are new: five offsets and numbers of four bytes, type and rank in
    # four together; two sizes and nine slots.
    assert builder.Offset() - before <= 20 + 4 + 22
