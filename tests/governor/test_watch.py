from edge_daemon.clock import VirtualClock
from edge_daemon.governor.governor import Governor, Order
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.watch import Watch
from edge_daemon.journal.events import Event, Fault
from edge_daemon.tier import Tier

SECOND = 1_000_000_000


class Calm:
    """Probes, swap and journal of a board on which nothing happens."""

    def read(self) -> Reading:
        return Reading(time_ns=0, cpu_foreign=0.1)

    def prepare(self) -> None:
        """Prepare nothing."""

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        """Take types of zones."""

    def request(self, tier: Tier, order: Order) -> None:
        """Take a request."""

    def write(self, event: Event) -> None:
        """Take an event."""


def make(limits: Limits) -> tuple[Watch, Governor, VirtualClock, list[Event]]:
    clock, calm, told = VirtualClock(5 * SECOND), Calm(), list[Event]()
    governor = Governor(calm, limits, calm, calm, clock=clock)
    return Watch(governor, told.append, clock()), governor, clock, told


def test_a_governor_that_polls_is_left_alone() -> None:
    watch, governor, clock, told = make(Limits())
    for _ in range(100):
        clock.advance_to(clock() + SECOND)
        governor.poll()
        assert watch.check(clock(), Tier.HIGH)
    assert told == []


def test_a_silent_one_is_reported_once_for_each_silence() -> None:
    watch, governor, clock, told = make(Limits())
    for _ in range(2):
        at_work = []
        for _ in range(60):
            clock.advance_to(clock() + SECOND)
            at_work.append(watch.check(clock(), Tier.MEDIUM))
        assert at_work == [True] * 30 + [False] * 30
        governor.poll()
        assert watch.check(clock(), Tier.MEDIUM)
    faults = [event for event in told if isinstance(event, Fault)]
    assert len(faults) == len(told) == 2
    assert all("no reading of the board for 31 s" in fault.message for fault in faults)
    assert all("stays medium" in fault.message for fault in faults)


def test_slow_polls_are_given_their_time() -> None:
    watch, _, clock, told = make(Limits(poll_min_s=60.0, poll_max_s=60.0))
    clock.advance_to(clock() + 179 * SECOND)
    watch.check(clock(), Tier.HIGH)
    assert told == []
    clock.advance_to(clock() + 2 * SECOND)
    watch.check(clock(), Tier.HIGH)
    assert len(told) == 1
