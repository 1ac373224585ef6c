"""Progress with the time left: a live bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

LINE_EVERY_S = 10.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """How far one job is.

    Args:
        title: what is being done.
        total: steps.
        done: steps that an earlier run made.
        stream: where to; standard error by default, so that results can be piped.
    """

    def __init__(self, title: str, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self._title = title
        self._total = total
        self._stream = stream or sys.stderr
        self._done = done
        self._earlier = done
        self._note = ""
        self._began_s = time.monotonic()
        self._line_s = self._began_s
        self._bars: Bars | None = None
        if self._stream.isatty():
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(file=self._stream),
            )
            self._task = self._bars.add_task(title, total=total, completed=done, note="")

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        """Count steps that are done.

        Args:
            steps: how many.
            note: a few words or figures to show beside them; without a terminal, a note gives a
                line at once.
        """
        self._done += steps
        self._note = self._note if note is None else note
        if self._bars is not None:
            self._bars.update(self._task, completed=self._done, note=self._note)
        elif note is not None or time.monotonic() - self._line_s >= LINE_EVERY_S:
            self._write_line()

    def _write_line(self) -> None:
        self._line_s = time.monotonic()
        elapsed_s = self._line_s - self._began_s
        step_s = elapsed_s / max(self._done - self._earlier, 1)
        left_s = step_s * max(self._total - self._done, 0)
        line = f"{self._title} {self._done}/{self._total}, {clock_time(left_s)} left"
        self._stream.write(f"{line}  {self._note}".rstrip() + "\n")
        self._stream.flush()

    def __enter__(self) -> "Progress":
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()


def clock_time(seconds: float) -> str:
    """Return minutes and seconds, as in 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
