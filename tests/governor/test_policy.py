from collections.abc import Iterable
from itertools import pairwise

import pytest
from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits, Priorities, TemperatureLimits
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import TIERS, Tier
from tests.governor.sysroot import seconds

GOOD = Reading(
    time_ns=0,
    cpu_foreign=0.1,
    memory_available_mib=500.0,
    temperature_c=45.0,
    temperature_zone="cpu-thermal",
    temperature_limit_c=80.0,
    temperature_critical_c=110.0,
    absent=("battery", "throttle"),
)
ON_BATTERY = replace(GOOD, absent=("throttle",), battery_fraction=0.9, on_mains=False)
LIMITS = Limits()


class Run:
    """The policy fed one reading a second."""

    def __init__(self, tier: Tier, limits: Limits = LIMITS) -> None:
        self.state = PolicyState(tier)
        self.limits = limits
        self.now_s = 1000.0
        self.changes: list[tuple[float, Decision]] = []

    def read(self, reading: Reading, after_s: float = 1.0) -> Decision:
        self.now_s += after_s
        reading = replace(reading, time_ns=seconds(self.now_s))
        self.state, decision = decide(self.state, reading, PUBLISHED, self.limits)
        if decision.changed:
            self.changes.append((self.now_s, decision))
        return decision

    def hold(self, reading: Reading, for_s: float) -> Decision:
        decision = self.read(reading)
        for _ in range(round(for_s) - 1):
            decision = self.read(reading)
        return decision

    @property
    def tier(self) -> Tier:
        return self.state.tier


def bearable(readings: Iterable[Reading], tier: Tier = Tier.HIGH) -> Tier:
    run = Run(tier)
    for reading in readings:
        run.read(reading)
    return run.tier


@pytest.mark.parametrize(
    ("cpu", "tier"),
    [
        (0.00, "high"),
        (0.49, "high"),
        (0.50, "medium"),
        (0.69, "medium"),
        (0.70, "low"),
        (0.89, "low"),
        (0.90, "critical"),
        (1.00, "critical"),
    ],
)
def test_cpu_of_the_published_table_on_the_way_down(cpu: float, tier: str) -> None:
    assert bearable([replace(GOOD, cpu_foreign=cpu)] * 2) == tier


@pytest.mark.parametrize(
    ("cpu", "tier"),
    [
        (0.30, "high"),
        (0.31, "medium"),
        (0.60, "medium"),
        (0.61, "low"),
        (0.80, "low"),
        (0.81, "critical"),
    ],
)
def test_cpu_of_the_published_table_on_the_way_up(cpu: float, tier: str) -> None:
    assert bearable([replace(GOOD, cpu_foreign=cpu)] * 60, Tier.CRITICAL) == tier


@pytest.mark.parametrize(
    ("mib", "down", "up"),
    [
        (500.0, "high", "high"),
        (120.0, "high", "high"),
        (119.0, "high", "medium"),
        (80.5, "high", "medium"),
        (80.0, "medium", "medium"),
        (59.0, "medium", "low"),
        (40.0, "low", "low"),
        (29.0, "low", "critical"),
        (20.0, "critical", "critical"),
    ],
)
def test_memory_of_the_published_table(mib: float, down: str, up: str) -> None:
    reading = replace(GOOD, memory_available_mib=mib)
    assert bearable([reading] * 2) == down
    assert bearable([reading] * 60, Tier.CRITICAL) == up


@pytest.mark.parametrize(
    ("temperature_c", "down", "up"),
    [
        (60.0, "high", "high"),
        (69.0, "high", "medium"),
        (70.0, "medium", "medium"),
        (73.5, "medium", "low"),
        (74.0, "low", "low"),
        (74.5, "low", "critical"),
        (77.0, "critical", "critical"),
    ],
)
def test_temperature_counts_from_its_limit(temperature_c: float, down: str, up: str) -> None:
    reading = replace(GOOD, temperature_c=temperature_c)
    assert bearable([reading] * 2) == down
    assert bearable([reading] * 60, Tier.CRITICAL) == up


