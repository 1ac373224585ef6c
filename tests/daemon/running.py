"""The daemon as a user runs it: a process, a config file, a journal, signals."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_daemon.journal.reader import follow, read

DATA = Path(__file__).resolve().parent.parent / "data"

PATIENCE_S = 30.0
"""How long anything may take on a busy machine before a test gives up."""

STANDSTILL_S = 1.5
"""How long the loop may be kept from a window on a busy machine. Windows are numbered as they are
cut: one that never began leaves no gap in the numbers, only in time."""

Fields = dict[str, Any]

_numbers = itertools.count()


def command(*arguments: str | Path) -> list[str]:
    """Return the command line of `edge-daemon` with these arguments."""
    return [sys.executable, "-m", "edge_daemon", *map(str, arguments)]


def lines(directory: Path) -> list[Fields]:
    """Return all lines of a journal; a bad one fails the test."""
    bad: list[object] = []
    found = [line.fields for line in read(directory, bad.append)]
    assert bad == []
    return found


def of(event: str, found: list[Fields]) -> list[Fields]:
    """Return the lines of one kind."""
    return [line for line in found if line["event"] == event]


def longest_gap_s(predictions: Sequence[Fields]) -> float:
    """Return the longest time from a prediction to the next."""
    times_ns: list[int] = [line["mono_ns"] for line in predictions]
    return max((b - a) / 1e9 for a, b in itertools.pairwise(times_ns))


class Running:
    """A daemon under way.

    Args:
        config: its file.
        journal: its directory.
        arguments: further ones.
        environ: further variables.
        prefix: a command that runs it, and becomes it.
    """

    def __init__(
        self,
        config: Path,
        journal: Path,
        *arguments: str | Path,
        environ: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.journal = journal
        self.log = config.parent / f"{config.stem}-{next(_numbers)}.log"
        self._stderr = self.log.open("ab")
        self.process = subprocess.Popen(
            [*prefix, *command("run", "--config", config, "--journal", journal, *arguments)],
            stderr=self._stderr,
            env={**os.environ, **(environ or {})},
        )

    def wait_for(
        self, wanted: Callable[[Fields], bool], *, after: int = -1, within_s: float = PATIENCE_S
    ) -> Fields:
        """Return the first line with a number above `after` for which `wanted` is true."""
        stop = threading.Event()
        timer = threading.Timer(within_s, stop.set)
        timer.start()
        watch = threading.Thread(target=self._stop_with_the_process, args=(stop,), daemon=True)
        watch.start()
        try:
            for line in follow(self.journal, stop, count=100_000, poll_s=0.02):
                if line.seq > after and wanted(line.fields):
                    return line.fields
        finally:
            timer.cancel()
            stop.set()
        raise AssertionError(f"the line did not come; log:\n{self.log.read_text()}")

    def wait_for_event(
        self, event: str, *, after: int = -1, within_s: float = PATIENCE_S, **fields: object
    ) -> Fields:
        """Return the first line of a kind whose fields have these values."""
        return self.wait_for(
            lambda line: line["event"] == event
            and all(line.get(name) == value for name, value in fields.items()),
            after=after,
            within_s=within_s,
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """Make sure that nothing is left running."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._stderr.close()

    def _stop_with_the_process(self, stop: threading.Event) -> None:
        while not stop.wait(0.1):
            if self.process.poll() is not None:
                stop.wait(0.3)  # what it wrote last is still to be read
                stop.set()


@contextlib.contextmanager
def running(
    config: Path,
    journal: Path,
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[Running]:
    """Run a daemon for the length of a test."""
    daemon = Running(config, journal, *arguments, environ=environ, prefix=prefix)
    try:
        yield daemon
    finally:
        daemon.close()


def write_config(path: Path, **sections: object) -> Path:
    """Write a config; JSON is YAML."""
    path.write_text(json.dumps(sections), encoding="utf-8")
    return path
