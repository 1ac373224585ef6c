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
        self._stop = threading.Event()
        # A daemon thread: one that is stuck in a driver must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; a worker is started once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Set the body's event and return at once."""
        self._stop.set()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Ask the body to end and wait at most `timeout_s`; return whether it ended."""
        self._stop.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("worker %s did not stop within %.1f s", self.name, timeout_s)
            return False
        return True

    def _run(self) -> None:
        # For `top -H` and `ps -L`; before 3.14 Python tells the kernel no names.
        with contextlib.suppress(OSError):
            Path("/proc/thread-self/comm").write_text(self.name, encoding="utf-8")
        try:
            self._body(self._stop)
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
