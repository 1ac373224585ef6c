"""Who holds which copy of PortAudio."""

import threading
from typing import Any

import pytest

from edge_daemon.capture.libraries import AnyLibrary, Libraries
from edge_daemon.capture.source import SourceError


class Made:
    """Stands in for a library, and for the stream in it."""

    active = True

    def __init__(self) -> None:
        self.closed = 0

    def look_again(self) -> list[Any]:
        return []

    def accepts(self, device: Any, channels: int, rate_hz: int) -> bool:
        return True

    def open(self, *_: Any, **__: Any) -> "Made":
        return self

    def close(self) -> None:
        self.closed += 1


def starved(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the next threads fail to start, as where memory or TasksMax is used up."""
    start = threading.Thread.start
    left = [times]

    def refuse(thread: threading.Thread) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_a_stream_that_no_thread_can_close_is_closed_before_the_next_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Made] = []

    def make(_another: bool) -> AnyLibrary:
        made.append(Made())
        return made[-1]

    libraries = Libraries(make, most=2, release_s=10.0)
    for _ in range(5):
        library = libraries.take()
        starved(monkeypatch, 1)
        libraries.release(library, library.open())  # type: ignore[call-arg]
        assert sum(one.closed for one in made) == 0
        monkeypatch.undo()
        libraries.give_back(libraries.take())
        assert sum(one.closed for one in made) == 1
        made[0].closed = 0
    assert len(made) == 1  # and it was free again each time


def test_while_there_is_no_thread_at_all_it_says_so_and_loses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libraries = Libraries(lambda _: Made(), most=1, release_s=10.0)
    library = libraries.take()
    starved(monkeypatch, 3)
    libraries.release(library, Made())
    for _ in range(2):
        with pytest.raises(SourceError, match="hang in the sound system"):
            libraries.take()
    assert libraries.take() is library
