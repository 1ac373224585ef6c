"""The newest `reading` line explains the present state; what is recorded is what was decided."""

from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.governor import Governor
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import ReadingEvent
from edge_daemon.tier import Tier
from tests.governor.test_governor import Desk
from tests.governor.test_policy import GOOD

BUSY = replace(GOOD, cpu_foreign=0.45)


class Clerk:
    """Notes what the governor records."""

    def __init__(self) -> None:
        self.polls: list[tuple[Reading, Decision | None, Tier, Limits]] = []
        self.failed: list[Tier] = []

    def poll(
        self,
        reading: Reading,
        decision: Decision | None,
        tier: Tier,
        profile: Profile,
        limits: Limits,
    ) -> None:
        self.polls.append((reading, decision, tier, limits))

    def swap_failed(self, tier: Tier) -> None:
        self.failed.append(tier)


def events(desk: Desk) -> list[ReadingEvent]:
    return [event for event in desk.events if isinstance(event, ReadingEvent)]


def recording(desk: Desk) -> Clerk:
    """Give the desk a governor that records."""
    clerk = Clerk()
    desk.governor = Governor(desk, Limits(), desk, desk, clock=desk.clock, record=clerk)
    return clerk


def test_a_reading_line_carries_the_decision() -> None:
    desk = Desk()
    desk.poll()
    (event,) = events(desk)
    assert event.decision == desk.governor.decision
    assert event.decision is not None
    assert event.decision.rule == "start"
    assert event.tier is Tier.HIGH


def test_a_new_rule_or_resource_is_written_within_five_seconds() -> None:
    desk = Desk(reading_every_s=3600.0)
    desk.poll(times=10)
    rules = [event.decision.rule for event in events(desk) if event.decision is not None]
    assert rules == ["start", "top"]
    desk.poll(replace(GOOD, cpu_foreign=0.65), times=10)
    last = events(desk)[-1].decision
    assert last is not None
    assert (last.rule, last.resource) == ("cpu_holds", "cpu")
    assert last.needs != ()


def test_the_newest_line_is_never_far_behind_and_lines_are_few() -> None:
    """Whatever flaps: at most a line in five seconds, and the newest has the present rule."""
    desk = Desk(reading_every_s=3600.0)
    for number in range(120):
        desk.poll(BUSY if number % 2 else replace(GOOD, memory_available_mib=100.0))
    assert len(events(desk)) <= 120 / 5 + 1
    desk.poll(replace(GOOD, cpu_foreign=0.65), times=7)
    now, written = desk.governor.decision, events(desk)[-1].decision
    assert now is not None
    assert written is not None
    assert (now.rule, now.resource) == (written.rule, written.resource)


def test_nothing_is_written_early_while_nothing_changes() -> None:
    desk = Desk(reading_every_s=3600.0)
    desk.poll(times=10)
    before = len(events(desk))
    desk.poll(times=300)
    assert len(events(desk)) == before


def test_a_pinned_tier_has_no_decision_in_its_lines() -> None:
    desk = Desk(pinned=Tier.LOW)
    desk.poll(times=5)
    (event,) = events(desk)
    assert (event.tier, event.decision) == (Tier.LOW, None)


def test_every_poll_is_recorded_with_what_it_was_decided_by() -> None:
    desk = Desk()
    clerk = recording(desk)
    desk.poll(times=3)
    other = Limits(down_polls=7)
    desk.governor.set_limits(other)
    desk.governor.swap_failed(Tier.HIGH)
    desk.poll()
    desk.governor.pin(Tier.LOW)
    desk.poll()
    assert [tier for *_, tier, _ in clerk.polls] == ["high"] * 3 + ["critical", "low"]
    assert [limits for *_, limits in clerk.polls] == [Limits()] * 3 + [other] * 2
    assert [decision is None for _, decision, *_ in clerk.polls] == [False] * 4 + [True]
    assert clerk.failed == [Tier.HIGH]
    assert clerk.polls[-1][0] == desk.governor.reading
