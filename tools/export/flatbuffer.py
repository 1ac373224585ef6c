"""The model file as a flatbuffer: reading it, and writing it again without what nobody reads."""

import itertools
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

FILE_IDENTIFIER = b"TFL3"


def read_model(content: bytes | Path) -> Any:
    """Parse a `.tflite` file or its bytes into the schema's `ModelT` object."""
    data = content.read_bytes() if isinstance(content, Path) else content
    return schema.ModelT.InitFromPackedBuf(bytearray(data), 0)


def compact(content: bytes) -> bytes:
    """Return the same model without tensor names, converter metadata and repeated vectors.

    Inputs and outputs are named after their signature. The runtime never reads the other names,
    which with many small layers are a third of a file.
    """
    model = read_model(content)
    model.description = None
    model.metadata = []
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
    builder = SharingBuilder(1024)
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


class SharingBuilder(flatbuffers.Builder):
    """A builder that writes equal vectors of numbers once.

    Every per-channel scale comes with a vector of 64-bit zero points, all zero: in small models
    they outweigh the weights of the depthwise layers.
    """

    def __init__(self, initial_bytes: int) -> None:
        super().__init__(initial_bytes)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # noqa: N802 (the base's name)
        """Return the offset of a vector with the numbers of `x`, an old one where there is one."""
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]
