import threading
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture import microphone
from edge_daemon.capture.build import Capturing, build_capture, build_sources
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
