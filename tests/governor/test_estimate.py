import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import astuple, replace

from edge_daemon.governor.estimate import FILTERS, Estimate, Filters, clock_share, observe
from edge_daemon.governor.heat import HeatPrior
from edge_daemon.governor.level import Pace
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.slowdown import expected_cycle_ms
from edge_daemon.tier import TIERS, Tier

PROFILE = replace(PUBLISHED, measured=True, cores=4.0, slowed=0.5)
QUIET = Reading(
    time_ns=0,
    cpu_foreign=0.2,
    cpu_own=0.1,
    cores=4.0,
    memory_available_mib=300.0,
    temperature_c=50.0,
    temperature_zone="cpu-thermal",
)
DRAINING = replace(QUIET, on_mains=False, power_w=6.0)


def after(*readings: Reading, span_s: float = 1.0, filters: Filters = FILTERS) -> Estimate:
    estimate = observe(Estimate(), readings[0], None, PROFILE, filters)
    for reading in readings[1:]:
        estimate = observe(estimate, reading, span_s, PROFILE, filters)
    return estimate


def windows(tier: Tier, cycle_ms: float, count: int = 10, reading: Reading = QUIET) -> Reading:
    return replace(reading, cycle_tier=tier, cycle_ms=cycle_ms, cycles=count)


def numbers(value: object) -> Iterator[float]:
    """Yield every number in a struct, however deep."""
    if isinstance(value, Struct):
        value = astuple(value)
    if isinstance(value, tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int | float):
        yield value


def test_nothing_is_known_before_the_first_reading() -> None:
    nothing = Estimate()
    assert (nothing.load, nothing.memory_mib, nothing.power_w) == (None, None, None)
    assert (nothing.load_rate_s, nothing.memory_rate_mib_s, nothing.temperature_rate_c_s) == (
        0.0,
        0.0,
        0.0,
    )


def test_the_first_reading_is_believed() -> None:
    estimate = after(DRAINING)
    assert (estimate.load, estimate.memory_mib, estimate.power_w) == (0.2, 300.0, 6.0)
    assert (estimate.load_sigma, estimate.memory_sigma_mib) == (0.05, 4.0)


def test_bad_news_are_believed_fast_and_good_ones_slowly() -> None:
    bad = replace(QUIET, cpu_foreign=0.6, memory_available_mib=200.0)
    worse = after(QUIET, bad)
    assert worse.load == pytest.approx(0.2)  # a second of it is no rise yet
    assert worse.memory_mib == pytest.approx(230.0)
    assert after(QUIET, bad, bad).load == pytest.approx(0.2 + 0.7 * 0.4)
    better = after(QUIET, replace(QUIET, cpu_foreign=0.0, memory_available_mib=400.0))
    assert better.load == pytest.approx(0.17)
    assert better.memory_mib == pytest.approx(310.0)


def test_the_newest_temperature_is_the_one_that_counts() -> None:
    for now_c in (61.5, 38.0):
        assert after(QUIET, replace(QUIET, temperature_c=now_c)).warmth.value == now_c


def test_slopes_say_how_long_until_a_limit() -> None:
    leak = [
        replace(
            QUIET,
            memory_available_mib=300 - 2.0 * at_s,
            temperature_c=50 + 0.1 * at_s,
            cpu_foreign=0.2 + 0.005 * at_s,
        )
        for at_s in range(60)
    ]
    estimate = after(*leak)
    assert estimate.memory_rate_mib_s == pytest.approx(-2.0, rel=0.01)
    assert estimate.temperature_rate_c_s == pytest.approx(0.1, rel=0.01)
    assert estimate.load_rate_s == pytest.approx(0.005, rel=0.01)


def test_a_value_that_is_missing_once_is_held_and_no_longer_than_its_sensor_holds_it() -> None:
    blind = Reading(time_ns=0)
    once = after(DRAINING, blind)
    assert (once.load, once.memory_mib, once.power_w) == (0.2, 300.0, 6.0)
    long = after(DRAINING, *[blind] * 6)
    assert (long.load, long.memory_mib, long.power_w) == (None, None, None)
    assert long.heat.ambient_c == pytest.approx(once.heat.ambient_c)


