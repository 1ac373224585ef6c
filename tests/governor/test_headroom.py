import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from edge_daemon.governor.headroom import Headroom, headroom, room, tier_for
from edge_daemon.governor.limits import (
    BatteryLimits,
    CpuLimits,
    Limits,
    MemoryLimits,
    TemperatureLimits,
    disorder,
)
from edge_daemon.governor.policy import start
from edge_daemon.governor.pressure import alarm, pressures, unknown
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier
from tests.governor.test_policy import GOOD, LIMITS, ON_BATTERY
from tests.governor.test_policy_properties import plausible_readings, wild_readings

ALL = Headroom(cpu=1.0, memory=1.0, energy=1.0, thermal=1.0)
THIRDS = (0.0, 1 / 3, 2 / 3, 1.0)
EDGES = {
    "cpu_foreign": (0.9, 0.7, 0.5, 0.3),
    "memory_available_mib": (20.0, 40.0, 80.0, 120.0),
    "battery_fraction": (0.1, 0.2, 0.4, 0.5),
    "temperature_c": (77.0, 74.0, 70.0, 66.0),  # 3, 6, 10 and 14 °C below the limit of 80
}
COMPONENTS = {
    "cpu_foreign": "cpu",
    "memory_available_mib": "memory",
    "battery_fraction": "energy",
    "temperature_c": "thermal",
}


def left(reading: Reading, field: str, limits: Limits = LIMITS) -> float:
    value = getattr(headroom(reading, limits), COMPONENTS[field])
    assert isinstance(value, float)
    return value


def odd_limits() -> st.SearchStrategy[Limits]:
    """Every combination of values that a config can hold, most of them in no order."""
    share = st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.5, 0.9, 1.0])
    mib = st.sampled_from([0.0, 16.0, 20.0, 20.0, 80.0, 120.0, 1_048_576.0])
    degrees = st.sampled_from([0.0, 3.0, 6.0, 6.0, 14.0, 100.0])
    return st.builds(
        Limits,
        cpu=st.builds(CpuLimits, *[share] * 6),
        memory=st.builds(MemoryLimits, *[mib] * 7),
        temperature=st.builds(TemperatureLimits, *[degrees] * 7),
        battery=st.builds(BatteryLimits, *[share] * 6),
    )


def test_a_good_board_has_all_room() -> None:
    assert headroom(GOOD, LIMITS) == ALL
    assert headroom(ON_BATTERY, LIMITS) == ALL
    assert ALL.least == 1.0
    assert ALL.tier is Tier.HIGH


@pytest.mark.parametrize("field", EDGES)
def test_each_third_ends_where_the_limits_leave_a_tier(field: str) -> None:
    for edge, third in zip(EDGES[field], THIRDS, strict=True):
        assert left(replace(ON_BATTERY, **{field: edge}), field) == third


@pytest.mark.parametrize("field", EDGES)
def test_it_is_a_straight_line_between_two_edges(field: str) -> None:
    edges = EDGES[field]
    for below, above, third in zip(edges[:-1], edges[1:], THIRDS[:-1], strict=True):
        for share in (0.25, 0.5, 0.75):
            reading = replace(ON_BATTERY, **{field: below + share * (above - below)})
            assert left(reading, field) == pytest.approx(third + share / 3)


@pytest.mark.parametrize("field", EDGES)
def test_it_is_clamped_beyond_the_edges(field: str) -> None:
    worst, *_, best = EDGES[field]
    assert left(replace(ON_BATTERY, **{field: 2 * worst - best}), field) == 0.0
    assert left(replace(ON_BATTERY, **{field: 2 * best - worst}), field) == 1.0


@pytest.mark.parametrize("field", EDGES)
def test_a_value_just_past_an_edge_is_in_the_room_above_it(field: str) -> None:
    better = math.inf if field in ("memory_available_mib", "battery_fraction") else -math.inf
    for edge, tier in zip(EDGES[field][:-1], TIERS[1:], strict=True):
        on = replace(ON_BATTERY, **{field: edge})
        past = replace(ON_BATTERY, **{field: math.nextafter(edge, better)})
        assert headroom(past, LIMITS).tier is tier
        assert headroom(on, LIMITS).tier is TIERS[tier.rank - 1]


def test_a_wide_band_does_not_round_a_value_onto_its_edge() -> None:
    wide = Limits(memory=MemoryLimits(high_enter_mib=1_048_576.0))
    past = replace(GOOD, memory_available_mib=math.nextafter(80.0, math.inf))
    assert headroom(past, wide).tier is Tier.HIGH


def test_the_other_components_do_not_move() -> None:
    for field, edges in EDGES.items():
        expected = replace(ALL, **{COMPONENTS[field]: 0.0})
        assert headroom(replace(ON_BATTERY, **{field: edges[0]}), LIMITS) == expected


def test_energy_counts_off_the_mains_only() -> None:
    empty = replace(ON_BATTERY, battery_fraction=0.05)
    assert headroom(empty, LIMITS).energy == 0.0
    assert headroom(replace(empty, on_mains=None), LIMITS).energy == 0.0
    assert headroom(replace(empty, on_mains=True), LIMITS).energy == 1.0
    unread = replace(ON_BATTERY, battery_fraction=None, on_mains=True)
    assert headroom(unread, LIMITS).energy == 1.0


