"""A recording that a real governor wrote decides the same again, whatever happened meanwhile."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.governor import Governor, Order
from edge_daemon.governor.limits import CpuLimits, Limits
from edge_daemon.governor.policy import decide
from edge_daemon.governor.profile import PUBLISHED, Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.record import FORMAT, Header, Recorder, Settings
from edge_daemon.governor.state import PolicyState
from edge_daemon.journal.events import Event
from edge_daemon.review.opening import open_trace
from edge_daemon.review.rerun import Replayed, rerun
from edge_daemon.review.trace import Begin, Moment, Step
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import seconds
from tests.governor.test_policy import GOOD

MEASURED = replace(PUBLISHED, measured=True)
QUICK = Limits(up_after_s=3.0, ups_per_hour=3600.0)


class Board:
    """A governor on a board that the test plays, with a recorder."""

    def __init__(self, path: Path, profile: Profile = PUBLISHED, limits: Limits = QUICK) -> None:
        self.clock = VirtualClock(seconds(500))
        self.next = GOOD
        self.recorder = Recorder(
            path,
            Header(FORMAT, "0", "board", "bundle", "00", Tier.CRITICAL),
            max_bytes=1 << 24,
            on_end=lambda why: pytest.fail(why),
            wall_clock=self.clock,
        )
        self.governor = Governor(
            self,
            limits,
            self,
            self,
            clock=self.clock,
            profile=profile,
            record=self.recorder,
        )

    def read(self) -> Reading:
        return replace(self.next, time_ns=self.clock())

    def prepare(self) -> None: ...

    def ignore_zones(self, types: tuple[str, ...]) -> None: ...

    def request(self, tier: Tier, order: Order) -> None: ...

    def write(self, event: Event) -> None: ...

    def poll(self, reading: Reading | None = None, times: int = 1) -> None:
        self.next = reading or self.next
        for _ in range(times):
            self.clock.advance_to(self.clock() + round(self.governor.poll_s * 1e9))
            self.governor.poll()


def replayed(path: Path, limits: Limits | None = None) -> list[Replayed]:
    return list(rerun(open_trace(path).steps, limits))


def changed(polls: list[Replayed]) -> list[Replayed]:
    return [poll for poll in polls if poll.tier is not poll.decision.tier]


@pytest.mark.parametrize("profile", [PUBLISHED, MEASURED], ids=["published", "measured"])
@pytest.mark.parametrize("seed", range(4))
def test_what_was_recorded_is_decided_again(tmp_path: Path, seed: int, profile: Profile) -> None:
    board, draw = Board(tmp_path / "r.jsonl", profile), random.Random(seed)
    load = 0.2
    for _ in range(1500):
        load = min(1.0, max(0.0, load + draw.gauss(0, 0.08)))
        reading = replace(
            GOOD,
            cpu_foreign=None if draw.random() < 0.02 else round(load, 4),
            memory_available_mib=draw.uniform(10, 300) if draw.random() < 0.05 else 400.0,
            temperature_c=45.0 + 30.0 * load,
            failed={"memory": "EIO"} if draw.random() < 0.02 else {},
            cycle_ms=draw.uniform(5, 60),
            cycle_tier=draw.choice(TIERS),
            cycles=draw.randrange(20),
        )
        board.poll(reading)
        event = draw.random()
        if event < 0.01:
            board.governor.pin(draw.choice(TIERS))
        elif event < 0.04:
            board.governor.pin(None)
        elif event < 0.06:
            board.governor.swap_failed(draw.choice(TIERS[1:]))
        elif event < 0.07:
            board.governor.set_limits(replace(QUICK, down_polls=draw.randrange(1, 5)))
        elif event < 0.075:  # a suspend
            board.clock.advance_to(board.clock() + seconds(3600))
    board.recorder.close()
    polls = replayed(board.recorder._path)
    assert len(polls) > 700
    assert changed(polls) == []
    assert [poll.rule for poll in polls] == [poll.decision.rule for poll in polls]
    assert {poll.tier for poll in polls} == set(TIERS)


def test_other_limits_decide_otherwise_where_they_bind(tmp_path: Path) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(times=10)
    board.poll(replace(GOOD, cpu_foreign=0.55), times=30)
    board.recorder.close()
    lenient = replace(QUICK, cpu=CpuLimits(high_enter=0.4, high_leave=0.58))
    polls = replayed(board.recorder._path, lenient)
    differ = changed(polls)
    assert {(poll.tier, poll.decision.tier) for poll in differ} == {(Tier.MEDIUM, Tier.HIGH)}
    assert differ[0].rule == "cpu_limit"
    assert len(differ) == 29  # all but the pending one of the thirty


def test_each_run_of_a_file_begins_anew(tmp_path: Path) -> None:
    for _ in range(3):
        board = Board(tmp_path / "r.jsonl")
        board.poll(replace(GOOD, cpu_foreign=0.65), times=5)
        board.recorder.close()
    polls = replayed(tmp_path / "r.jsonl")
    assert [poll.run for poll in polls] == [1] * 5 + [2] * 5 + [3] * 5
    assert [poll.decision.rule for poll in polls[::5]] == ["start"] * 3
    assert changed(polls) == []


def test_a_start_that_waits_for_a_complete_reading_is_waited_for(tmp_path: Path) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(replace(GOOD, cpu_foreign=None), times=2)
    board.poll(GOOD, times=3)
    board.recorder.close()
    polls = replayed(tmp_path / "r.jsonl")
    assert [poll.rule for poll in polls] == ["start", "top", "top"]
    assert changed(polls) == []


def steps(*readings: Reading, hold_s: float, tier: Tier | None = None) -> Iterator[Begin | Moment]:
    yield Begin()
    for reading in readings:
        yield Moment(reading, reading.time_ns + seconds(hold_s), tier=tier)


def test_a_reading_that_holds_is_polled_at_the_pace_of_the_decisions() -> None:
    limits = replace(QUICK, poll_min_s=0.5, poll_max_s=0.5)
    polls = list(rerun(steps(GOOD, hold_s=10.0), limits))
    assert [poll.time_ns for poll in polls] == [seconds(0.5 * number) for number in range(20)]
    assert [poll.tier for poll in polls] == [None] * 20


def test_what_is_counted_from_poll_to_poll_is_not_repeated() -> None:
    """A slow window that was seen once says less than one that is seen every time."""
    slow = replace(GOOD, cycle_ms=200.0, cycle_tier=Tier.HIGH, cycles=20)
    seen: list[Reading] = []

    def spy(
        state: PolicyState, reading: Reading, profile: Profile, limits: Limits
    ) -> tuple[PolicyState, Decision]:
        seen.append(reading)
        return decide(state, reading, profile, limits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge_daemon.review.rerun.decide", spy)
        list(rerun(steps(slow, hold_s=10.0), QUICK, MEASURED))
    assert seen
    assert {(reading.cycles, reading.cycle_ms) for reading in seen} == {(0, None)}


def test_a_trace_that_begins_amid_a_run_goes_on_from_the_tier_that_ran() -> None:
    busy = replace(GOOD, cpu_foreign=0.65)
    (first, *_) = rerun(steps(busy, hold_s=0.0, tier=Tier.MEDIUM))
    assert (first.decision.tier, first.decision.previous) == (Tier.MEDIUM, Tier.MEDIUM)
    (first, *_) = rerun(steps(busy, hold_s=0.0))
    assert (first.decision.tier, first.decision.rule) == (Tier.LOW, "start")


def test_nothing_is_carried_from_one_run_to_the_next() -> None:
    busy = replace(GOOD, cpu_foreign=0.65)
    two = [*steps(GOOD, hold_s=0.0), *steps(busy, hold_s=0.0)]
    assert [poll.decision.rule for poll in rerun(two)] == ["start", "start"]
    assert [poll.run for poll in rerun(two)] == [1, 2]


def test_given_settings_win_over_recorded_ones() -> None:
    trace: list[Step] = [
        Begin(),
        Settings(PUBLISHED, replace(QUICK, cpu=CpuLimits(high_enter=0.05, high_leave=0.07))),
        Moment(GOOD, 0, None, Tier.HIGH),
    ]
    (recorded,) = rerun(trace)
    assert recorded.decision.rule == "cpu_pending"
    (given,) = rerun(trace, Limits())
    assert given.decision.rule == "top"
