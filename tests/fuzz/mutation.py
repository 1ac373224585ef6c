"""Spoils good files: a mutational fuzzer that knows a little about text, numbers and nesting."""

import random
import struct
from collections.abc import Callable, Sequence

LONGEST_BYTES = 1 << 16
"""No mutant is longer: what very long input does is tested by itself."""

_WORDS = (
    b"nan",
    b"inf",
    b"-1",
    b"1e999",
    b"9" * 25,
    b"9" * 5000,
    b"18446744073709551616",
    b"-9223372036854775809",
    b"0x41",
    b"\xd9\xa3",  # an Arabic three: a digit to `isdigit`, and to `int`
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\x00",
    b"\xff\xfe",
    b"\x1b]0;x\x07",
    b"\xc2\x9b31m",
    b"\\ud800",
    b"\xed\xa0\x80",  # half a surrogate pair
    b"\n",
    b"\r",
    b"\xe2\x80\xa8",
    b": ",
    b"&a ",
    b"*a",
    b"!!python/object:os.system ",
    b"<<: ",
    b"../../",
)
_OPENING = (b"[", b"{", b"{a: ", b'{"a":', b"- ", b"(", b'"', b"&a [")

Mutate = Callable[[random.Random, bytearray], None]


def mutant(rng: random.Random, seed: bytes, seeds: Sequence[bytes] = ()) -> bytes:
    """Return a seed with one to four things done to it.

    Args:
        rng: decides which.
        seed: a good file.
        seeds: others, which pieces may be taken from.
    """
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(_TEXT)(rng, data)
        if seeds and rng.random() < 0.1:
            _splice(rng, data, rng.choice(seeds))
    return bytes(data[:LONGEST_BYTES])


def spoiled_model(rng: random.Random, seed: bytes, seeds: Sequence[bytes] = ()) -> bytes:
    """Return a FlatBuffer with bits, offsets or vector lengths changed, cut, or spliced.

    Offsets and lengths are little-endian words of 32 bits at multiples of four.
    """
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(_BINARY)(rng, data)
        if seeds and rng.random() < 0.1:
            _splice(rng, data, rng.choice(seeds))
    return bytes(data)


def _flip(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 8))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data) + 1)
    del data[start : start + rng.choice((1, 4, 32, 400))]


def _repeat(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((1, 8, 64))]
    data[start:start] = piece * rng.choice((1, 3, 300))


def _word(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data) + 1)
    data[start : start + rng.choice((0, 0, 1, 5))] = rng.choice(_WORDS)


def _number(rng: random.Random, data: bytearray) -> None:
    """Replace a run of digits."""
    places = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if not places:
        return
    start = end = rng.choice(places)
    while end < len(data) and 0x30 <= data[end] <= 0x39:
        end += 1
    data[start:end] = rng.choice(_WORDS[:10])


def _nest(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data) + 1)
    data[start:start] = rng.choice(_OPENING) * rng.choice((2, 20, 2000))


def _line(rng: random.Random, data: bytearray) -> None:
    """Double, drop or move a line."""
    lines = data.split(b"\n")
    line = lines[rng.randrange(len(lines))]
    if rng.random() < 0.5:
        lines.remove(line)
    if rng.random() < 0.7:
        lines.insert(rng.randrange(len(lines) + 1), line)
    data[:] = b"\n".join(lines)


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    start, source = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    length = rng.choice((4, 64, 1024))
    data[start : start + length] = other[source : source + length]


def _offset(rng: random.Random, data: bytearray) -> None:
    """Put another number where an offset, a length or a dimension may be."""
    if len(data) < 4:
        return
    place = 4 * rng.randrange(len(data) // 4)
    (value,) = struct.unpack_from("<I", data, place)
    choices = (0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, len(data), len(data) - 4, value + 4)
    struct.pack_into("<I", data, place, rng.choice((*choices, value - 4, value * 2)) & 0xFFFFFFFF)


def _zero(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data) + 1)
    length = min(rng.choice((4, 64, 4096)), len(data) - start)
    data[start : start + length] = bytes(length)


_TEXT: tuple[Mutate, ...] = (_flip, _cut, _remove, _repeat, _word, _word, _number, _nest, _line)
_BINARY: tuple[Mutate, ...] = (_flip, _flip, _offset, _offset, _offset, _cut, _zero)
