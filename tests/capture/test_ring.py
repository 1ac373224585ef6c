import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.capture.ring import ANCHORS, SampleRing
from edge_daemon.capture.source import Chunk

RATE_HZ = 8000


def counted(start: int, length: int, captured_ns: int = 0) -> Chunk:
    """Samples whose values are their indices."""
    return Chunk(np.arange(start, start + length, dtype=np.float32), captured_ns)


@given(
    capacity=st.integers(1, 40),
    steps=st.lists(
        st.one_of(
            st.integers(0, 60),  # append that many
            st.tuples(st.integers(-5, 300), st.none() | st.integers(-5, 300)),  # read
        ),
        max_size=40,
    ),
)
def test_matches_a_plain_list(capacity: int, steps: list[int | tuple[int, int | None]]) -> None:
    ring = SampleRing(capacity, RATE_HZ)
    everything: list[float] = []
    read: set[int] = set()
    lost: set[int] = set()
    for step in steps:
        if isinstance(step, int):
            ring.append(counted(len(everything), step))
            everything += [float(value) for value in range(len(everything), len(everything) + step)]
        else:
            index, until = step
            oldest = max(0, len(everything) - capacity)
            stop = len(everything) if until is None else min(until, len(everything))
            furthest = max(read, default=-1)
            lost |= {i for i in range(max(0, index), oldest) if i > furthest}
            samples, first = ring.since(index, until)
            expected = everything[max(index, oldest) : max(stop, 0)]
            assert samples.tolist() == expected
            assert samples.dtype == np.float32
            if expected:
                assert first == max(index, oldest)
            # Reading up to a point means that nothing before it is waited for any more.
            read |= set(range(max(stop, oldest)))
        assert ring.end == len(everything)
        assert ring.lost == len(lost)


def test_a_reader_that_falls_behind_learns_where_it_goes_on() -> None:
    ring = SampleRing(100, RATE_HZ)
    ring.append(counted(0, 80))
    samples, first = ring.since(0)
    assert (len(samples), first) == (80, 0)
    ring.append(counted(80, 150))
    samples, first = ring.since(80)
    assert first == 130
    assert samples.tolist() == list(range(130, 230))
    assert ring.lost == 50
    ring.since(80)
    assert ring.lost == 50, "what was lost once is not lost again"


def test_what_is_returned_does_not_change_later() -> None:
    ring = SampleRing(10, RATE_HZ)
    ring.append(counted(0, 10))
    samples, _ = ring.since(0)
    ring.append(counted(10, 10))
    assert samples.tolist() == list(range(10))


def test_capture_times_follow_the_chunk_that_holds_the_sample() -> None:
    ring = SampleRing(8000, RATE_HZ)
    assert ring.newest_ns is None
    with pytest.raises(LookupError):
        ring.captured_ns(0)
    ring.append(counted(0, 80, captured_ns=1_000_000_000))
    ring.append(counted(80, 80, captured_ns=5_000_000_000))  # a gap: the microphone was away
    assert ring.newest_ns == 5_000_000_000
    assert ring.captured_ns(79) == 1_000_000_000
    assert ring.captured_ns(0) == 1_000_000_000 - 79 * 125_000
    assert ring.captured_ns(80) == 5_000_000_000 - 79 * 125_000
    assert ring.captured_ns(159) == 5_000_000_000
    assert ring.captured_ns(167) == 5_000_000_000 + 8 * 125_000


def test_times_older_than_the_anchors_are_reckoned_back() -> None:
    ring = SampleRing(10_000, RATE_HZ)
    for index in range(2 * ANCHORS):
        ring.append(counted(8 * index, 8, captured_ns=(8 * index + 7) * 125_000))
    for index in (0, 5, 8 * ANCHORS - 1, 8 * ANCHORS, ring.end - 1):
        assert ring.captured_ns(index) == index * 125_000


def test_the_newest_samples_of_an_oversized_chunk_stay() -> None:
    ring = SampleRing(16, RATE_HZ)
    ring.append(counted(0, 1000))
    samples, first = ring.since(0)
    assert first == 984
    assert samples.tolist() == list(range(984, 1000))
    assert ring.lost == 984


def test_a_writer_and_a_reader_agree() -> None:
    ring = SampleRing(4096, RATE_HZ)
    total = 200_000
    done = threading.Event()

    def write() -> None:
        for start in range(0, total, 50):
            ring.append(counted(start, 50))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    index = received = 0
    while not done.is_set() or index < ring.end:
        samples, first = ring.since(index)
        assert samples.tolist() == list(range(first, first + len(samples)))
        received += len(samples)
        index = first + len(samples)
    writer.join()
    assert received + ring.lost == total


@pytest.mark.parametrize(("capacity", "rate_hz"), [(0, 8000), (10, 0)])
def test_refuses_an_impossible_size(capacity: int, rate_hz: int) -> None:
    with pytest.raises(ValueError, match="capacity and rate"):
        SampleRing(capacity, rate_hz)