def test_the_limit_is_the_boards_or_the_configs_or_80() -> None:
    hot = replace(GOOD, temperature_c=75.0)
    assert bearable([hot] * 2) is Tier.LOW
    assert bearable([replace(hot, temperature_limit_c=99.0)] * 2) is Tier.HIGH
    assert bearable([replace(hot, temperature_limit_c=None)] * 2) is Tier.LOW
    run = Run(Tier.HIGH, Limits(temperature=TemperatureLimits(limit_c=90.0)))
    run.hold(hot, 2)
    assert run.tier == "high"


@pytest.mark.parametrize(
    ("fraction", "tier"), [(0.41, "high"), (0.40, "medium"), (0.20, "low"), (0.10, "critical")]
)
def test_battery_counts_off_the_mains_only(fraction: float, tier: str) -> None:
    reading = replace(ON_BATTERY, battery_fraction=fraction)
    assert bearable([reading] * 2) == tier
    assert bearable([replace(reading, on_mains=None)] * 2) == tier
    assert bearable([replace(reading, on_mains=True)] * 2) is Tier.HIGH


def test_the_worst_resource_decides_and_goes_straight_there() -> None:
    run = Run(Tier.HIGH)
    reading = replace(GOOD, cpu_foreign=0.55, memory_available_mib=35.0, temperature_c=71.0)
    decision = run.hold(reading, 2)
    assert (decision.previous, decision.tier) == (Tier.HIGH, Tier.LOW)
    assert (decision.resource, decision.rule) == ("memory", "memory_limit")
    assert decision.reason == (
        "available memory is 35 MiB, at or below the 40 MiB where medium ends"
    )


def test_one_bad_reading_moves_nothing() -> None:
    run = Run(Tier.HIGH)
    for _ in range(20):
        assert run.read(replace(GOOD, cpu_foreign=1.0)).rule == "cpu_pending"
        run.read(GOOD)
    assert run.changes == []


def test_two_bad_readings_in_a_row_move_it_whatever_their_resources() -> None:
    run = Run(Tier.HIGH)
    run.read(replace(GOOD, cpu_foreign=0.95))
    decision = run.read(replace(GOOD, memory_available_mib=70.0))
    assert (decision.tier, decision.resource) == (Tier.MEDIUM, "memory")


def test_a_reading_with_a_hole_does_not_end_the_count() -> None:
    run = Run(Tier.HIGH)
    run.read(replace(GOOD, cpu_foreign=0.95))
    run.read(replace(GOOD, cpu_foreign=None))
    assert run.read(replace(GOOD, cpu_foreign=0.95)).tier is Tier.CRITICAL


@pytest.mark.parametrize(
    ("change", "resource", "rule"),
    [
        ({"memory_available_mib": 15.9}, "memory", "memory_reserve"),
        ({"temperature_c": 105.0}, "temperature", "temperature_critical"),
        ({"throttled": ("under-voltage",)}, "power", "under_voltage"),
        ({"memory_pressure": 0.11}, "memory", "memory_stalled"),
    ],
)
def test_a_hard_limit_goes_to_critical_at_once_and_keeps_it_there(
    change: dict[str, object], resource: str, rule: str
) -> None:
    run = Run(Tier.HIGH)
    bad = replace(GOOD, **change)
    decision = run.read(bad)
    assert (decision.tier, decision.resource, decision.rule) == (Tier.CRITICAL, resource, rule)
    assert decision.next_up_s == 10.0
    assert run.hold(bad, 100).rule == rule
    assert run.tier == "critical"


def test_near_the_trip_point_counts_even_under_a_generous_limit() -> None:
    limits = Limits(temperature=TemperatureLimits(limit_c=130.0))
    run = Run(Tier.HIGH, limits)
    assert run.read(replace(GOOD, temperature_c=104.9)).tier is Tier.HIGH
    assert run.read(replace(GOOD, temperature_c=105.0)).tier is Tier.CRITICAL


def test_a_move_up_takes_one_tier_after_ten_seconds() -> None:
    run = Run(Tier.CRITICAL)
    run.hold(GOOD, 60)
    assert [(at_s - 1001, decision.tier) for at_s, decision in run.changes] == [
        (10.0, Tier.LOW),
        (20.0, Tier.MEDIUM),
        (30.0, Tier.HIGH),
    ]


