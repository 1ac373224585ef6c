"""A driver between us and the files of a tree: some fail, answer something else, or hang."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Conduct = TypeVar("Conduct")

PATIENCE_S = 5.0


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until it holds; fail when it never does."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.0005)


class Hang:
    """A call of the kernel's that does not return until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._let_go = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self._let_go.wait(PATIENCE_S)

    def end(self) -> None:
        self._let_go.set()


class Driver:
    """Stands in for the two calls that a `KernelFile` makes. Files are known by how they end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pread, self._open = os.pread, os.open
        self._errors: dict[str, int] = {}
        self._answers: dict[str, bytes] = {}
        self._hangs: dict[str, Hang] = {}
        self._opening: dict[str, Hang] = {}
        self._all: list[Hang] = []
        monkeypatch.setattr(os, "pread", self.pread)
        monkeypatch.setattr(os, "open", self.open)

    def fail(self, name: str, number: int) -> None:
        self._errors[name] = number

    def answer(self, name: str, data: bytes) -> None:
        self._answers[name] = data

    def hang(self, name: str, *, opening: bool = False) -> Hang:
        hang = Hang()
        self._all.append(hang)
        (self._opening if opening else self._hangs)[name] = hang
        return hang

    def heal(self) -> None:
        """All work again; what hangs returns."""
        for conduct in (self._errors, self._answers, self._hangs, self._opening):
            conduct.clear()
        for hang in self._all:
            hang.end()

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        path = str(Path(f"/proc/self/fd/{fd}").readlink())
        if (hang := _of(self._hangs, path)) is not None:
            hang()
        if (number := _of(self._errors, path)) is not None:
            raise OSError(number, os.strerror(number))
        answer = _of(self._answers, path)
        return self._pread(fd, size, offset) if answer is None else answer[offset : offset + size]

    def open(self, path: str | os.PathLike[str], flags: int, *rest: int) -> int:
        if (hang := _of(self._opening, os.fspath(path))) is not None:
            hang()
        return self._open(path, flags, *rest)


def _of(conduct: dict[str, Conduct], path: str) -> Conduct | None:
    return next((what for name, what in conduct.items() if path.endswith(name)), None)
