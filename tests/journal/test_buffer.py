from edge_daemon.journal.buffer import Buffer, Waiting, worth
from edge_daemon.journal.events import Event, Prediction
from tests.journal import samples
from tests.journal.samples import prediction

START, PREDICTION, TIER_CHANGE, READING, CAPTURE, FAULT, CLOCK, RELOAD, STOP = samples.EVENTS


def waiting(event: Event, number: int = 0, size: int = 100) -> Waiting:
    return Waiting(b"", b"x" * size, number, worth(event), isinstance(event, Prediction))


def fill(capacity: int, *events: Event) -> tuple[list[int], int]:
    """Put events; return which of them (by place) were kept, and how many were not."""
    buffer = Buffer(capacity)
    lost = sum(buffer.put(waiting(event, number)) for number, event in enumerate(events))
    return [line.mono_ns for line in buffer.take(1000)], lost


def test_lines_come_out_in_order() -> None:
    assert fill(9, *samples.EVENTS) == (list(range(9)), 0)


def test_a_full_buffer_loses_the_newest_prediction() -> None:
    assert fill(3, *[prediction(n) for n in range(6)]) == ([0, 1, 2], 3)


def test_a_tier_change_takes_the_place_of_the_newest_prediction_or_reading() -> None:
    assert fill(3, PREDICTION, PREDICTION, CAPTURE, TIER_CHANGE) == ([0, 2, 3], 1)
    assert fill(3, READING, CAPTURE, FAULT, TIER_CHANGE) == ([1, 2, 3], 1)


def test_what_matters_is_lost_only_when_nothing_else_is_left() -> None:
    assert fill(2, TIER_CHANGE, FAULT, PREDICTION, CAPTURE, RELOAD) == ([0, 1], 3)
    assert fill(2, CAPTURE, FAULT, FAULT, TIER_CHANGE) == ([1, 2], 2)
    assert fill(2, CAPTURE, CLOCK, CLOCK, RELOAD, FAULT) == ([1, 2], 3)


def test_start_and_stop_are_lost_last() -> None:
    assert fill(2, START, FAULT, STOP) == ([0, 2], 1)
    assert fill(3, START, TIER_CHANGE, FAULT, FAULT, STOP) == ([0, 1, 4], 2)


def test_bytes_are_bounded_too() -> None:
    buffer = Buffer(4)
    lost = [buffer.put(waiting(PREDICTION, n, 1500)) for n in range(4)]
    assert lost == [0, 0, 1, 1]
    assert buffer.put(waiting(FAULT, 4, 3000)) == 2
    assert [line.mono_ns for line in buffer.take(9)] == [4]


def test_one_line_larger_than_the_bound_still_fits_alone() -> None:
    buffer = Buffer(1)
    assert buffer.put(waiting(FAULT, 0, 16_000)) == 0
    assert len(buffer) == 1


def test_what_is_put_back_is_first_again() -> None:
    buffer = Buffer(4)
    for number in range(3):
        buffer.put(waiting(PREDICTION, number))
    taken = buffer.take(2)
    buffer.put(waiting(FAULT, 3))
    buffer.put_back(taken)
    assert [line.mono_ns for line in buffer.take(9)] == [0, 1, 2, 3]
    assert len(buffer) == 0


def test_half_full_is_more_than_half() -> None:
    buffer = Buffer(4)
    seen = []
    for number in range(4):
        buffer.put(waiting(PREDICTION, number))
        seen.append(buffer.half_full)
    assert seen == [False, False, True, True]
