"""Copies of PortAudio, each held for one stream at a time, so that one that hangs is left alone."""

import threading
from collections.abc import Callable
from typing import Protocol

from edge_daemon.capture.libportaudio import Heard, InputDevice, Library
from edge_daemon.capture.source import SourceError
from edge_daemon.worker import Worker

MOST = 4
"""One that records and three that hang; each costs about half a megabyte and a descriptor."""

RELEASE_S = 1.0


class AnyStream(Protocol):
    """What `Stream` does."""

    @property
    def active(self) -> bool:
        """See `Stream`."""

    def close(self) -> None:
        """See `Stream`."""


class AnyLibrary(Protocol):
    """What `Library` does."""

    def look_again(self) -> list[InputDevice]:
        """See `Library`."""

    def accepts(self, device: InputDevice, channels: int, rate_hz: int) -> bool:
        """See `Library`."""

    def open(
        self,
        device: InputDevice,
        channels: int,
        rate_hz: int,
        *,
        block_s: float,
        buffer_s: float,
        heard: Heard,
        finished: Callable[[], None],
    ) -> AnyStream:
        """See `Library`."""


class Libraries:
    """The libraries of this process; any thread may ask for one.

    One library has one stream at most, so whoever holds it may have it look for devices anew. No
    lock is held during a call into it: one that hangs keeps that library, and nothing else.

    Args:
        make: loads a library; told whether another is loaded already.
        most: how many there may be.
        release_s: how long `release` waits.
    """

    def __init__(
        self,
        make: Callable[[bool], AnyLibrary],
        most: int = MOST,
        release_s: float = RELEASE_S,
    ) -> None:
        self._make = make
        self._most = most
        self._release_s = release_s
        self._lock = threading.Lock()  # guards what follows
        self._idle: list[AnyLibrary] = []
        self._unclosed: list[tuple[AnyLibrary, AnyStream]] = []
        self._held = 0

    def take(self) -> AnyLibrary:
        """Return one that nobody holds; raises SourceError when as many as there may be hang."""
        with self._lock:
            unclosed, self._unclosed = self._unclosed, []
        for library, stream in unclosed:
            self.release(library, stream)
        with self._lock:
            if not self._idle:
                if self._held >= self._most:
                    raise SourceError(
                        f"{self._held} streams hang in the sound system, and no other is opened "
                        "until one of them returns: restart the sound server, or this program"
                    )
                self._idle.append(self._make(self._held > 0))
            self._held += 1
            return self._idle.pop()

    def give_back(self, library: AnyLibrary) -> None:
        """Let somebody else hold it, now that it has no stream."""
        with self._lock:
            self._held -= 1
            self._idle.append(library)

    def release(self, library: AnyLibrary, stream: AnyStream) -> None:
        """Close a stream and give its library back.

        PortAudio may hang in this for ever when the sound server hangs or has died. After
        `release_s` it is left alone with that, on a thread of its own. Where no thread can be had,
        the next `take` tries again.
        """

        def close(_stop: threading.Event) -> None:
            stream.close()
            self.give_back(library)

        closer = Worker("portaudio", close)
        try:
            closer.start()
        except RuntimeError:  # no memory, or TasksMax
            with self._lock:
                self._unclosed.append((library, stream))
            return
        closer.stop(self._release_s)


LIBRARIES = Libraries(lambda another: Library(copy=another))
"""Those of this process."""
