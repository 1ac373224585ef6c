"""The journal as the daemon sees it: `write` takes an event at once, a worker brings it to disk.

Nothing that a disk does reaches the caller of `write`: not an error, not a wait. Lines wait in a
bounded buffer while the disk is full, slow, read-only or gone; the worker tries again with a
growing pause, and when the disk is back it writes what waited and a `fault` that counts what was
lost. A disk that takes seconds a write and fails none is told as well (`slowness.py`).
"""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.journal.buffer import Buffer, Waiting, encoded
from edge_daemon.journal.events import Event, Fault
from edge_daemon.journal.files import JournalFiles, JournalLockedError, cause
from edge_daemon.journal.line import Stamp, read_boot_id
from edge_daemon.journal.outage import Outage
from edge_daemon.journal.slowness import Slowness
from edge_daemon.journal.unreadable import Unreadable
from edge_daemon.worker import Worker

log = logging.getLogger(__name__)

_BATCH_LINES = 256
# Waking a sleeping thread costs the caller of `write` more than all the rest of it. So while lines
# keep coming the worker stays awake and looks by itself; only a line that is no mere prediction or
# reading wakes it at once.
_GATHER_S = 0.01
_AWAKE_S = 0.015
_IDLE_S = 1.0
_HUNG_S = 1.0