def test_a_decision_explains_itself() -> None:
    run = Run(Tier.HIGH)
    run.hold(replace(GOOD, temperature_c=75.0), 2)
    waiting = run.read(GOOD)
    assert (waiting.rule, waiting.resource) == ("waiting", "temperature")
    assert waiting.next_up_ns == seconds(run.now_s + 10)
    up = run.hold(GOOD, 10)
    assert (up.rule, up.resource) == ("recovered", "temperature")
    assert up.reason == (
        "medium has been allowed for 10 s; distance to the thermal limit is 35.0 °C, "
        "medium begins at 10.0 °C"
    )
    assert up.next_up_s == 10.0
    run.hold(GOOD, 10)
    assert run.read(GOOD).rule == "top"
    assert run.read(GOOD).next_up_ns is None
    held = run.hold(replace(GOOD, cpu_foreign=0.65), 3)
    assert held.rule == "cpu_holds"
    assert held.reason == "foreign CPU load is 65 %, high begins at 30 %"


def test_the_wait_begins_again_after_every_break() -> None:
    run = Run(Tier.MEDIUM)
    for _ in range(20):
        run.hold(GOOD, 9)
        run.read(replace(GOOD, cpu_foreign=0.4))  # inside the gap: neither up nor down
    assert run.changes == []
    run.hold(GOOD, 11)
    assert run.tier == "high"


def test_a_value_inside_a_gap_changes_nothing() -> None:
    for tier in (Tier.HIGH, Tier.MEDIUM):
        run = Run(tier)
        run.hold(replace(GOOD, cpu_foreign=0.4), 1000)
        assert run.changes == []


def fail_once(run: Run) -> float:
    """Let it move up, drive it down at once, and return how long the next move up took."""
    while run.read(GOOD).tier is not Tier.HIGH:
        pass
    while run.read(replace(GOOD, cpu_foreign=0.55)).tier is Tier.HIGH:
        pass
    down_s = run.now_s
    while run.read(GOOD).tier is not Tier.HIGH:
        pass
    return run.now_s - down_s - 1


def test_each_move_up_that_fails_doubles_the_wait_up_to_ten_minutes() -> None:
    run = Run(Tier.MEDIUM, Limits(forget_s=7200.0, ups_per_hour=3600.0))
    assert [fail_once(run) for _ in range(8)] == [20, 40, 80, 160, 320, 600, 600, 600]


def test_a_failure_is_named_in_the_reason() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 11)
    down = run.hold(replace(GOOD, cpu_foreign=0.55), 2)
    assert down.reason.endswith("the last move up did not last")
    assert down.next_up_s == 20.0


def test_a_move_up_that_lasted_a_minute_did_not_fail() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 11)
    run.hold(GOOD, 60)
    down = run.hold(replace(GOOD, cpu_foreign=0.55), 2)
    assert down.next_up_s == 10.0


def test_failures_are_forgotten_one_every_ten_minutes() -> None:
    run = Run(Tier.MEDIUM)
    for _ in range(3):
        fail_once(run)
    assert run.state.failures == 3
    run.hold(GOOD, 600)
    assert run.state.failures == 2
    run.hold(GOOD, 1200)
    assert run.state.failures == 0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"cpu_foreign": None}, "unknown"),
        ({"memory_available_mib": None}, "unknown"),
        ({"temperature_c": None}, "unknown"),
        ({"absent": ("throttle",)}, "unknown"),
        ({"cpu_foreign": float("nan")}, "unknown"),
        ({"temperature_limit_c": float("nan")}, "unknown"),
        ({"failed": {"temperature": "EIO"}}, "unknown"),
        ({"throttled": ("throttled",)}, "throttled"),
        ({"throttled": ("frequency-capped",)}, "throttled"),
        ({"throttled": ("over-current",)}, "throttled"),
    ],
)
def test_what_is_unknown_or_slowed_forbids_moves_up_and_forces_none_down(
    change: dict[str, object], rule: str
) -> None:
    for tier in (Tier.CRITICAL, Tier.LOW, Tier.MEDIUM):
        run = Run(tier)
        assert run.hold(replace(GOOD, **change), 30).rule == rule
        assert run.tier is tier
    run = Run(Tier.HIGH)
    run.hold(replace(GOOD, **change), 30)
    assert run.tier == "high"


