"""Writing a flatbuffer in few bytes: equal parts once, a table's small fields side by side."""

from typing import Any

import flatbuffers
import numpy as np
from flatbuffers import number_types
from numpy.typing import NDArray

CONSTANT_ALIGNMENT = 16
"""Bytes to which the TFLite schema aligns a constant (`force_align` of `Buffer.data`).

Neither runtime misses it on x86-64; the generated Python code leaves it out. It costs 4 to 8 bytes
a constant and makes the file one that any reader may map and use in place.
"""

Field = tuple[int, Any, Any]
"""Slot, kind of number, value. The kind of an offset is None."""


class PackingBuilder(flatbuffers.Builder):
    """A builder that writes equal vectors, strings and tables once, and pads little.

    A flatbuffer may point at one thing from many places. In a small model that is worth much:
    every per-channel scale comes with a vector of 64-bit zero points, all zero, and many layers
    have another's options and shapes. The generated code also adds a table's fields in the order
    of the schema, where every byte between two offsets takes four.

    For schemas without structs, which TFLite's is: fields are written when a table ends, and a
    struct must be written where it is made.
    """

    def __init__(self, initial_bytes: int) -> None:
        super().__init__(initial_bytes)
        self._vectors: dict[tuple[str, bytes], int] = {}
        self._tables: dict[tuple[Field, ...], int] = {}
        self._fields: list[Field] = []

    # The methods' names are the base class's.

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # noqa: N802
        """Return the offset of a vector with the numbers of `x`, an old one where there is one."""
        key = (x.dtype.str, x.tobytes())
        if key not in self._vectors:
            if x.dtype == np.uint8:  # constants, which the schema knows as bytes
                self.Prep(CONSTANT_ALIGNMENT, x.size)
            self._vectors[key] = super().CreateNumpyVector(x)
        return self._vectors[key]

    def CreateString(  # noqa: N802
        self, s: str | bytes, encoding: str = "utf-8", errors: str = "strict"
    ) -> int:
        """Return the offset of a string, an old one where there is one."""
        text = s if isinstance(s, bytes) else s.encode(encoding, errors)
        key = ("text", text)
        if key not in self._vectors:
            self._vectors[key] = super().CreateString(text)
        return self._vectors[key]

    def StartObject(self, numfields: int) -> None:  # noqa: N802
        """Begin a table."""
        super().StartObject(numfields)
        self._fields = []

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:  # noqa: N802
        """Note a number for the table that was begun, unless it is the default."""
        if x != d:
            self._fields.append((o, flags, x))

    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None:  # noqa: N802
        """Note an offset for the table that was begun, unless it points nowhere."""
        if x != d:
            self._fields.append((o, None, x))

    def EndObject(self) -> int:  # noqa: N802
        """Return the offset of a table with the fields noted, an old one where there is one."""
        fields = tuple(sorted(self._fields, key=lambda field: (width(field), field[0])))
        if fields in self._tables:
            self.nested = False  # nothing of the table that was begun has been written
            return self._tables[fields]
        for slot, flags, value in fields:
            if flags is None:
                self.PrependUOffsetTRelative(value)
            else:
                self.Prepend(flags, value)
            self.Slot(slot)
        self._tables[fields] = super().EndObject()
        return self._tables[fields]


def width(field: Field) -> int:
    """Return the bytes that a field takes."""
    _, flags, _ = field
    return int((flags or number_types.UOffsetTFlags).bytewidth)
