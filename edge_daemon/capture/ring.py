"""The last seconds of sound, addressed by a sample count that never starts again."""

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.source import Chunk

NS_PER_S = 1_000_000_000
ANCHORS = 256
"""Chunks whose capture times are remembered; older times are reckoned back from the oldest."""


class SampleRing:
    """A ring of `capacity` float32 samples.

    A sample's index is its place in everything ever appended, so a reader keeps one number and
    asks for what came since. After a reconnection the count simply goes on; the chunks' capture
    times tell where the gap was. Any thread may call any method.
    """

    def __init__(self, capacity: int, rate_hz: int) -> None:
        if capacity < 1 or rate_hz < 1:
            raise ValueError(f"a ring needs capacity and rate, not {capacity} and {rate_hz}")
        self.capacity = capacity
        self.rate_hz = rate_hz
        self._lock = threading.Lock()
        self._samples = np.zeros(capacity, dtype=np.float32)
        self._end = 0
        self._seen = 0  # the furthest index anyone has read up to
        self._lost = 0
        # (index of a chunk's last sample, its capture time), oldest first.
        self._anchors: deque[tuple[int, int]] = deque(maxlen=ANCHORS)

    @property
    def end(self) -> int:
        """Index after the newest sample: how many were ever appended."""
        return self._end

    @property
    def lost(self) -> int:
        """Samples a reader asked for that had been overwritten before anyone read them."""
        return self._lost

    @property
    def newest_ns(self) -> int | None:
        """Monotonic capture time of the newest sample; None while there is none."""
        with self._lock:
            return self._anchors[-1][1] if self._anchors else None

    def append(self, chunk: Chunk) -> None:
        """Add a chunk, overwriting the oldest samples; an empty chunk changes nothing."""
        samples = chunk.samples[-self.capacity :]
        if not len(samples):
            return
        with self._lock:
            end = self._end + len(chunk.samples)
            start = (end - len(samples)) % self.capacity
            until_wrap = min(len(samples), self.capacity - start)
            self._samples[start : start + until_wrap] = samples[:until_wrap]
            self._samples[: len(samples) - until_wrap] = samples[until_wrap:]
            self._end = end
            self._anchors.append((end - 1, chunk.captured_ns))

    def since(self, index: int, until: int | None = None) -> tuple[NDArray[np.float32], int]:
        """Return the samples from `index` up to but without `until`.

        Args:
            index: the first sample wanted; where it has been overwritten, the oldest one kept.
            until: index after the last sample wanted; the end when None or later than the end.

        Returns:
            A copy of the samples, float32 [n] with n possibly 0, and the index of the first.
        """
        with self._lock:
            oldest = max(0, self._end - self.capacity)
            stop = self._end if until is None else max(oldest, min(until, self._end))
            unread = max(index, self._seen)
            self._lost += max(0, oldest - unread)
            first = min(max(index, oldest), stop)
            self._seen = max(self._seen, stop)
            start = first % self.capacity
            until_wrap = min(stop - first, self.capacity - start)
            head = self._samples[start : start + until_wrap]
            tail = self._samples[: stop - first - until_wrap]
            return np.concatenate((head, tail)), first

    def captured_ns(self, index: int) -> int:
        """Return the monotonic capture time of the sample at `index`, in nanoseconds.

        Counted at the nominal rate back from the last sample of the chunk that holds it, or on
        from the newest chunk for an index that has not come yet.

        Raises:
            LookupError: nothing was ever appended.
        """
        with self._lock:
            if not self._anchors:
                raise LookupError("the ring has never held a sample")
            nearest_index, nearest_ns = self._anchors[-1]
            for anchor_index, anchor_ns in reversed(self._anchors):
                if anchor_index < index:
                    break
                nearest_index, nearest_ns = anchor_index, anchor_ns
        return nearest_ns + (index - nearest_index) * NS_PER_S // self.rate_hz