def test_what_stays_unknown_is_bad_news_in_the_long_run() -> None:
    run = Run(Tier.HIGH)
    lost = replace(GOOD, temperature_c=None, failed={"temperature": "EIO"})
    assert not run.hold(lost, 30).changed
    decision = run.read(lost)
    assert (decision.tier, decision.rule, decision.resource) == (Tier.LOW, "lost", "temperature")
    assert decision.reason == (
        "temperature could not be read for 30 s: EIO; no tier above low without it, unless "
        "governor.limits.ignored names it"
    )
    assert run.hold(lost, 1000).rule == "unknown"
    assert run.tier == "low"
    run.hold(GOOD, 11)
    assert run.tier == "medium"


def test_a_clock_that_goes_back_does_not_put_bad_news_off() -> None:
    run = Run(Tier.HIGH)
    lost = replace(GOOD, temperature_c=None, failed={"temperature": "EIO"})
    run.hold(lost, 10)
    run.now_s -= 500.0
    run.hold(lost, 31)
    assert run.tier == "low"


def test_a_hole_that_closes_in_time_is_forgotten() -> None:
    run = Run(Tier.HIGH)
    for _ in range(10):
        run.hold(replace(GOOD, cpu_foreign=None), 25)
        run.read(GOOD)
    assert run.changes == []


def test_an_ignored_signal_is_as_good_as_absent() -> None:
    broken = replace(
        ON_BATTERY, battery_fraction=None, failed={"battery": "EIO"}, throttled=("throttled",)
    )
    run = Run(Tier.CRITICAL, Limits(ignored=("battery", "throttle")))
    run.hold(broken, 60)
    assert run.tier == "high"
    state, _ = start(Tier.CRITICAL, broken, PUBLISHED, run.limits)
    assert state.tier == "high"


def test_the_soft_limit_of_a_3b_plus_alone_forbids_nothing() -> None:
    assert bearable([replace(GOOD, throttled=("soft-limit",))] * 60, Tier.LOW) is Tier.HIGH


def test_a_held_value_keeps_the_wait_going_but_lets_nothing_in() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 8)
    held = replace(GOOD, failed={"temperature": "EIO"})
    assert run.hold(held, 4).rule == "unknown"
    assert run.tier == "medium"
    assert run.read(GOOD).tier is Tier.HIGH


def test_a_held_value_still_drives_down() -> None:
    held = replace(GOOD, temperature_c=78.0, failed={"temperature": "EIO"})
    assert bearable([held] * 2) is Tier.CRITICAL


def test_what_is_absent_by_design_is_no_constraint() -> None:
    nothing = Reading(time_ns=0, absent=("cpu", "memory", "temperature", "battery", "throttle"))
    assert bearable([nothing] * 60, Tier.CRITICAL) is Tier.HIGH


def test_time_that_nobody_watched_does_not_count_as_waited() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 5)
    run.read(GOOD, after_s=3600.0)  # a suspend
    assert run.tier == "medium"
    run.hold(GOOD, 9)
    assert run.tier == "medium"
    run.read(GOOD)
    assert run.tier == "high"


def test_a_governor_that_is_starved_still_moves_down() -> None:
    run = Run(Tier.HIGH)
    for _ in range(2):
        run.read(replace(GOOD, cpu_foreign=1.0), after_s=30.0)
    assert run.tier == "critical"


def test_the_same_reading_twice_is_no_waiting() -> None:
    run = Run(Tier.MEDIUM)
    for _ in range(1000):
        run.read(GOOD, after_s=0.0)
    assert run.tier == "medium"


