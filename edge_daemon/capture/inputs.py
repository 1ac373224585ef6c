"""Cuts windows: what is fresh at one moment, from the slot and the ring."""

from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.slot import FrameSlot
from edge_daemon.capture.source import Frame
from edge_daemon.window import Window


class Inputs:
    """The newest picture and sound.

    A modality whose newest item is too old counts as gone: the window goes on with the other one.
    Owned by the loop.

    Args:
        slot: where the camera's frames arrive; None without a camera.
        ring: where the microphone's samples arrive; None without a microphone.
        max_age_ns: age at which a sound, or a picture, is no longer what is there now.
        picture_age_ns: the same for pictures, where they are slower; None for `max_age_ns`.
        needs_picture: whether there is no window without a picture.
    """

    def __init__(
        self,
        slot: FrameSlot | None,
        ring: SampleRing | None,
        max_age_ns: int,
        *,
        picture_age_ns: int | None = None,
        needs_picture: bool = False,
    ) -> None:
        self.slot = slot
        self.ring = ring
        self._max_age_ns = max_age_ns
        self._picture_age_ns = max_age_ns if picture_age_ns is None else picture_age_ns
        self._needs_picture = needs_picture
        self._number = 0
        self._last_frame: Frame | None = None
        self._last_end = 0

    @property
    def dropped_frames(self) -> int:
        """Frames that were overwritten before a window looked at them."""
        return 0 if self.slot is None else self.slot.dropped

    @property
    def lost_samples(self) -> int:
        """Samples that were overwritten before a pipeline looked at them."""
        return 0 if self.ring is None else self.ring.lost

    def cut(self, now_ns: int, *, with_audio: bool) -> Window | None:
        """Return the window that ends now, or None when nothing new has arrived since the last.

        Args:
            now_ns: monotonic time of the cut.
            with_audio: whether the active tier listens; new sound alone makes no window for one
                that does not.
        """
        frame = self._fresh_frame(now_ns)
        if frame is None and self._needs_picture:
            return None
        ring = self._fresh_ring(now_ns) if with_audio else None
        new_frame = frame is not None and frame is not self._last_frame
        end = ring.end if ring is not None else self._last_end
        if not new_frame and end == self._last_end:
            return None
        self._last_frame = frame
        self._last_end = end
        window = Window(self._number, now_ns, frame, ring, end)
        self._number += 1
        return window

    def _fresh_frame(self, now_ns: int) -> Frame | None:
        frame = None if self.slot is None else self.slot.newest()
        if frame is None or now_ns - frame.captured_ns > self._picture_age_ns:
            return None
        return frame

    def _fresh_ring(self, now_ns: int) -> SampleRing | None:
        if self.ring is None:
            return None
        newest_ns = self.ring.newest_ns
        if newest_ns is None or now_ns - newest_ns > self._max_age_ns:
            return None
        return self.ring
