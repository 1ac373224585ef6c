import math

import pytest
from msgspec.structs import replace

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.policy import decide, start
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tools.simulation.board import Board
from tools.simulation.policies.alert import Alert, AlertSettings
from tools.simulation.policies.needs import free_with_mib, own_load
from tools.simulation.policies.ours import Ours, OursSettings
from tools.simulation.policies.planned import Planned
from tools.simulation.policies.schedutil import Schedutil, SchedutilSettings
from tools.simulation.policies.spare import Spare, SpareSettings
from tools.simulation.policies.static import Static

BOARD = Board()
PROFILE = BOARD.profile()
PLENTY = Reading(
    time_ns=0,
    cpu_foreign=0.1,
    cpu_own=0.05,
    memory_available_mib=400.0,
    temperature_c=40.0,
    temperature_limit_c=80.0,
    temperature_critical_c=95.0,
    absent=("battery",),
)


def at(second: float, **values: object) -> Reading:
    return replace(PLENTY, time_ns=round(second * 1e9), **values)


@pytest.mark.parametrize("tier", TIERS)
def test_static_stays(tier: Tier) -> None:
    policy = Static(tier)
    assert policy.first(at(0)) is tier
    assert policy.next(at(1, memory_available_mib=0.0)) == (tier, 1.0)


def test_a_plan_is_kept_to_the_second() -> None:
    policy = Planned([0, 3, 1])
    assert policy.first(at(0.25)) is Tier.CRITICAL
    assert policy.next(at(0.25))[1] == pytest.approx(0.75)
    assert policy.next(at(1.0)) == (Tier.HIGH, 1.0)
    assert policy.next(at(9.0))[0] is Tier.LOW


def test_schedutil_keeps_a_fifth_of_the_cores() -> None:
    high = own_load(PROFILE, Tier.HIGH)
    for foreign, tier in ((0.79 - high, Tier.HIGH), (0.81 - high, Tier.MEDIUM)):
        assert Schedutil(PROFILE, SchedutilSettings()).first(at(0, cpu_foreign=foreign)) is tier
    assert Schedutil(PROFILE, SchedutilSettings()).first(at(0, cpu_foreign=0.99)) is Tier.CRITICAL


def test_schedutil_waits_between_changes_and_minds_memory() -> None:
    policy = Schedutil(PROFILE, SchedutilSettings(hold_s=10.0))
    assert policy.first(at(0)) is Tier.HIGH
    assert policy.next(at(5, cpu_foreign=0.99))[0] is Tier.HIGH
    assert policy.next(at(10, cpu_foreign=0.99))[0] is Tier.CRITICAL
    tight = Schedutil(PROFILE, SchedutilSettings())
    # From `critical`, `high` needs 104 MiB more, and 16 must be left.
    assert tight.first(at(0, memory_available_mib=119.0)) is Tier.MEDIUM
    assert Schedutil(PROFILE, SchedutilSettings()).first(at(0, memory_available_mib=121.0)) is (
        Tier.HIGH
    )


def test_memory_is_foreseen_from_the_tier_that_runs() -> None:
    reading = at(0, memory_available_mib=50.0)
    assert free_with_mib(PROFILE, reading, Tier.HIGH, Tier.CRITICAL) == pytest.approx(154.0)
    assert free_with_mib(PROFILE, reading, Tier.LOW, Tier.MEDIUM) == pytest.approx(20.0)
    unknown = at(0, memory_available_mib=None)
    assert free_with_mib(PROFILE, unknown, Tier.LOW, Tier.HIGH) == math.inf


def test_a_tenth_of_everything_stays_free() -> None:
    high = own_load(PROFILE, Tier.HIGH)

    def first(**values: object) -> Tier:
        return Spare(PROFILE, 1024.0, SpareSettings()).first(at(0, **values))

    assert first(cpu_foreign=0.89 - high) is Tier.HIGH
    assert first(cpu_foreign=0.91 - high) is Tier.MEDIUM
    assert first(memory_available_mib=104.0 + 101.0) is Tier.MEDIUM
    assert first(memory_available_mib=104.0 + 104.0) is Tier.HIGH
    assert first(temperature_c=71.0) is Tier.HIGH
    assert first(temperature_c=73.0) is Tier.CRITICAL


