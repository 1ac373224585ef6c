"""Signals without handlers: blocked everywhere, and waited for by one worker.

A Python signal handler runs between two bytecodes of the main thread. If it sets an Event (or
takes any lock) that the main thread is just waiting for, both wait for ever. So `block` is called
first thing in `main`, before any thread starts (threads inherit the mask), and the `signals` worker
takes the signals from sigwaitinfo(2) and calls plain functions.

Not from sigtimedwait(2): a suspend or a debugger interrupts it, and CPython (3.11 to 3.13 at least)
then returns what happens to lie on the stack if the timeout has passed meanwhile.

A child process inherits the mask as well and could then not be terminated politely: a Python child
calls `unblock` first thing; for any other program pass `preexec_fn=unblock` to `subprocess.Popen`
(one system call that takes no lock).
"""

import logging
import os
import signal
import threading
from collections.abc import Callable

from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.worker import Worker

log = logging.getLogger(__name__)

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})

_LAST_WORDS_S = 0.2
_ECHO_NS = 100_000_000


def block() -> None:
    """Block the signals in this thread and in those that it starts from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def unblock() -> None:
    """Let the signals through again: what a child process does first."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


class Signals:
    """The body of the `signals` worker.

    SIGTERM and SIGINT stop, SIGHUP reloads; a second SIGTERM or SIGINT ends the process at once,
    whatever the first one's stop is stuck in. One that follows within 0.1 s is not a second wish
    but an echo: timeout(1) and some supervisors signal the process and then its group.

    Args:
        on_stop: called once, with the name of the signal; must return at once.
        on_reload: called for each SIGHUP; None makes SIGHUP a stop, as a program in a terminal
            should take it.
        last_words: called before the process is ended; given 0.2 s, then left alone.
        clock: monotonic nanoseconds.
    """

    def __init__(
        self,
        on_stop: Callable[[str], object],
        on_reload: Callable[[], object] | None,
        last_words: Callable[[], object] | None = None,
        clock: Clock = monotonic_ns,
    ) -> None:
        self._on_stop = on_stop
        self._on_reload = on_reload
        self._last_words = last_words
        self._clock = clock
        self._stopping_ns: int | None = None

    def run(self, stop: threading.Event) -> None:
        """Wait for signals and act on them, up to the first one after `stop` is set."""
        while not stop.is_set():
            arrived = signal.sigwaitinfo(SIGNALS)
            if not stop.is_set():
                self.take(signal.Signals(arrived.si_signo))

    def take(self, arrived: signal.Signals) -> None:
        """Act on one signal; what a callback raises is logged."""
        on_reload = self._on_reload if arrived == signal.SIGHUP else None
        if on_reload is not None and self._stopping_ns is not None:
            return  # too late: `stop` is the last line of a run
        if on_reload is None and self._stopping_ns is not None:
            if self._clock() - self._stopping_ns > _ECHO_NS:
                self._end(arrived)
            return
        try:
            if on_reload is not None:
                on_reload()
            else:
                self._stopping_ns = self._clock()
                self._on_stop(arrived.name)
        except Exception:
            log.exception("%s was not handled", arrived.name)

    def _end(self, arrived: signal.Signals) -> None:
        if self._last_words is not None:
            worker = Worker("last words", self._speak)
            worker.start()
            worker.stop(_LAST_WORDS_S)
        os._exit(128 + arrived)

    def _speak(self, _stop: threading.Event) -> None:
        if self._last_words is not None:
            self._last_words()