@pytest.mark.parametrize(
    ("change", "tier"),
    [
        ({}, "high"),
        ({"cpu_foreign": 0.4}, "medium"),
        ({"memory_available_mib": 35.0}, "low"),
        ({"cpu_foreign": 1.0}, "critical"),
        ({"cpu_foreign": None}, "low"),
        ({"failed": {"temperature": "EIO"}}, "low"),
        ({"cpu_foreign": None, "memory_available_mib": 25.0}, "critical"),
        ({"throttled": ("throttled",)}, "low"),
        ({"throttled": ("under-voltage",)}, "critical"),
    ],
)
def test_it_starts_where_the_first_reading_lets_it(change: dict[str, object], tier: str) -> None:
    state, decision = start(Tier.CRITICAL, replace(GOOD, **change), PUBLISHED, LIMITS)
    assert state.tier == decision.tier == tier
    assert decision.rule == "start"
    assert decision.reason


def test_a_move_up_that_cannot_be_loaded_counts_as_one_that_failed() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 11)
    assert run.tier == "high"
    run.state, decision = swap_failed(run.state, Tier.HIGH, Tier.MEDIUM, LIMITS)
    assert (decision.tier, decision.rule, decision.next_up_s) == (Tier.MEDIUM, "swap_failed", 20.0)
    assert decision.awaits == ("high can be made ready",)
    run.hold(GOOD, 20)
    assert run.tier == "medium"
    run.read(GOOD)
    assert run.tier == "high"


def test_a_move_down_that_cannot_be_loaded_goes_further_down() -> None:
    run = Run(Tier.HIGH)
    run.hold(replace(GOOD, cpu_foreign=0.55), 2)
    tiers = []
    failed = run.tier
    while failed is not Tier.CRITICAL:
        run.state, decision = swap_failed(run.state, failed, Tier.HIGH, LIMITS)
        failed = decision.tier
        tiers.append(decision.tier)
    assert tiers == [Tier.LOW, Tier.CRITICAL]
    assert run.state.failures == 0


def test_a_failure_of_a_tier_that_nobody_wants_any_more_changes_the_wait_only() -> None:
    run = Run(Tier.MEDIUM)
    run.hold(GOOD, 11)
    run.read(replace(GOOD, memory_available_mib=5.0))
    assert run.tier == "critical"
    failures = run.state.failures
    run.state, decision = swap_failed(run.state, Tier.HIGH, Tier.MEDIUM, LIMITS)
    assert not decision.changed
    assert run.tier == "critical"
    assert run.state.failures == failures + 1


def test_moves_up_are_rationed() -> None:
    run = Run(Tier.CRITICAL)
    for _ in range(3):  # all three moves that may be made at once
        run.hold(GOOD, 60)
        run.read(replace(GOOD, memory_available_mib=5.0))
    ups = [at_s for at_s, decision in run.changes if decision.rule == "recovered"]
    assert len(ups) == 3
    waiting = run.hold(GOOD, 20)
    assert waiting.rule == "waiting"
    assert waiting.reason.endswith("s to wait: at most 8 moves up an hour")
    assert waiting.next_up_ns is not None
    assert waiting.next_up_ns / 1e9 == pytest.approx(ups[0] + 3600 / 8, abs=1.0)
    run.hold(GOOD, 3600)
    after = [at_s for at_s, decision in run.changes if decision.rule == "recovered"][3:]
    assert after[0] == pytest.approx(waiting.next_up_ns / 1e9, abs=1.0)
    assert [b - a for a, b in pairwise(after)] == [450.0, 450.0]


def test_it_looks_again_soon_near_a_limit_and_later_with_room() -> None:
    run = Run(Tier.HIGH)
    assert run.hold(replace(GOOD, cpu_foreign=0.05), 20).poll_s == LIMITS.poll_max_s
    assert run.read(replace(GOOD, cpu_foreign=0.41)).poll_s == LIMITS.poll_min_s
    assert run.read(replace(GOOD, cpu_foreign=0.55)).poll_s == LIMITS.poll_min_s
    run = Run(Tier.HIGH)
    between = run.hold(replace(GOOD, cpu_foreign=0.25), 20).poll_s
    assert LIMITS.poll_min_s < between < LIMITS.poll_max_s
    pinned = Limits(poll_min_s=1.0, poll_max_s=1.0)
    assert Run(Tier.HIGH, pinned).read(GOOD).poll_s == 1.0


