"""Notices, from outside, a governor that hangs in a sensor's driver."""

from collections.abc import Callable

from edge_daemon.governor.governor import Governor
from edge_daemon.journal.events import Event, Fault
from edge_daemon.tier import Tier

PATIENCE_S = 30.0
PATIENCE_POLLS = 3


class Watch:
    """Reports once that no poll has ended for long, and again after the next silence.

    Nothing else can be done about a read that does not return; the tier that runs stays, and the
    loop, which never waits for the governor, goes on.

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

    def check(self, now_ns: int, tier: Tier) -> None:
        """Look at the age of the last poll, on the governor's clock; `tier` runs now."""
        patience_s = max(PATIENCE_S, PATIENCE_POLLS * self._governor.poll_s)
        silent_s = (now_ns - (self._governor.polled_ns or self._started_ns)) / 1e9
        silent = silent_s > patience_s
        if silent and not self._reported:
            message = (
                f"no reading of the board for {silent_s:.0f} s: a sensor's driver hangs, and the "
                f"tier stays {tier}. Find the sensor with `edge-daemon devices`; a thermal zone "
                "can be left out with governor.limits.temperature.ignored_zones; then restart"
            )
            self._write(Fault(part="governor", message=message))
        self._reported = silent