class Journal:
    """Writes events as numbered JSON lines to `journal.jsonl` in a directory of its own.

    Args:
        directory: made when it is missing, and again when it is deleted.
        clock: gives the lines their `mono_ns`; a virtual one in a fast replay.
        wall_clock: gives the lines their `ts`, in nanoseconds since the epoch.
        timer: counts pauses and outages; always real time.
        max_file_bytes: a file is rotated before it would exceed this.
        max_total_bytes: bound on all files together; at least twice `max_file_bytes`.
        buffer_lines: how many lines may wait for the disk.
        boot_id: the kernel's id of this boot; read from /proc when None.

    Raises:
        ValueError: a bound is too small.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock = monotonic_ns,
        wall_clock: Clock = time.time_ns,
        timer: Clock = monotonic_ns,
        max_file_bytes: int = 8 * 1024 * 1024,
        max_total_bytes: int = 64 * 1024 * 1024,
        buffer_lines: int = 4096,
        boot_id: str | None = None,
    ) -> None:
        self._unread = Unreadable()
        self._files = JournalFiles(directory, max_file_bytes, max_total_bytes, self._unread.found)
        self._stamp = Stamp(read_boot_id() if boot_id is None else boot_id, clock, wall_clock)
        self._timer = timer
        # `_changed` guards everything that `write` touches and is held for microseconds only;
        # `_disk` is held while the disk works, so `write` never takes it.
        self._changed = threading.Condition()
        self._disk = threading.Lock()
        self._buffer = Buffer(buffer_lines)
        self._in_flight = 0
        self._lost = 0
        self._lost_reported = 0
        self._why_lost = ""
        self._urgent = self._asleep = False
        self._attempts = 0
        self._busy_since_ns: int | None = None
        self._outage: Outage | None = None
        self._slowness = Slowness()
        self._begun = self._stopping = False
        self._written = -1
        self._last_prediction_ns: int | None = None
        self._checked_ns = timer()
        self._locked: JournalLockedError | None = None
        self._worker = Worker("journal", self._run)
        self.repaired_bytes = 0
        """Torn bytes that `start` or `open` cut from the file, for the `start` event."""

    @property
    def directory(self) -> Path:
        """Where the files are."""
        return self._files.directory

    @property
    def written(self) -> int:
        """Number (`seq`) of the last line on disk; -1 before the first."""
        return self._written

    @property
    def lost(self) -> int:
        """Lines lost since the start."""
        return self._lost

    @property
    def waiting(self) -> int:
        """Lines that are not on disk yet."""
        return len(self._buffer) + self._in_flight

    @property
    def last_written_event_ns(self) -> int | None:
        """`mono_ns` of the newest prediction that reached the disk."""
        return self._last_prediction_ns

    @property
    def error(self) -> str | None:
        """What the disk suffers from now; None while it works."""
        outage, busy_since_ns = self._outage, self._busy_since_ns
        if outage is not None:
            return outage.error
        if busy_since_ns is not None:
            busy_s = (self._timer() - busy_since_ns) / 1e9
            if busy_s > _HUNG_S:
                return f"{self.directory}: the disk has not answered for {busy_s:.0f} s"
        return None

    def start(self, timeout_s: float = 5.0) -> None:
        """Start the worker and wait until it has opened the file, at most `timeout_s`.

        A disk that fails or does not answer is no error: the worker keeps trying.

        Raises:
            JournalLockedError: another daemon writes to the directory.
        """
        self._worker.start()
        with self._changed:
            self._changed.wait_for(lambda: self._attempts > 0, timeout_s)
        if self._locked is not None:
            self._worker.stop()
            raise self._locked

    def open(self) -> None:
        """Open the file on this thread, for a caller that steps the journal itself.

        Raises:
            JournalLockedError: another daemon writes to the directory.
        """
        self.step()
        if self._locked is not None:
            raise self._locked

    def write(self, event: Event) -> None:
        """Take an event. Never waits and never raises; what cannot be kept is counted."""
        try:
            line = encoded(event, self._stamp)
        except Exception as error:
            with self._changed:
                self._lost += 1
                self._why_lost = f"{type(event).__name__} cannot be written: {error}"
                self._changed.notify_all()
            return
        with self._changed:
            lost = self._buffer.put(line)
            if lost:
                self._lost += lost
                self._why_lost = "more came than the disk took"
            if line.worth or self._asleep or self._buffer.half_full:
                self._changed.notify_all()

    def set_bounds(self, max_file_bytes: int, max_total_bytes: int, buffer_lines: int) -> None:
        """Change the bounds while it runs.

        Raises:
            ValueError: a bound is too small; then none is changed.
        """
        self._files.set_bounds(max_file_bytes, max_total_bytes)
        with self._changed:
            self._buffer.capacity = buffer_lines

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Try to bring everything to disk now; return whether it is there.

        Returns early, with False, when the disk fails.
        """
        if not self._worker.alive:
            self.step()
            return self.waiting == 0
        with self._changed:
            before = self._attempts
            self._urgent = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self.waiting == 0 or (self._attempts > before and self._outage is not None),
                timeout_s,
            )
            return self.waiting == 0

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Write and sync what waits, within `timeout_s`; return whether everything is on disk."""
        self._stopping = True
        if self._worker.alive:
            self._worker.ask_to_stop()  # before the wake-up, or it would be slept through
            with self._changed:
                self._changed.notify_all()
            ended = self._worker.stop(timeout_s)
        else:
            self._close()
            ended = True
        if self.waiting:
            log.error("journal: %d lines did not reach the disk: %s", self.waiting, self.error)
        return ended and self.waiting == 0

    def step(self) -> None:
        """Make one attempt to bring everything that waits now to disk; never raises."""
        with self._disk:
            self._busy_since_ns = self._timer()
            try:
                self._drain()
            except Exception as error:  # whatever it is, the next attempt may do better
                self._fail(error)
            finally:
                self._busy_since_ns = None
                with self._changed:
                    self._attempts += 1
                    self._changed.notify_all()

    def _run(self, stop: threading.Event) -> None:
        came_ns = self._timer()
        while not stop.is_set() and self._locked is None:
            before = self._written
            self.step()
            now_ns = self._timer()
            came_ns = came_ns if self._written == before else now_ns
            if self._outage is not None:
                pause_s = (self._outage.retry_at_ns - now_ns) / 1e9
            else:
                self._asleep = now_ns - came_ns > _AWAKE_S * 1e9
                pause_s = _IDLE_S if self._asleep else _GATHER_S
            with self._changed:
                self._changed.wait_for(lambda: stop.is_set() or self._due(), max(0.0, pause_s))
                self._urgent = self._asleep = False
        self._close()

    def _due(self) -> bool:
        if self._urgent:
            return True
        if self._outage is not None:
            return self._timer() >= self._outage.retry_at_ns
        return len(self._buffer) > 0 or self._lost > self._lost_reported

    def _drain(self) -> None:
        now_ns = self._timer()
        if not self._files.is_open:
            cut = self._files.open()
            self._locked = None
            self._written = max(self._written, self._files.next_seq - 1)
            if self._outage is not None:
                self._outage.repaired_bytes += cut
                # Nothing new may have come between two attempts: the same loss is seen again then.
                self._outage.gone = max(self._outage.gone, self._files.gone)
            else:
                self.repaired_bytes = cut
        elif now_ns - self._checked_ns >= _IDLE_S * 1e9:
            self._files.check()
        self._checked_ns = now_ns
        self._files.keep_bounds()
        if self._begun and not self._stopping:  # not before `start`, nor after `stop`
            for fault in self._unread.take():
                self.write(fault)
        left = len(self._buffer)
        while left > 0 and self._buffer:  # a lowered bound drops lines meanwhile
            with self._changed:
                lines = self._buffer.take(min(left, _BATCH_LINES))
                self._in_flight = len(lines)
            left -= len(lines)
            self._append(lines)
        self._report()

    def _append(self, lines: Sequence[Waiting]) -> None:
        """Write lines that were taken from the buffer; those that fail go back to it."""
        done = 0
        try:
            while done < len(lines):
                begun_ns = self._timer()
                done += self._files.append(lines[done : done + _BATCH_LINES])
                slow = self._slowness.wrote(begun_ns, self._timer())
                if slow is not None:
                    self._tell(slow)
        finally:
            with self._changed:
                self._buffer.put_back(list(lines[done:]))
                self._in_flight = 0
                self._begun = self._begun or done > 0
                self._written = self._files.next_seq - 1
                for line in lines[:done]:
                    if line.prediction:
                        self._last_prediction_ns = line.mono_ns
                self._changed.notify_all()

    def _tell(self, slow: Fault) -> None:
        log.warning("journal: %s", slow.message)
        if not self._stopping:  # `stop` is the last line of a run
            self.write(slow)

    def _report(self) -> None:
        """Tell what an outage cost, in one line that is written like any other."""
        with self._changed:
            outage, lost, why = self._outage, self._lost - self._lost_reported, self._why_lost
        if outage is None and lost == 0:
            return
        if outage is None:
            fault = Fault("journal", f"{lost} lines lost: {why}", lines_lost=lost)
        else:
            fault = outage.fault(self._timer(), lost)
        self._files.append([encoded(fault, self._stamp)])
        with self._changed:
            self._lost_reported += lost
            self._outage = None
            self._written = self._files.next_seq - 1
        log.warning("journal: %s", fault.message)

    def _fail(self, error: Exception) -> None:
        """Let go of the file, so that the next attempt opens and repairs it."""
        self._files.close()
        if isinstance(error, JournalLockedError) and self._written < 0 and self._outage is None:
            self._locked = error
            return
        now_ns = self._timer()
        with self._changed:
            if self._outage is None:
                self._outage = Outage(now_ns)
                log.warning("journal: %s, lines wait: %r", cause(error, self.directory), error)
            self._outage.failed(error, now_ns)

    def _close(self) -> None:
        """Make the last attempt, whatever the pause, then sync and let go of the directory."""
        if self._locked is None:
            self.step()
        with self._disk:
            if self._files.is_open:
                try:
                    self._files.sync()
                except OSError as error:
                    log.warning("journal: the last sync failed: %s", error)
            self._files.close()
