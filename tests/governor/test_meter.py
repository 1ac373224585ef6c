"""What the governor learns of the loop's windows."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.governor.meter import Meter
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import TIERS, Tier

MS = 1_000_000
BARE = Reading(time_ns=1, cpu_foreign=0.2)


def test_without_windows_the_reading_stays_as_it_is() -> None:
    assert Meter().complete(BARE) == BARE


def test_the_mean_of_the_windows_since_the_last_reading() -> None:
    meter = Meter()
    for spent_ms in (3, 4, 8):
        meter.computed(Tier.LOW, spent_ms * MS)
    first = meter.complete(BARE)
    assert (first.cycle_ms, first.cycle_tier, first.cycles, first.late) == (5.0, Tier.LOW, 3, 0)
    assert first.cpu_foreign == 0.2
    meter.computed(Tier.LOW, 7 * MS)
    second = meter.complete(BARE)
    assert (second.cycle_ms, second.cycle_tier, second.cycles) == (7.0, Tier.LOW, 1)
    assert meter.complete(BARE) == BARE


def test_windows_of_two_tiers_are_no_measure_of_either() -> None:
    meter = Meter()
    meter.computed(Tier.LOW, 2 * MS)
    meter.computed(Tier.HIGH, 4 * MS)
    mixed = meter.complete(BARE)
    assert (mixed.cycle_ms, mixed.cycle_tier, mixed.cycles) == (3.0, None, 2)
    meter.computed(Tier.HIGH, 4 * MS)
    assert meter.complete(BARE).cycle_tier is Tier.HIGH


def test_there_and_back_again_is_a_swap_too() -> None:
    meter = Meter()
    meter.computed(Tier.LOW, MS)
    meter.complete(BARE)
    for tier in (Tier.LOW, Tier.HIGH, Tier.LOW):
        meter.computed(tier, MS)
    assert meter.complete(BARE).cycle_tier is None


def test_a_swap_just_before_the_first_window_of_a_stretch_counts_in_it() -> None:
    meter = Meter()
    meter.computed(Tier.LOW, MS)
    meter.complete(BARE)
    meter.computed(Tier.HIGH, 9 * MS)  # the first after a swap is slower than the tier is
    assert meter.complete(BARE).cycle_tier is None


def test_missed_windows_are_told_even_where_none_was_computed() -> None:
    meter = Meter()
    meter.began(missed=3)
    assert meter.complete(BARE) == Reading(time_ns=1, cpu_foreign=0.2, due=4, late=3)
    meter.computed(Tier.LOW, MS)
    meter.began(missed=2)
    reading = meter.complete(BARE)
    assert (reading.due, reading.late) == (3, 2)
    assert meter.complete(BARE) == BARE


def test_windows_that_reuse_something_were_due_all_the_same() -> None:
    meter = Meter()
    meter.computed(Tier.LOW, MS)
    for _ in range(10):
        meter.began(missed=0)
    reading = meter.complete(BARE)
    assert (reading.cycles, reading.due, reading.late) == (1, 10, 0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(TIERS), st.integers(0, 10**10)),
            st.integers(1, 50),
            st.none(),
        )
    )
)
def test_nothing_is_lost_or_counted_twice(
    happened: list[tuple[Tier, int] | int | None],
) -> None:
    meter = Meter()
    readings = []
    for event in happened:
        if event is None:
            readings.append(meter.complete(BARE))
        elif isinstance(event, int):
            meter.began(event)
        else:
            meter.computed(*event)
    readings.append(meter.complete(BARE))
    windows = [event for event in happened if isinstance(event, tuple)]
    assert sum(reading.cycles for reading in readings) == len(windows)
    assert sum(reading.late for reading in readings) == sum(
        event for event in happened if isinstance(event, int)
    )
    assert sum(reading.due for reading in readings) == sum(
        1 + event for event in happened if isinstance(event, int)
    )
    spent_ms = sum((reading.cycle_ms or 0.0) * reading.cycles for reading in readings)
    # Each mean is rounded to a ten-thousandth of a millisecond.
    assert abs(spent_ms - sum(spent for _, spent in windows) / MS) <= 1e-4 * (len(windows) + 1)


def test_two_threads_lose_nothing() -> None:
    meter = Meter()
    windows = 20_000
    done = threading.Event()

    def loop() -> None:
        for _ in range(windows):
            meter.computed(Tier.LOW, MS)
            meter.began(1)
        done.set()

    thread = threading.Thread(target=loop)
    thread.start()
    cycles = late = 0
    while not done.is_set():
        reading = meter.complete(BARE)
        assert reading.cycle_ms in (None, 1.0)  # never a count without its time
        cycles += reading.cycles
        late += reading.late
    thread.join()
    reading = meter.complete(BARE)
    assert (cycles + reading.cycles, late + reading.late) == (windows, windows)
