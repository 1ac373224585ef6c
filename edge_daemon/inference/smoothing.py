"""Scores of many windows to one answer: quick to change, slow to flicker, `unknown` for nothing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_daemon.inference.scores import Scores

UNKNOWN = "unknown"
"""The answer below the threshold; no label of a bundle may be called this."""

REFERENCE_NS = 100_000_000
"""The distance between windows at which the weight is meant."""


class Answer(NamedTuple):
    """What a window showed, in the light of those before.

    Attributes:
        label: the likeliest label, or `unknown` when its probability is below the threshold.
        confidence: smoothed probability of the likeliest label, 0 to 1.
        best: the likeliest label, even below the threshold.
    """

    label: str
    confidence: float
    best: str


class Smoother:
    """An exponential average of probabilities, in time and not in windows.

    What was seen t seconds ago counts weight^(t / 0.1 s): with the default of 0.5 it has halved
    after 100 ms and is a thousandth after a second, however many windows there were in between.
    So a slow board is not slower to see a new digit than a fast one, and after a pause the first
    window stands alone. With 0.5 and a threshold of 0.6, a new digit that the model is sure of is
    the answer in its second window, one bad window in a row of good ones changes nothing, and the
    answer becomes `unknown` in the second window after everything has been taken away.

    A window in which neither picture nor sound was used says nothing: it counts as equal
    probabilities, whatever the model makes of empty inputs. The average is over probabilities and
    knows no tier, so it survives a swap.

    Args:
        labels: in the order of the scores.
        threshold: probability below which the answer is `unknown`.
        weight: of what was seen 100 ms ago, 0 to below 1; 0 answers each window on its own.

    Attributes:
        threshold: may be changed at any time.
        weight: may be changed at any time.
    """

    def __init__(self, labels: Sequence[str], threshold: float, weight: float) -> None:
        self.threshold = threshold
        self.weight = weight
        self._labels = tuple(labels)
        self._equal = np.full(len(self._labels), 1.0 / len(self._labels), np.float32)
        self._average = self._equal.copy()
        self._updated_ns: int | None = None

    def update(self, scores: Scores, now_ns: int) -> Answer:
        """Take in the scores of a window.

        Args:
            scores: of the window.
            now_ns: monotonic time of the window; one that is not later counts as 0 s later.

        Returns:
            The answer now.
        """
        used = scores.image_used or scores.audio_used
        newest = scores.probabilities if used else self._equal
        kept = np.float32(self._kept(now_ns))
        # average = newest + kept · (average − newest)
        self._average -= newest
        self._average *= kept
        self._average += newest
        self._updated_ns = now_ns
        best = int(self._average.argmax())
        confidence = min(1.0, max(0.0, float(self._average[best])))
        label = self._labels[best]
        return Answer(label if confidence >= self.threshold else UNKNOWN, confidence, label)

    def reset(self) -> None:
        """Forget what was seen."""
        self._updated_ns = None

    @property
    def average(self) -> NDArray[np.float32]:
        """Smoothed probabilities, float32 [labels]; a copy."""
        return self._average.copy()

    def _kept(self, now_ns: int) -> float:
        """Return the weight of everything before now: weight^(elapsed / 0.1 s)."""
        if self._updated_ns is None or self.weight <= 0.0:
            return 0.0
        elapsed = max(0, now_ns - self._updated_ns) / REFERENCE_NS
        return float(self.weight**elapsed)
