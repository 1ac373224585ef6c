from dataclasses import replace as settings_with

import pytest
from msgspec.structs import replace

from edge_daemon.governor.firmware import THROTTLED
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier
from tools.simulation.policies.table import (
    HASTY,
    PatientSettings,
    PatientTable,
    RawSettings,
    RawTable,
)

PLENTY = Reading(
    time_ns=0,
    cpu_foreign=0.1,
    cpu_own=0.05,
    memory_available_mib=400.0,
    temperature_c=40.0,
    temperature_limit_c=80.0,
    temperature_critical_c=95.0,
)


def at(second: float, **values: object) -> Reading:
    return replace(PLENTY, time_ns=round(second * 1e9), **values)


@pytest.mark.parametrize(
    ("total", "tier"),
    [(0.39, Tier.HIGH), (0.41, Tier.MEDIUM), (0.66, Tier.LOW), (0.86, Tier.CRITICAL)],
)
def test_the_raw_table_goes_by_totals(total: float, tier: Tier) -> None:
    policy = RawTable(RawSettings(0.5, 0.5))
    assert policy.next(at(1, cpu_foreign=total - 0.2, cpu_own=0.2))[0] is tier


@pytest.mark.parametrize(
    ("mib", "tier"),
    [(101.0, Tier.HIGH), (99.0, Tier.MEDIUM), (49.0, Tier.LOW), (24.0, Tier.CRITICAL)],
)
def test_the_raw_table_cuts_the_gaps(mib: float, tier: Tier) -> None:
    assert RawTable(RawSettings()).next(at(1, memory_available_mib=mib))[0] is tier
    good = RawTable(RawSettings(memory_cut=0.0)).next(at(1, memory_available_mib=119.0))[0]
    bad = RawTable(RawSettings(memory_cut=1.0)).next(at(1, memory_available_mib=81.0))[0]
    assert (good, bad) == (Tier.MEDIUM, Tier.HIGH)


def test_it_begins_with_what_everything_lets_in() -> None:
    assert PatientTable(PatientSettings()).first(at(0)) is Tier.HIGH
    assert PatientTable(PatientSettings()).first(at(0, cpu_foreign=0.59)) is Tier.MEDIUM
    assert PatientTable(PatientSettings()).first(at(0, temperature_c=75.0)) is Tier.CRITICAL


def test_within_a_gap_nothing_changes() -> None:
    policy = PatientTable(HASTY)
    policy.first(at(0))
    assert policy.next(at(1, cpu_foreign=0.49))[0] is Tier.HIGH
    assert policy.next(at(2, cpu_foreign=0.5))[0] is Tier.MEDIUM
    assert policy.next(at(3, cpu_foreign=0.31))[0] is Tier.MEDIUM
    assert policy.next(at(4, cpu_foreign=0.30))[0] is Tier.HIGH


def test_two_readings_drive_down_and_one_alarm() -> None:
    policy = PatientTable(PatientSettings())
    policy.first(at(0))
    assert policy.next(at(1, cpu_foreign=0.95))[0] is Tier.HIGH
    assert policy.next(at(2))[0] is Tier.HIGH
    assert policy.next(at(3, cpu_foreign=0.95))[0] is Tier.HIGH
    assert policy.next(at(4, cpu_foreign=0.95))[0] is Tier.CRITICAL
    alarmed = PatientTable(PatientSettings())
    alarmed.first(at(0))
    assert alarmed.next(at(1, memory_available_mib=15.0))[0] is Tier.CRITICAL
    boiling = PatientTable(PatientSettings())
    boiling.first(at(0))
    assert boiling.next(at(1, temperature_c=90.0))[0] is Tier.CRITICAL


def ups(policy: PatientTable, seconds: range, **values: object) -> list[int]:
    """Return at which seconds it moves up while everything is fine."""
    found, before = [], None
    for second in seconds:
        tier = policy.next(at(second, **values))[0]
        if before is not None and tier.rank > before.rank:
            found.append(second)
        before = tier
    return found


def test_up_goes_one_tier_after_a_while() -> None:
    policy = PatientTable(PatientSettings(up_after_s=10.0))
    policy.first(at(0, cpu_foreign=0.95))
    assert ups(policy, range(1, 60)) == [11, 22, 33]


def test_a_move_up_that_fails_doubles_the_wait_until_it_is_forgotten() -> None:
    rules = PatientSettings(up_after_s=10.0, forget_s=100.0)
    policy = PatientTable(settings_with(rules))
    policy.first(at(0, cpu_foreign=0.75))  # low
    assert ups(policy, range(1, 13), cpu_foreign=0.59) == [11]
    for second in (13, 14):
        policy.next(at(second, cpu_foreign=0.72))
    assert ups(policy, range(15, 60), cpu_foreign=0.59) == [35]
    for second in (150, 151):
        policy.next(at(second, cpu_foreign=0.72))
    assert ups(policy, range(152, 170), cpu_foreign=0.59) == [162]


def test_what_is_not_known_or_slowed_lets_nothing_in() -> None:
    for values in ({"failed": {"cpu": "gone"}}, {"throttled": (THROTTLED,)}):
        policy = PatientTable(PatientSettings())
        policy.first(at(0, cpu_foreign=0.59))
        assert ups(policy, range(1, 60), **values) == []


def test_the_charge_counts_off_the_mains() -> None:
    low = {"battery_fraction": 0.25}
    assert PatientTable(PatientSettings()).first(at(0, on_mains=False, **low)) is Tier.LOW
    assert PatientTable(PatientSettings()).first(at(0, on_mains=True, **low)) is Tier.HIGH
