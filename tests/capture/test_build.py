import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.capture import microphone
from edge_daemon.capture.build import Capturing, build_capture, build_sources
from edge_daemon.capture.feed import WATCH_S
from edge_daemon.capture.liveness import State
from edge_daemon.capture.source import Frame, SourceError
from edge_daemon.clock import VirtualClock
from edge_daemon.config import Config, ConfigError, parse_config
from edge_daemon.demo import CLIP
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker

SOON_NS = 100_000_000
LATER_NS = 10_000_000_000


def config(text: str) -> Config:
    return parse_config(text.encode(), Path("/etc/config.yaml"), {"HOME": "/home/pi"})


def names(text: str, sample_rate_hz: int | None = 8000) -> list[str | None]:
    sources = build_sources(config(text), sample_rate_hz=sample_rate_hz, clock=VirtualClock())
    return [None if source is None else source.name for source in sources]


def test_each_source_is_the_one_that_is_asked_for() -> None:
    assert names("") == ["camera 0", "microphone"]
    assert names("video: {source: picamera2, device: 1}\naudio: {device: USB}") == [
        "picamera 1",
        "microphone USB",
    ]
    assert names("video: {source: synthetic}\naudio: {source: synthetic}") == [
        "synthetic video",
        "synthetic audio",
    ]
    assert names("video: {source: none}") == [None, "microphone"]


def test_a_bundle_that_does_not_listen_needs_no_microphone() -> None:
    assert names("", sample_rate_hz=None) == ["camera 0", None]


def test_a_recording_is_one_for_picture_and_sound() -> None:
    text = (
        "video: {source: replay}\naudio: {source: replay}\n"
        f"replay: {{video: {CLIP.video}, audio: {CLIP.audio}}}\n"
    )
    clock = VirtualClock(7)
    video, audio = build_sources(config(text), sample_rate_hz=8000, clock=clock)
    assert video is not None and audio is not None
    assert (video.name, audio.name) == ("replay video.avi", "replay audio.flac")
    video.open()
    clock.advance_to(10**9)
    audio.open()
    frame, chunk = video.read(), audio.read()
    assert frame.captured_ns == 7  # both count from the first opening
    assert chunk.captured_ns < 10**8
    video.close()
    audio.close()


def test_pictures_are_made_small_before_they_wait() -> None:
    clock = VirtualClock()
    changes: list[Capture] = []
    capturing = build_capture(
        config("video: {source: synthetic}\naudio: {source: none}\nreplay: {pace: lockstep}"),
        sample_rate_hz=8000,
        shrink=lambda image: image[::4, ::4],
        clock=clock,
        on_change=changes.append,
    )
    (feed,) = capturing.feeds
    assert capturing.inputs.cut(0, with_audio=True) is None
    feed.pump(0)
    window = capturing.inputs.cut(0, with_audio=True)
    assert window is not None and isinstance(window.frame, Frame)
    assert window.frame.image.shape[:2] == (60, 80)
    assert window.frame.image.dtype == np.uint8
    assert window.frame.label is not None
    assert feed.state is State.HEALTHY
    assert [change.state for change in changes] == ["healthy"]
    assert not capturing.ended and not capturing.down(listens=True)


def test_nothing_to_classify_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no model of the bundle listens"):
        build_capture(
            config("video: {source: none}"),
            sample_rate_hz=None,
            shrink=lambda image: image,
            clock=VirtualClock(),
            on_change=lambda change: None,
        )


def arriving(
    text: str, *, sample_rate_hz: int | None = 8000, needs_picture: bool = False
) -> Capturing:
    return build_capture(
        config(text),
        sample_rate_hz=sample_rate_hz,
        shrink=lambda image: image,
        clock=VirtualClock(),
        on_change=lambda change: None,
        needs_picture=needs_picture,
    )


def pump(capturing: Capturing, kind: str) -> None:
    for feed in capturing.feeds:
        if feed.kind == kind:
            feed.pump(SOON_NS)


def lose(capturing: Capturing, kind: str) -> None:
    for feed in capturing.feeds:
        if feed.kind == kind:
            assert feed.check(LATER_NS) is State.STALLED


def test_what_arrives_is_not_known_before_it_is_and_told_when_it_goes() -> None:
    capturing = arriving("video: {source: synthetic}\naudio: {source: synthetic}")
    assert (capturing.picture(), capturing.sound()) == (None, None)
    pump(capturing, "video")
    assert (capturing.picture(), capturing.sound()) == (True, None)
    pump(capturing, "audio")
    assert (capturing.picture(), capturing.sound()) == (True, True)
    lose(capturing, "video")
    assert (capturing.picture(), capturing.sound()) == (False, True)
    lose(capturing, "audio")
    assert (capturing.picture(), capturing.sound()) == (False, False)


def test_what_is_not_there_does_not_arrive_and_sound_that_nobody_takes_is_no_matter() -> None:
    capturing = arriving("video: {source: synthetic}\naudio: {source: none}")
    assert (capturing.picture(), capturing.sound()) == (None, False)
    capturing = arriving("video: {source: none}\naudio: {source: synthetic}")
    assert (capturing.picture(), capturing.sound()) == (False, None)
    capturing = arriving("video: {source: synthetic}", sample_rate_hz=None)
    assert capturing.sound() is None


