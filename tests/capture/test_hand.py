import numpy as np
import pytest

from edge_daemon.capture.hand import Hand
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.clock import VirtualClock

S = 1_000_000_000


class SlowCamera:
    """A camera whose calls take a second, during which somebody asks whether it hangs."""

    name = "slow"
    may_repeat = False

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.hand: Hand[Frame] | None = None
        self.hung: list[bool] = []
        self.fails = False

    def _call(self) -> None:
        assert self.hand is not None
        for after_ns in (S // 2, 2 * S):
            self.hung.append(self.hand.hangs(self._clock() + S, after_ns))
        if self.fails:
            raise SourceError("gone")

    def open(self) -> str:
        self._call()
        return "8×8"

    def read(self) -> Frame:
        self._call()
        return Frame(np.zeros((8, 8), dtype=np.uint8), self._clock())

    def close(self) -> None:
        self._call()


@pytest.mark.parametrize("call", ["open", "read", "close"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_call_hangs_while_it_lasts_and_no_longer(call: str, fails: bool) -> None:
    clock = VirtualClock(5 * S)
    camera = SlowCamera(clock)
    hand: Hand[Frame] = Hand(camera, clock)
    camera.hand = hand
    camera.fails = fails
    assert not hand.hangs(1000 * S, S)
    if fails:
        with pytest.raises(SourceError):
            getattr(hand, call)()
    else:
        getattr(hand, call)()
    assert camera.hung == [True, False]
    assert not hand.hangs(1000 * S, S), "between two calls nothing hangs"