@pytest.mark.parametrize("field", EDGES)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_leaves_what_low_needs(field: str, value: float | None) -> None:
    limits = replace(LIMITS, memory=MemoryLimits(reserve_mib=0.0))
    reading = replace(ON_BATTERY, **{field: value}, temperature_critical_c=None)
    if (field, value) == ("memory_available_mib", -math.inf):
        assert alarm(reading, limits) is not None
        return
    assert left(reading, field, limits) == 1 / 3
    assert start(Tier.CRITICAL, reading, PUBLISHED, limits)[1].tier is Tier.LOW


def test_a_signal_that_the_board_does_not_have_leaves_all_room() -> None:
    bare = Reading(time_ns=0, absent=("cpu", "memory", "temperature", "battery", "throttle"))
    assert headroom(bare, LIMITS) == ALL
    assert headroom(replace(bare, absent=()), LIMITS) == Headroom(1 / 3, 1 / 3, 1 / 3, 1 / 3)


def test_a_held_value_counts_by_its_value() -> None:
    held = replace(GOOD, cpu_foreign=0.6, failed={"cpu": "EIO"})
    assert headroom(held, LIMITS).cpu == pytest.approx(0.5)


def test_every_broken_hard_limit_leaves_nothing_of_its_resource() -> None:
    wide = Limits(temperature=TemperatureLimits(limit_c=130.0), memory=MemoryLimits(reserve_mib=20))
    reading = replace(
        ON_BATTERY,
        memory_available_mib=19.9,
        temperature_c=106.0,  # 24 °C below the limit, but within 5 °C of the power-off at 110
        throttled=("under-voltage",),
    )
    assert headroom(reading, wide) == Headroom(cpu=1.0, memory=0.0, energy=0.0, thermal=0.0)
    fed = replace(GOOD, on_mains=True, throttled=("under-voltage",))
    assert headroom(fed, LIMITS) == replace(ALL, energy=0.0)
    slowed = replace(GOOD, throttled=("throttled", "soft-limit"))
    assert headroom(slowed, LIMITS) == ALL


@given(wild_readings)
def test_no_reading_makes_it_raise_or_leave_its_range(reading: Reading) -> None:
    for value in astuple(headroom(reading, LIMITS)):
        assert 0.0 <= value <= 1.0


@given(wild_readings | plausible_readings, st.just(LIMITS) | odd_limits())
def test_its_tier_is_what_the_policy_bears(reading: Reading, limits: Limits) -> None:
    bears = [pressure.bearable(Tier.HIGH) for pressure in pressures(reading, limits)]
    if any(name != "battery" or reading.on_mains is not True for name in unknown(reading, limits)):
        bears.append(Tier.LOW)
    if alarm(reading, limits) is not None:
        bears.append(Tier.CRITICAL)
    expected = min(bears, key=lambda tier: tier.rank, default=Tier.HIGH)
    left_over = headroom(reading, limits)
    assert left_over.tier is tier_for(left_over) is expected


@given(plausible_readings, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from([*EDGES]))
def test_a_better_value_never_leaves_less(
    reading: Reading, one: float, other: float, field: str
) -> None:
    spans = {"memory_available_mib": 150.0, "temperature_c": 110.0}
    low, high = (spans.get(field, 1.0) * share for share in sorted((one, other)))
    worse, better = (high, low) if field in ("cpu_foreign", "temperature_c") else (low, high)
    assume(reading.battery_fraction is not None or field != "battery_fraction")
    assert left(replace(reading, **{field: worse}), field) <= left(
        replace(reading, **{field: better}), field
    )


@given(odd_limits())
def test_limits_in_any_order_divide_by_nothing(limits: Limits) -> None:
    for field, edges in EDGES.items():
        for edge in edges:
            assert 0.0 <= left(replace(ON_BATTERY, **{field: edge}), field, limits) <= 1.0


def test_equal_edges_are_a_step() -> None:
    limits = Limits(cpu=CpuLimits(high_enter=0.5, high_leave=0.5, medium_leave=0.5, low_leave=0.5))
    assert list(disorder(limits))
    assert headroom(replace(GOOD, cpu_foreign=0.5), limits).cpu == 0.0
    assert headroom(replace(GOOD, cpu_foreign=0.499), limits).cpu == 1.0


@given(st.sampled_from(TIERS), st.floats(0.0, 1.0), st.integers(0, 3))
@example(Tier.HIGH, 0.0, 0)
def test_a_room_holds_exactly_what_has_its_tier(tier: Tier, share: float, index: int) -> None:
    low, high = room(tier)
    value = low + share * (high - low)
    values = [1.0] * 4
    values[index] = value
    inside = low < value <= high or tier is Tier.CRITICAL
    assert (Headroom(*values).tier is tier) is inside


def test_the_rooms_lie_side_by_side() -> None:
    assert [room(tier) for tier in TIERS] == [(0, 0), (0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1)]


@given(st.tuples(*[st.floats(0.0, 1.0)] * 4))
@example((2 / 3, 1 / 3, 1.0, 0.0))
def test_rounding_goes_down_by_less_than_a_ten_thousandth(values: tuple[float, ...]) -> None:
    rounded = Headroom(*values).rounded()
    for value, short in zip(values, astuple(rounded), strict=True):
        assert short == round(short, 4)
        assert -1e-12 <= value - short < 1e-4 + 1e-12
    assert rounded.tier.rank <= Headroom(*values).tier.rank
    assert ALL.rounded() == ALL
    assert Headroom(1 / 3, 2 / 3, 1.0, 0.0).rounded() == Headroom(0.3333, 0.6666, 1.0, 0.0)
    nearly = Headroom(math.nextafter(0.3, 0.0), 0.29, 0.57, 0.58).rounded()
    assert nearly == Headroom(0.3, 0.29, 0.57, 0.58)