def test_what_was_never_seen_stays_unknown() -> None:
    estimate = after(*[Reading(time_ns=0, cpu_foreign=0.3)] * 9)
    assert estimate.load == pytest.approx(0.3)
    assert (estimate.memory_mib, estimate.power_w, estimate.heat.ambient_c) == (None, None, None)


@pytest.mark.parametrize("span_s", [None, 0.0, -1.0, math.nan, math.inf])
def test_after_a_gap_the_signals_begin_anew_and_what_was_learnt_stays(
    span_s: float | None,
) -> None:
    slow = windows(Tier.LOW, 25.0)
    before = after(slow, *[replace(slow, memory_available_mib=200.0 + at_s) for at_s in range(30)])
    later = windows(Tier.LOW, 500.0, reading=replace(DRAINING, cpu_foreign=0.9, temperature_c=44.0))
    estimate = observe(before, later, span_s, PROFILE)
    assert (estimate.load, estimate.memory_mib, estimate.power_w) == (0.9, 300.0, 6.0)
    assert (estimate.memory_rate_mib_s, estimate.temperature_rate_c_s) == (0.0, 0.0)
    assert estimate.slowdown == replace(before.slowdown, innovation=0.0)
    assert estimate.heat.slow_k == before.heat.slow_k
    assert observe(before, Reading(time_ns=0), span_s, PROFILE).load is None


def test_two_readings_at_almost_the_same_time_change_little() -> None:
    before = after(QUIET, QUIET)
    estimate = observe(before, replace(QUIET, cpu_foreign=1.0, temperature_c=80.0), 1e-9, PROFILE)
    assert estimate.load == pytest.approx(0.2, abs=0.001)
    assert estimate.temperature_rate_c_s < 10.0


def test_the_slowdown_is_one_for_all_tiers() -> None:
    readings = [QUIET]
    for at_s in range(30):
        tier = TIERS[at_s % 4]
        load = 0.1 * (at_s % 5)
        share = PROFILE.tiers[tier].cpu_ms / PROFILE.period_ms / 4
        expected_ms = expected_cycle_ms(PROFILE, tier, load, share, 1.0)
        readings.append(windows(tier, 1.5 * expected_ms, reading=replace(QUIET, cpu_foreign=load)))
    assert after(*readings).slowdown.mean == pytest.approx(1.5, rel=0.02)


def test_a_clock_that_the_firmware_slows_is_no_slowdown() -> None:
    slowed = replace(QUIET, throttled=("throttled",))
    cycle_ms = expected_cycle_ms(PROFILE, Tier.LOW, 0.1, 0.03, 0.5)
    estimate = after(slowed, *[windows(Tier.LOW, cycle_ms, reading=slowed)] * 20)
    assert estimate.slowdown.mean == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(
    ("flags", "share"),
    [
        ((), 1.0),
        (("under-voltage",), 1.0),
        (("throttled",), 0.5),
        (("frequency-capped", "soft-limit"), 0.5),
    ],
)
def test_which_flags_mean_a_slower_clock(flags: tuple[str, ...], share: float) -> None:
    assert clock_share(replace(QUIET, throttled=flags), PROFILE) == share


@pytest.mark.parametrize(
    "reading",
    [
        replace(QUIET, cycle_ms=99.0, cycles=10),  # a swap fell in
        windows(Tier.LOW, 99.0, count=0),
        windows(Tier.LOW, 0.0),
        windows(Tier.LOW, math.nan),
    ],
)
def test_windows_that_cannot_be_told_apart_say_nothing(reading: Reading) -> None:
    assert after(QUIET, reading).slowdown == after(QUIET, QUIET).slowdown