@pytest.mark.parametrize(
    ("field", "values", "left_s"),
    [
        ("memory_available_mib", [600.0 - 20.0 * second for second in range(21)], 120.0 / 20.0),
        ("temperature_c", [2.0 + 3.0 * second for second in range(21)], 8.0 / 3.0),
    ],
)
def test_it_looks_again_four_times_before_what_shrinks_is_used_up(
    field: str, values: list[float], left_s: float
) -> None:
    run = Run(Tier.HIGH)
    run.hold(replace(GOOD, **{field: values[-1]}), 20)
    still = run.read(replace(GOOD, **{field: values[-1]}))
    run = Run(Tier.HIGH)
    for value in values:
        moving = run.read(replace(GOOD, **{field: value}))
    assert still.poll_s == LIMITS.poll_max_s
    assert moving.tier is Tier.HIGH
    assert moving.poll_s == pytest.approx(left_s / 4.0, rel=0.15)


def test_a_decision_says_what_a_move_up_needs() -> None:
    run = Run(Tier.HIGH)
    bad = replace(GOOD, cpu_foreign=0.75, temperature_c=69.0)
    down = run.hold(bad, 2)
    assert down.binding == Margin(Tier.MEDIUM, "foreign_load", 0.75, 0.6, 0.7)
    assert down.needs == (Margin(Tier.MEDIUM, "foreign_load", 0.75, 0.6, 0.7),)
    assert down.needs[0].wants() == "foreign CPU load is 75 % and must be at most 60 % for medium"
    held = run.hold(replace(bad, cpu_foreign=0.2), 15)
    assert (held.tier, held.rule) == (Tier.MEDIUM, "temperature_holds")
    assert held.binding == Margin(Tier.HIGH, "thermal_distance", 11.0, 14.0, 10.0)
    assert held.needs == (held.binding,)
    assert (held.awaits, held.next_up_s, held.wait_s) == ((), 10.0, 10.0)


def test_a_margin_that_is_not_used_up_for_long_enough_says_what_a_move_up_needs() -> None:
    run = Run(Tier.MEDIUM)
    pending = run.read(replace(GOOD, cpu_foreign=0.75))
    assert (pending.tier, pending.rule) == (Tier.MEDIUM, "cpu_pending")
    assert [need.wants() for need in pending.needs] == [
        "foreign CPU load is 75 % and must be at most 30 % for high"
    ]
    assert (pending.next_up_s, pending.wait_s) == (10.0, 10.0)


@pytest.mark.parametrize(
    ("change", "awaits", "short"),
    [
        ({"memory_available_mib": 10.0}, (), ["memory"]),
        ({"memory_pressure": 0.2}, ("everything waits for memory at most 10 % of the time",), []),
        (
            {"temperature_c": 106.0},
            ("cpu-thermal is below 105 °C",),
            ["temperature"],
        ),
        ({"throttled": ("under-voltage",)}, ("the firmware no longer reports under-voltage",), []),
        (
            {"throttled": ("throttled", "frequency-capped")},
            ("the firmware no longer reports throttled or frequency-capped",),
            [],
        ),
        ({"cpu_foreign": None}, ("cpu can be read again",), []),
        (
            {"temperature_c": None, "failed": {"temperature": "EIO", "battery": "EIO"}},
            ("battery can be read again", "temperature can be read again"),
            [],
        ),
        ({"failed": {"temperature": "EIO"}}, ("temperature can be read again",), []),
        (
            {"cpu_foreign": 0.95, "memory_pressure": 0.2, "throttled": ("under-voltage",)},
            (
                "everything waits for memory at most 10 % of the time",
                "the firmware no longer reports under-voltage",
            ),
            ["cpu"],
        ),
    ],
)
@pytest.mark.parametrize("tier", [Tier.HIGH, Tier.CRITICAL])
def test_all_that_stands_against_a_move_up_is_told_in_every_tier_below_high(
    change: dict[str, object], awaits: tuple[str, ...], short: list[str], tier: Tier
) -> None:
    run = Run(tier)
    decision = run.hold(replace(GOOD, **change), 40)
    if decision.tier is Tier.HIGH:
        assert (decision.awaits, decision.needs, decision.next_up_ns) == ((), (), None)
        return
    assert decision.awaits == awaits
    assert [need.resource for need in decision.needs] == short
    # A value that is held keeps the stretch: nothing is left to wait for.
    held = change == {"failed": {"temperature": "EIO"}}
    assert (decision.next_up_s, decision.wait_s) == ((0.0, 0.0) if held else (10.0, 10.0))


