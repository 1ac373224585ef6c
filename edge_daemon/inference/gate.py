"""Whether a window shows and sounds like an earlier one, so that what was computed then serves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.change import cells, picture_change, sound_change


@dataclass(frozen=True, slots=True, eq=False)
class Reuse:
    """How little counts as nothing new.

    Two of them are never equal: new settings begin anew, even where they say the same.

    Attributes:
        picture: `picture_change` up to which a picture is still the same.
        sound: `sound_change` up to which a sound is still the same.
        at_most_ns: how long what was computed from a window may serve later ones.
    """

    picture: float
    sound: float
    at_most_ns: int


class Gate:
    """Remembers what the newest image tensor and the newest scores rest on.

    A window is compared with the one that was computed and not with the one before it, so that
    small changes add up until they count. An input that comes or goes is always a change.

    Where the answer to a question is no, the caller computes anew, and from then on windows are
    compared with this one. A caller that fails to do so calls `forget`.
    """

    def __init__(self) -> None:
        self._reuse: Reuse | None = None
        self.forget()

    def forget(self) -> None:
        """Have everything computed anew."""
        self._cells: NDArray[np.uint8] | None = None
        self._picture_ns: int | None = None
        self._sound: NDArray[np.float32] | None = None
        self._scores_ns: int | None = None

    def use(self, reuse: Reuse | None) -> None:
        """Judge by these settings from now on; None has everything computed."""
        if reuse is not self._reuse:
            self._reuse = reuse
            self.forget()

    def same_picture(self, picture: NDArray[np.uint8] | None, now_ns: int) -> bool:
        """Return whether the tensor of an earlier picture serves for this one.

        Args:
            picture: uint8 [height, width] or [height, width, 3] BGR; None where there is none.
            now_ns: monotonic time of the window.
        """
        reuse = self._reuse
        if reuse is None:
            return False
        shown = None if picture is None else cells(picture)
        if self._recent(self._picture_ns, now_ns, reuse):
            if shown is None or self._cells is None:
                same = shown is self._cells
            else:
                same = picture_change(self._cells, shown) <= reuse.picture
            if same:
                return True
        self._cells, self._picture_ns = shown, now_ns
        self._scores_ns = None
        return False

    def same_scores(self, sound: NDArray[np.float32] | None, now_ns: int) -> bool:
        """Return whether earlier scores serve for this window; asked after `same_picture`.

        Args:
            sound: float32 [1, columns, bands, 1], 0 to 1, never written to again; None where
                nothing is heard.
            now_ns: monotonic time of the window.
        """
        reuse = self._reuse
        if reuse is None:
            return False
        if self._recent(self._scores_ns, now_ns, reuse):
            if sound is None or self._sound is None:
                same = sound is self._sound
            else:
                same = sound_change(self._sound, sound) <= reuse.sound
            if same:
                return True
        self._sound, self._scores_ns = sound, now_ns
        return False

    @staticmethod
    def _recent(then_ns: int | None, now_ns: int, reuse: Reuse) -> bool:
        return then_ns is not None and 0 <= now_ns - then_ns <= reuse.at_most_ns