def test_models_that_need_a_picture_get_no_window_without_one() -> None:
    text = "video: {source: synthetic}\naudio: {source: synthetic}"
    free, bound = arriving(text), arriving(text, needs_picture=True)
    for capturing in (free, bound):
        pump(capturing, "audio")
    heard = free.inputs.cut(SOON_NS, with_audio=True)
    assert heard is not None and heard.frame is None
    assert bound.inputs.cut(SOON_NS, with_audio=True) is None
    pump(bound, "video")
    assert bound.inputs.cut(SOON_NS, with_audio=True) is not None
    assert bound.sound() is True
    lose(bound, "video")
    assert (bound.picture(), bound.sound()) == (False, False)


def test_a_microphone_whose_driver_hangs_is_left_and_another_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[object, ...]] = []
    freed, again = threading.Event(), threading.Event()

    class Hanging:
        name = "microphone"
        may_repeat = True

        def __init__(self, *arguments: object, **options: object) -> None:
            made.append((*arguments, options["try_rates_hz"], options["root"]))

        def open(self) -> None:
            if len(made) > 1:
                again.set()
            assert freed.wait(20)
            raise SourceError("gone")

        def close(self) -> None:
            pass

    monkeypatch.setattr(microphone, "PortAudioMicrophone", Hanging)
    clock = VirtualClock()
    capturing = build_capture(
        config("video: {source: none}\naudio: {device: 0d8c:0014, rate_hz: 16000}"),
        sample_rate_hz=8000,
        shrink=lambda image: image,
        clock=clock,
        on_change=lambda change: None,
        root=Path("/board"),
    )
    (feed,) = capturing.feeds
    worker = Worker("audio", feed.run)
    worker.start()
    try:
        for second in range(1, 20):
            clock.advance_to(second * 60 * 10**9)
            if again.wait(1):
                break
        assert made == 2 * [("0d8c:0014", 8000, (16_000,), Path("/board"))]
    finally:
        worker.ask_to_stop()
        freed.set()
        assert worker.stop(20)


def pumped(text: str, until_s: float) -> Capturing:
    """Return what has brought one picture, at the start, and sound up to a time."""
    capturing = arriving(text)
    for feed in capturing.feeds:
        feed.pump(0 if feed.kind == "video" else round(until_s * 1e9))
    return capturing


@pytest.mark.parametrize(
    ("rate_hz", "stall_s", "patience_s"), [(15, 3, 3), (0.25, 3, 10), (0.1, 3, 25), (0.1, 60, 60)]
)
def test_a_slow_source_has_time_for_its_pictures(
    rate_hz: float, stall_s: float, patience_s: float
) -> None:
    text = (
        f"video: {{source: synthetic, rate_hz: {rate_hz}}}\naudio: {{source: synthetic}}\n"
        f"capture: {{stall_s: {stall_s}}}"
    )
    for late_s, state in ((patience_s - 0.1, State.HEALTHY), (patience_s + 0.1, State.STALLED)):
        capturing = pumped(text, late_s)
        video, audio = capturing.feeds
        assert video.check(round(late_s * 1e9)) is state
        window = capturing.inputs.cut(round(late_s * 1e9), with_audio=True)
        assert window is not None and window.audio is not None
        assert (window.frame is not None) is (state is State.HEALTHY)
        # Sound has the same time as ever.
        assert audio.check(round((late_s + stall_s - 0.1) * 1e9)) is State.HEALTHY
        assert audio.check(round((late_s + stall_s + 0.1) * 1e9)) is State.STALLED
        later_ns = round((late_s + stall_s + 0.1) * 1e9)
        assert pumped(text, late_s).inputs.cut(later_ns, with_audio=True) is None


def test_the_pictures_of_a_folder_come_at_its_own_rate() -> None:
    text = "video: {source: replay, rate_hz: 15}\nreplay: {video: pictures, rate_hz: 0.2}"
    assert arriving(text).picture_ns == 5 * 10**9
    assert arriving("video: {rate_hz: 4}\nreplay: {rate_hz: 0.2}").picture_ns == 25 * 10**7


def test_a_camera_of_a_picture_in_ten_seconds_stays_healthy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, stop = VirtualClock(), threading.Event()
    shown: list[int] = []
    late_s = [15]
    changes: list[Capture] = []
    limits: list[int] = []

    class FiveHertz:
        """What OpenCV opens: it delivers five different pictures a second, for five minutes."""

        def __init__(self, address: str, backend: int, given: list[int]) -> None:
            limits.append(given[given.index(cv2.CAP_PROP_READ_TIMEOUT_MSEC) + 1])

        def isOpened(self) -> bool:  # noqa: N802
            return True

        def get(self, what: int) -> float:
            return 5.0

        def getBackendName(self) -> str:  # noqa: N802
            return "FFMPEG"

        def grab(self) -> bool:
            if len(shown) == 5 and late_s:  # for long enough that a watcher would see
                clock.advance_to(clock() + late_s.pop() * 10**9)
                threading.Event().wait(2 * WATCH_S)
            clock.advance_to(clock() + 200_000_000)
            capturing.check(clock())
            if clock() > 300 * 10**9:
                stop.set()
            return True

        def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
            shown.append(clock())
            return True, np.full((4, 4, 3), 50 + len(shown), dtype=np.uint8)

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", FiveHertz)
    capturing = build_capture(
        config("video: {device: rtsp://camera, rate_hz: 0.1}\naudio: {source: none}"),
        sample_rate_hz=None,
        shrink=lambda image: image,
        clock=clock,
        on_change=changes.append,
    )
    (feed,) = capturing.feeds
    feed.run(stop)
    assert [(change.state, change.previous) for change in changes] == [("healthy", "starting")]
    assert feed.counts.items == pytest.approx(30, abs=2)
    (limit_ms,) = limits
    assert 10_000 < limit_ms < 25_000