def test_a_wait_that_has_begun_says_what_must_stay_so() -> None:
    run = Run(Tier.LOW)
    run.read(GOOD)
    waiting = run.read(GOOD)
    assert (waiting.rule, waiting.awaits) == ("waiting", ("medium stays allowed",))
    assert (waiting.next_up_s, waiting.wait_s) == (9.0, 0.0)
    up = run.hold(GOOD, 9)
    assert (up.tier, up.rule, up.awaits) == (Tier.MEDIUM, "recovered", ("high stays allowed",))
    assert (up.next_up_s, up.wait_s) == (10.0, 0.0)


def test_the_way_up_has_failures_and_the_ration_in_it() -> None:
    run = Run(Tier.MEDIUM, Limits(forget_s=7200.0))
    assert fail_once(run) == 20.0
    held = run.hold(replace(GOOD, cpu_foreign=0.55), 2)
    assert (held.next_up_s, held.wait_s) == (40.0, 40.0)
    while run.state.ups >= 1.0:  # of three moves up that may follow on each other
        run.hold(GOOD, 45)
        held = run.hold(replace(GOOD, cpu_foreign=0.55), 2)
    assert held.next_up_s is not None
    assert held.next_up_s > held.wait_s
    assert held.next_up_s == pytest.approx((1.0 - run.state.ups) * 450.0)


@pytest.mark.parametrize(
    ("change", "tier", "awaits", "short"),
    [
        ({}, Tier.HIGH, (), []),
        ({"cpu_foreign": 0.65}, Tier.LOW, (), ["cpu"]),
        (
            {"throttled": ("throttled",)},
            Tier.LOW,
            ("the firmware no longer reports throttled",),
            [],
        ),
        ({"sound": False, "cpu_foreign": 0.65}, Tier.LOW, ("sound arrives",), ["cpu"]),
    ],
)
def test_the_start_says_what_a_move_up_takes(
    change: dict[str, object], tier: Tier, awaits: tuple[str, ...], short: list[str]
) -> None:
    _, decision = start(Tier.CRITICAL, replace(GOOD, **change), PUBLISHED, LIMITS)
    assert (decision.tier, decision.awaits) == (tier, awaits)
    assert [need.resource for need in decision.needs] == short
    assert decision.next_up_s == (None if tier is Tier.HIGH else 10.0)


@pytest.mark.parametrize(
    ("priorities", "top"),
    [
        (Priorities(sound=0.0), "low"),
        (Priorities(sound=0.0, picture=0.0), "critical"),
        (Priorities(picture=0.0), "high"),
    ],
)
def test_a_part_of_the_input_that_is_worth_nothing_is_not_paid_for(
    priorities: Priorities, top: str
) -> None:
    limits = Limits(priorities=priorities)
    run = Run(Tier.CRITICAL, limits)
    run.hold(GOOD, 100)
    assert run.tier == top
    last = run.read(GOOD)
    assert (last.rule, last.needs, last.awaits, last.next_up_ns) == ("top", (), (), None)
    assert start(Tier.CRITICAL, GOOD, PUBLISHED, limits)[1].tier == top
    # A reload may find a tier running that is not worth it any more.
    run = Run(Tier.HIGH, limits)
    run.hold(GOOD, 100)
    assert run.tier == top


def test_every_tier_can_be_reached_and_left() -> None:
    run = Run(Tier.HIGH)
    for cpu, tier in ((0.55, "medium"), (0.75, "low"), (0.95, "critical")):
        run.hold(replace(GOOD, cpu_foreign=cpu), 2)
        assert run.tier == tier
    run.hold(GOOD, 2000)
    assert {decision.tier for _, decision in run.changes} == set(TIERS)