def test_spare_smooths_and_holds() -> None:
    policy = Spare(PROFILE, 1024.0, SpareSettings(smoothing=0.5, hold_s=20.0))
    assert policy.first(at(0)) is Tier.HIGH
    assert policy.next(at(1, cpu_foreign=0.9))[0] is Tier.HIGH  # 0.5 in the mean
    assert policy.next(at(2, cpu_foreign=0.95))[0] is Tier.MEDIUM
    assert policy.next(at(3, cpu_foreign=0.0))[0] is Tier.MEDIUM  # too soon after the start
    assert policy.next(at(21, cpu_foreign=0.0))[0] is Tier.HIGH


def test_alert_learns_one_slowdown_for_all_tiers() -> None:
    policy = Alert(PROFILE, AlertSettings(process=0.001))
    assert policy.first(at(0)) in TIERS
    for second in range(1, 30):  # `low` takes 12.5 ms: one and a half times that
        tier, _ = policy.next(at(second, cycle_ms=18.75, cycle_tier=Tier.LOW, cycles=25))
    assert tier is Tier.MEDIUM  # 27 ms; `high` would take 49 ms
    for second in range(30, 60):
        tier, _ = policy.next(at(second, cycle_ms=9.3, cycle_tier=Tier.CRITICAL, cycles=25))
    assert tier is Tier.HIGH


def test_alert_weighs_accuracy_by_the_chance_to_be_on_time() -> None:
    policy = Alert(PROFILE, AlertSettings(process=1e-6, measurement=1e-3))
    slow = BOARD.deadline_ms / BOARD.tiers[Tier.HIGH].cycle_ms  # on time half of the time
    for second in range(60):
        cycle_ms = slow * BOARD.tiers[Tier.LOW].cycle_ms
        tier, _ = policy.next(at(second, cycle_ms=cycle_ms, cycle_tier=Tier.LOW, cycles=25))
    assert tier is Tier.MEDIUM


@pytest.mark.parametrize(
    ("mib", "tier"), [(400.0, Tier.HIGH), (119.0, Tier.MEDIUM), (10.0, Tier.CRITICAL)]
)
def test_alert_runs_only_what_fits(mib: float, tier: Tier) -> None:
    policy = Alert(PROFILE, AlertSettings(process=0.001))
    quick = {"cycle_ms": 9.3, "cycle_tier": Tier.CRITICAL, "cycles": 25}
    for second in range(30):  # learns while nothing else fits
        policy.next(at(second, memory_available_mib=0.0, **quick))
    assert policy.next(at(30, memory_available_mib=mib, **quick))[0] is tier


def test_ours_is_the_daemons_policy() -> None:
    policy, limits = Ours(PROFILE, OursSettings()), Limits()
    readings = [
        at(
            second,
            cpu_foreign=foreign,
            memory_available_mib=mib,
            cycle_ms=19.0,
            cycle_tier=Tier.MEDIUM,
            cycles=25,
        )
        for second, (foreign, mib) in enumerate([(0.1, 400.0)] * 60 + [(0.95, 5.0)] * 9)
    ]
    state, decision = start(Tier.CRITICAL, readings[0], PROFILE, limits)
    assert policy.first(readings[0]) is decision.tier
    seen = set()
    for reading in readings[1:]:
        state, decision = decide(state, reading, PROFILE, limits)
        assert policy.next(reading) == (decision.tier, decision.poll_s)
        seen.add(decision.tier)
    assert len(seen) > 1


def test_ours_can_do_without_parts() -> None:
    # With 45 % of others' load and 20 % of its own, the published table lets in `medium` but for
    # one that takes its own load for others'.
    busy = at(0, cpu_foreign=0.45, cpu_own=0.2)
    seen = [
        Ours(PROFILE, OursSettings(profiled=False, without_own=without)).first(busy)
        for without in (False, True)
    ]
    assert seen == [Tier.MEDIUM, Tier.LOW]
    plain, blind = (
        Ours(PROFILE, OursSettings(without_cycles=without)) for without in (False, True)
    )
    tiers = []
    for policy in (plain, blind):
        policy.first(at(0))
        for second in range(1, 20):  # windows take twice what they should
            tier, _ = policy.next(at(second, cycle_ms=65.6, cycle_tier=Tier.HIGH, cycles=25))
        tiers.append(tier)
    assert tiers[0].rank < tiers[1].rank