def test_windows_wait_for_a_load_to_be_compared_under() -> None:
    blind = windows(Tier.LOW, 99.0, reading=replace(QUIET, cpu_foreign=None))
    assert after(blind, blind).slowdown.mean == 1.0
    assert after(QUIET, blind).slowdown.mean > 1.0  # under the load that is held


def test_the_heat_model_is_driven_by_all_work_times_the_clock() -> None:
    assert after(QUIET, QUIET).heat.drive == pytest.approx(0.3)
    full = replace(QUIET, cpu_foreign=0.8, cpu_own=0.4)
    assert after(QUIET, full).heat.drive == pytest.approx(1.0)
    slowed = replace(full, throttled=("throttled",))
    assert after(QUIET, slowed).heat.drive == pytest.approx(0.5)
    assert after(QUIET, replace(QUIET, cpu_own=None)).heat.drive == pytest.approx(0.3)


def test_another_zone_is_no_step_of_the_temperature() -> None:
    before = after(*[QUIET] * 60)
    other = replace(QUIET, temperature_c=70.0, temperature_zone="gpu-thermal")
    estimate = observe(before, other, 1.0, PROFILE)
    assert estimate.temperature_rate_c_s == 0.0
    assert estimate.heat.slow_k == pytest.approx(before.heat.slow_k, rel=1e-3)
    assert estimate.heat.ambient_c == pytest.approx((before.heat.ambient_c or 0.0) + 20.0, abs=0.1)
    lost = observe(before, replace(QUIET, temperature_c=None, temperature_zone=None), 1.0, PROFILE)
    assert observe(lost, QUIET, 1.0, PROFILE).heat.covariance != before.heat.covariance
    assert lost.zone == "cpu-thermal"


@pytest.mark.parametrize("broken_c", [-650788984.0, math.nan, math.inf, 1000.0])
def test_what_cannot_be_a_temperature_is_none(broken_c: float) -> None:
    broken = replace(QUIET, temperature_c=broken_c)
    none = replace(QUIET, temperature_c=None)
    assert after(QUIET, broken, QUIET) == after(QUIET, none, QUIET)


def test_the_filters_are_an_argument() -> None:
    eager = replace(
        FILTERS,
        load=Pace(rise=0.9, fall=0.9, sigma=0.2, sigma_least=0.1),
        heat=HeatPrior(fast_k=1.0, slow_k=9.0),
    )
    estimate = after(QUIET, replace(QUIET, cpu_foreign=0.0), filters=eager)
    assert estimate.load == pytest.approx(0.02)
    assert estimate.heat.fast_k == pytest.approx(1.0, rel=0.1)
    assert estimate.heat.slow_k == pytest.approx(9.0, rel=0.1)
    assert estimate.heat.prior is eager.heat


anything = st.none() | st.floats() | st.floats(0.0, 1.0) | st.floats(20.0, 110.0)
readings = st.builds(
    Reading,
    time_ns=st.just(0),
    cpu_foreign=anything,
    cpu_own=anything,
    cores=anything,
    memory_available_mib=anything,
    temperature_c=anything,
    temperature_zone=st.sampled_from([None, "a", "b"]),
    power_w=anything,
    cycle_ms=anything,
    cycle_tier=st.none() | st.sampled_from(TIERS),
    cycles=st.integers(-2, 10**6),
    throttled=st.sampled_from([(), ("throttled",)]),
)
spans = st.none() | st.floats() | st.floats(0.1, 10.0)


@given(st.lists(st.tuples(readings, spans), max_size=30))
def test_it_never_raises_and_every_number_of_it_is_finite(
    sequence: list[tuple[Reading, float | None]],
) -> None:
    estimate = Estimate()
    for reading, span_s in sequence:
        estimate = observe(estimate, reading, span_s, PROFILE)
        assert all(map(math.isfinite, numbers(estimate)))
        assert estimate.load is None or 0.0 <= estimate.load <= 1.0
        assert estimate.memory_mib is None or estimate.memory_mib >= 0.0
