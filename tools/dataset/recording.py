"""A user's recording as the daemon would hear it: cut at some moment after a sound began."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.audio import cut_tensor
from edge_daemon.features.onset import find_onset
from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import log_mel
from tools.dataset.wav import RATE_HZ

Align = Literal["onset", "clip"]
"""`onset`: where the daemon's detector hears a sound begin; `clip`: a recording begins with it."""

_BEFORE = RATE_HZ
"""Samples of quiet put before and after a recording: a whole span of the detector."""

_BLOCK = RATE_HZ // 20
_STEP = 5
"""Hops from one cut that is tried to the next: 50 ms, half the daemon's period."""

_LOUD_DB = 15.0
"""A sound begins where, within `_LEAST` columns, some band comes so near the loudest of all: the
detector finds onsets in noise too, and noise is not what a recording is labelled for."""

_SHARE = 0.1
"""An onset after which comes less of the power than this, next to the one with the most, is the end
of a sound or a click."""

_QUIETER_DB = 20.0
"""Quiet is at least so far below a recording's loudest block."""

_LEAST = 12
"""Columns after an onset that must be heard, as of the words that are heard partly."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording's spectrogram, and the moments at which it can be cut.

    Attributes:
        spec: of the tensor.
        columns_db: float32 [hops, bands], quiet before and after included.
        cuts: int64 [n], the column after the last one heard.
        onsets: int64 [n], the column in which the newest sound begins at each cut.
    """

    spec: AudioSpec
    columns_db: NDArray[np.float32]
    cuts: NDArray[np.int64]
    onsets: NDArray[np.int64]

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Whether all of the tensor has been heard at each cut, bool [n]."""
        fill = self.spec.columns - self.spec.lead
        whole: NDArray[np.bool_] = self.cuts - self.onsets >= fill
        return whole

    def power(self) -> NDArray[np.float64]:
        """Return the power in the columns that follow each cut's onset, float64 [n]."""
        powers = (10.0 ** (self.columns_db.astype(np.float64) / 10.0)).sum(axis=1)
        total = np.concatenate([[0.0], np.cumsum(powers)])
        after = np.minimum(self.onsets + self.spec.columns, len(self.columns_db))
        return np.asarray(total[after] - total[self.onsets])

    def main(self) -> int | None:
        """Return a cut at the sound with the most power, as soon as it is whole."""
        if not len(self.cuts):
            return None
        chosen = np.flatnonzero(self.onsets == self.onsets[self.power().argmax()])
        return int(next((at for at in chosen if self.whole[at]), chosen[-1]))

    def draw(self, partly: float, random: np.random.Generator) -> int | None:
        """Draw a cut; with probability `partly`, one of those at which the sound goes on."""
        whole = self.whole
        going_on = random.random() < partly
        wanted = np.flatnonzero(~whole if going_on and not whole.all() else whole)
        if not len(wanted):
            wanted = np.arange(len(self.cuts))
        return int(random.choice(wanted)) if len(wanted) else None

    def tensor(self, cut: int | None) -> NDArray[np.uint8]:
        """Return the tensor · 255 at a cut, uint8 [columns, bands]; all 0 for None."""
        spec = self.spec
        if cut is None:
            return np.zeros((spec.columns, spec.kept_bands), dtype=np.uint8)
        first = max(0, int(self.cuts[cut]) - spec.span)
        span_db = self.columns_db[first : self.cuts[cut]]
        tensor = cut_tensor(span_db, int(self.onsets[cut]) - first, spec)
        return np.rint(tensor[0, :, :, 0] * 255.0).astype(np.uint8)


def surrounded(samples: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return a recording, float32 [n], with a second of its own quiet before and after it."""
    before, after = (room_tone(samples, _BEFORE, random) for _ in range(2))
    return np.concatenate([before, samples, after])


def hear(stream: NDArray[np.float32], spec: AudioSpec, align: Align) -> Heard:
    """Find the moments at which a recording can be cut.

    Args:
        stream: float32 [n] at 8 kHz, from `surrounded`.
        spec: of the tensor.
        align: what tells where the sound begins.
    """
    columns_db = log_mel(stream, spec)
    if align == "clip":
        onset = _BEFORE // spec.hop
        cut = min(onset + spec.span - spec.lead, len(columns_db))
        return Heard(spec, columns_db, np.array([cut]), np.array([onset]))
    peaks_db = columns_db.max(axis=1)
    loud = peaks_db >= peaks_db.max() - _LOUD_DB
    cuts, onsets = [], []
    for cut in range(spec.span, len(columns_db) + 1, _STEP):
        first = cut - spec.span
        in_span = find_onset(columns_db[first:cut])
        if in_span is None or spec.span - in_span < _LEAST:
            continue
        onset = first + in_span
        if loud[onset : onset + _LEAST].any():
            cuts.append(cut)
            onsets.append(onset)
    heard = Heard(spec, columns_db, np.array(cuts, np.int64), np.array(onsets, np.int64))
    power = heard.power()
    kept = power >= _SHARE * power.max(initial=0.0)
    return Heard(spec, columns_db, heard.cuts[kept], heard.onsets[kept])


def room_tone(
    samples: NDArray[np.float32], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Return `count` samples of what a recording sounds like where it is quietest.

    Digital silence around it would make its own noise an onset; its own noise alone would hide
    that of a recording which is cut close to its sound, so the quiet is made quiet enough. It is
    put together from overlapping grains of the quietest block, turned and inverted at random.

    Args:
        samples: float32 [n], n at least 1.
        count: samples wanted.
        random: the source of all choices.
    """
    block = min(_BLOCK, len(samples))
    blocks = samples[: len(samples) // block * block].reshape(-1, block)
    levels_db = 10.0 * np.log10(np.mean(np.square(blocks, dtype=np.float64), axis=1) + 1e-12)
    quietest = blocks[int(levels_db.argmin())]
    too_loud_db = max(0.0, float(levels_db.min() - levels_db.max()) + _QUIETER_DB)
    quietest = quietest * np.float32(10.0 ** (-too_loud_db / 20.0))
    # The squares of neighbouring sine windows add up to 1: the level stays the same throughout.
    step = max(1, block // 2)
    window = np.sin(np.pi * (np.arange(2 * step) + 0.5) / (2 * step)).astype(np.float32)
    grains = -(-count // step) + 1
    places = random.integers(block, size=(grains, 1)) + np.arange(2 * step)
    signs = random.integers(2, size=(grains, 1)).astype(np.float32) * 2 - 1
    pieces = quietest[places % block] * window * signs
    tone = pieces[:-1, step:] + pieces[1:, :step]
    return np.ascontiguousarray(tone.reshape(-1)[:count])
