"""A named thread that is told to stop by an event and joined with a time limit."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

Body = Callable[[threading.Event], None]
"""What a worker runs: it returns soon after the event it is given is set."""


class Worker:
    """One thread with a name, a stop event and a bounded join.

    An exception that escapes the body ends the thread and is handed to `on_error` (called on
    that thread), so that no part of the daemon can die unseen.

    A thread that hangs can be replaced: it is told to stop and left behind, and a fresh one runs
    the same body with an event of its own.
    """

    def __init__(
        self,
        name: str,
        body: Body,
        *,
        on_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.name = name
        self._body = body
        self._on_error = on_error
        self._left: list[threading.Thread] = []
        self._stop, self._thread = self._fresh()

    @property
    def alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def left_behind(self) -> int:
        """How many threads were replaced and have not ended since."""
        return sum(thread.is_alive() for thread in self._left)

    def start(self) -> None:
        """Start the thread; a worker is started once."""
        self._thread.start()

    def replace(self) -> bool:
        """Leave the thread behind and start a fresh one; return whether one could be had.

        Called by whoever started and stops the worker. What the old thread still does, should it
        ever go on, is the body's matter: its stop event is set.
        """
        stop, thread = self._fresh()
        try:
            thread.start()
        except RuntimeError as error:  # no memory or no room for a thread now
            log.warning("worker %s could not be replaced: %s", self.name, error)
            return False
        self._stop.set()
        self._left = [*(left for left in self._left if left.is_alive()), self._thread]
        self._stop, self._thread = stop, thread
        return True

    def ask_to_stop(self) -> None:
        """Set the body's event and return at once."""
        self._stop.set()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Ask the body to end and wait at most `timeout_s`; return whether no thread is left."""
        self._stop.set()
        deadline_s = time.monotonic() + timeout_s
        threads = [self._thread, *self._left]
        for thread in threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(max(0.0, deadline_s - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            log.warning("worker %s did not stop within %.1f s", self.name, timeout_s)
            return False
        return True

    def _fresh(self) -> tuple[threading.Event, threading.Thread]:
        stop = threading.Event()
        # A daemon thread: one that is stuck in a driver must not keep the process alive.
        return stop, threading.Thread(target=self._run, args=(stop,), name=self.name, daemon=True)

    def _run(self, stop: threading.Event) -> None:
        # For `top -H` and `ps -L`; before 3.14 Python tells the kernel no names.
        with contextlib.suppress(OSError):
            Path("/proc/thread-self/comm").write_text(self.name, encoding="utf-8")
        try:
            self._body(stop)
        except Exception as error:
            log.exception("worker %s failed", self.name)
            if self._on_error is not None:
                self._on_error(self.name, error)


def stop_workers(workers: Sequence[Worker], timeout_s: float) -> list[str]:
    """Stop several workers at once; return the names of those still alive after `timeout_s`."""
    for worker in workers:
        worker.ask_to_stop()
    deadline_s = time.monotonic() + timeout_s
    return [
        worker.name
        for worker in workers
        if not worker.stop(max(0.0, deadline_s - time.monotonic()))
    ]
