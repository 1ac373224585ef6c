from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.build import build_capture, build_sources
from edge_daemon.capture.liveness import State
from edge_daemon.capture.source import Frame
from edge_daemon.clock import VirtualClock
from edge_daemon.config import Config, ConfigError, parse_config
from edge_daemon.demo import CLIP
from edge_daemon.journal.events import Capture


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
