"""A real stream that hangs while it is closed, and a microphone that has moved meanwhile."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.feed import Feed
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.microphone import PortAudioMicrophone
from edge_daemon.capture.source import Chunk
from edge_daemon.clock import monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker
from tests.capture.pulse import PulseServer

pytestmark = pytest.mark.pulseaudio

PATIENCE_S = 20.0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[PulseServer]]:
    """Two sound servers, each with a microphone."""
    with contextlib.ExitStack() as stack:
        made = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            made.append(PulseServer(tmp_path / name))
            stack.callback(made[-1].kill)
            try:
                made[-1].start()
            except OSError as error:
                pytest.skip(str(error))
        yield made


def closing() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "portaudio"}


def until(condition: Callable[[], object], what: object) -> None:
    for _ in range(round(PATIENCE_S / 0.02)):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError(what)


def test_a_microphone_that_moved_is_found_while_its_old_stream_hangs(
    servers: list[PulseServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = servers

    def plug(number: int, server: PulseServer) -> None:
        """Have ALSA offer a server's microphone under a name with a number, and no other one."""
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        home = tmp_path / f"home{number}"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        (home / ".asoundrc").write_text(f"pcm.usb_mic_{number} {{ type pulse }}\n")

    def opened() -> str | None:
        return None if microphone.opened is None else microphone.opened.device.name

    events: list[Capture] = []
    microphone = PortAudioMicrophone("usb_mic", 8000, deadline_s=0.4)
    sounds: list[Chunk] = []
    feed: Feed[Chunk] = Feed(
        "audio",
        microphone,
        sounds.append,
        liveness=Liveness(failed_after=1000),
        clock=monotonic_ns,
        on_change=events.append,
        retry=Backoff(0.01, 0.1),
    )
    worker = Worker("audio", feed.run)
    plug(1, first)
    worker.start()
    try:
        until(lambda: feed.state is State.HEALTHY, events)
        assert opened() == "usb_mic_1"
        before = feed.counts.reconnects
        others = closing()  # a server killed by an earlier test may keep one for a minute
        first.freeze()
        plug(2, second)
        until(lambda: feed.counts.reconnects == before + 1, events)
        assert opened() == "usb_mic_2"
        assert len(closing() - others) == 1, "the first stream still hangs"
        count = len(sounds)
        until(lambda: len(sounds) > count + 10, events)
        first.thaw()
        until(lambda: not closing() - others, "the stream that hung returns with its server")
        assert feed.counts.reconnects == before + 1
    finally:
        first.thaw()
        assert worker.stop(PATIENCE_S)
