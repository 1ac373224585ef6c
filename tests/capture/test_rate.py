import numpy as np
import pytest

from edge_daemon.capture.rate import Rate
from edge_daemon.capture.source import Frame

S = 1_000_000_000
FRAME = Frame(np.zeros((1, 1), dtype=np.uint8), 0)


class Camera:
    """Delivers at a rate and keeps what is said."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.now_ns = 0
        self.said: list[str] = []

    def deliver(self, rate_hz: float, seconds: float) -> list[str]:
        """Return what was said meanwhile."""
        before = len(self.said)
        for _ in range(round(rate_hz * seconds)):
            self.now_ns += round(S / rate_hz)
            text = self.rate(FRAME, self.now_ns)
            if text is not None:
                self.said.append(text)
        return self.said[before:]


def test_a_camera_that_is_too_slow_is_said_once_and_its_recovery() -> None:
    camera = Camera(Rate(15.0, span_s=10.0))
    assert camera.deliver(15.0, 30) == []
    slow = camera.deliver(7.5, 60)
    assert len(slow) == 1
    assert "7.5 pictures a second, 15 were asked for:" in slow[0]
    assert "video.fourcc: MJPG" in slow[0]
    assert camera.deliver(15.0, 30) == ["15.0 pictures a second, 15 were asked for"]


@pytest.mark.parametrize("rate_hz", [12.5, 14.0, 15.0, 30.0])
def test_nearly_as_asked_or_more_is_well(rate_hz: float) -> None:
    assert Camera(Rate(15.0)).deliver(rate_hz, 60) == []


def test_the_time_until_a_camera_is_opened_again_is_not_slowness() -> None:
    camera = Camera(Rate(15.0, span_s=10.0))
    for _ in range(10):
        assert camera.rate(None, camera.now_ns) is None
        camera.deliver(15.0, 8)
        camera.now_ns += 5 * S
    assert camera.said == []


def test_around_the_threshold_it_does_not_alternate() -> None:
    camera = Camera(Rate(10.0, span_s=2.0))
    for _ in range(20):
        camera.deliver(7.5, 4)
        camera.deliver(8.5, 4)
    assert len(camera.said) == 1


def test_a_picture_a_minute_is_measured_over_minutes() -> None:
    camera = Camera(Rate(1 / 60))
    assert camera.deliver(1 / 60, 3600) == []
    assert len(camera.deliver(1 / 120, 3600)) == 1
