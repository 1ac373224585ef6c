"""Where the bytes of model files go.

python -m tools.export.anatomy models/avdigits/*.tflite
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tools.export.flatbuffer import WITH_BIAS, builtin, read_model

KINDS = ("weights", "biases", "constants", "scales", "zero points", "shapes", "structure")
"""What `bytes_by_kind` tells apart; `structure` is tables, offsets, names and padding."""

LENGTH_BYTES = 4
"""What stands before the numbers of every vector in a flatbuffer."""


def bytes_by_kind(content: bytes) -> dict[str, int]:
    """Divide a model file.

    What several tensors share is counted once, for the first of them.

    Returns:
        Bytes for each of `KINDS`; they add up to the length of the file.
    """
    model = read_model(content)
    sizes = dict.fromkeys(KINDS, 0)
    seen: set[int] = set()

    def count(kind: str, vector: NDArray[np.generic] | None) -> None:
        # Vectors are views into the file: what is shared has one address.
        if vector is not None and len(vector) and vector.ctypes.data not in seen:
            seen.add(vector.ctypes.data)
            sizes[kind] += vector.nbytes + LENGTH_BYTES

    for subgraph in model.subgraphs:
        roles = constant_roles(model, subgraph)
        for index, tensor in enumerate(subgraph.tensors):
            count(roles.get(index, "constants"), model.buffers[tensor.buffer].data)
            count("shapes", tensor.shape)
            count("shapes", tensor.shapeSignature)
            if tensor.quantization is not None:
                count("scales", tensor.quantization.scale)
                count("zero points", tensor.quantization.zeroPoint)
    sizes["structure"] = len(content) - sum(sizes.values())
    return sizes


def constant_roles(model: Any, subgraph: Any) -> dict[int, str]:
    """Return which tensors of a subgraph are weights and which biases, by index."""
    roles = {}
    for operator in subgraph.operators:
        if builtin(model, operator) in WITH_BIAS:
            _, weights, *bias = operator.inputs
            roles[weights] = "weights"
            roles.update(dict.fromkeys(bias, "biases"))
    return roles


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.export.anatomy", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="model files")
    options = parser.parse_args(arguments)
    table = Table("bytes", *(file.stem for file in options.files))
    columns = [bytes_by_kind(file.read_bytes()) for file in options.files]
    for kind in KINDS:
        table.add_row(kind, *(f"{column[kind]:,}" for column in columns))
    table.add_row("file", *(f"{sum(column.values()):,}" for column in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
