"""Follows the sound of a ring: samples to columns to the audio tensor."""

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.ring import SampleRing
from edge_daemon.features.audio import audio_tensor
from edge_daemon.features.spec import AudioSpec
from edge_daemon.features.spectrogram import LogMel


class Listener:
    """Keeps a spectrogram of the newest `span_ms` of a ring.

    Columns begin at multiples of the hop in the ring's own count, wherever listening began, so
    two listeners see the same columns. The first look goes back far enough to fill the span.
    """

    def __init__(self, spec: AudioSpec) -> None:
        self._spec = spec
        self._log_mel = LogMel(spec)
        self._reach = (spec.span - 1) * spec.hop + spec.window
        self._position: int | None = None  # index of the next sample wanted

    def listen(self, ring: SampleRing, end: int) -> tuple[NDArray[np.float32], bool]:
        """Take in what came since the last call.

        Args:
            ring: where the sound is.
            end: index after the last sample to hear.

        Returns:
            The audio tensor, float32 [1, columns, kept bands, 1], and whether there is a sound
            with an onset.
        """
        start = self._start(end)
        samples, first = ring.since(start, until=end)
        if first > start:
            # Overwritten before it was heard: what follows does not join on.
            start = -(-first // self._spec.hop) * self._spec.hop
            self._log_mel.reset()
            samples = samples[start - first :]
        self._log_mel.push(samples)
        self._position = start + len(samples)
        return audio_tensor(self._log_mel.columns(), self._spec)

    def warm(self) -> None:
        """Run once over silence, so that the first sound finds everything in memory."""
        self._log_mel.push(np.zeros(self._reach, np.float32))
        audio_tensor(self._log_mel.columns(), self._spec)
        self._log_mel.reset()
        self._position = None

    def _start(self, end: int) -> int:
        """Return where to go on: where it ended, or one span back if that is later."""
        hop = self._spec.hop
        earliest = max(0, (end - self._reach) // hop * hop)
        if self._position is not None and self._position >= earliest:
            return self._position
        self._log_mel.reset()
        return earliest
