"""Notices, from outside, a governor that hangs where nothing is expected to."""

from collections.abc import Callable

from edge_daemon.governor.governor import Governor
from edge_daemon.journal.events import Event, Fault
from edge_daemon.tier import Tier

PATIENCE_S = 30.0
PATIENCE_POLLS = 3


class Watch:
    """Reports once that no poll has ended for long, and again after the next silence.

    What may hang is read in a thread apart (`slow.py`). What is left are reads of the kernel's own
    memory, a board that has no time or memory left for a thread, and bugs. Nothing can be done
    about them from inside: the loop, which never waits for the governor, goes on in the tier that
    runs. But nobody guards the board any more, so that the daemon lets the watchdog restart it: a
    fresh process begins in `critical`, which every board bears.

    Args:
        governor: what is watched.
        write: takes the fault.
        started_ns: monotonic time from which silence counts.
    """

    def __init__(self, governor: Governor, write: Callable[[Event], None], started_ns: int) -> None:
        self._governor = governor
        self._write = write
        self._started_ns = started_ns
        self._reported = False

    def check(self, now_ns: int, tier: Tier) -> bool:
        """Look at the age of the last poll; return whether the governor is at work.

        Args:
            now_ns: on the governor's clock.
            tier: what runs now.
        """
        patience_s = max(PATIENCE_S, PATIENCE_POLLS * self._governor.poll_s)
        silent_s = (now_ns - (self._governor.polled_ns or self._started_ns)) / 1e9
        silent = silent_s > patience_s
        if silent and not self._reported:
            message = (
                f"no reading of the board for {silent_s:.0f} s, and the tier stays {tier}: the "
                "governor's thread does not get to run, or a read of CPU or memory (/proc, "
                "/sys/fs/cgroup) does not return. The watchdog restarts the daemon; see whether "
                "the board is out of memory, and whether `edge-daemon doctor` ends"
            )
            self._write(Fault(part="governor", message=message))
        self._reported = silent
        return not silent
