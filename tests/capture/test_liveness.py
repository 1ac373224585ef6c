import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.capture.liveness import Liveness, State, Transition

S = 1_000_000_000


def healthy(stall_s: float = 5.0, failed_after: int = 3) -> Liveness:
    """Opened at 0 and delivering since then."""
    liveness = Liveness(stall_s, failed_after)
    liveness.opening(0)
    liveness.item(0, 1)
    return liveness


def test_the_first_item_makes_it_healthy() -> None:
    liveness = Liveness()
    liveness.opening(0)
    assert liveness.state is State.STARTING
    assert liveness.item(S, 7) == Transition(State.STARTING, State.HEALTHY, "first item")
    assert liveness.item(2 * S, 8) is None
    assert liveness.reconnects == 0


def test_silence_is_a_stall_and_the_next_item_ends_it() -> None:
    liveness = healthy()
    assert liveness.check(5 * S - 1) is None
    assert liveness.check(5 * S) == Transition(
        State.HEALTHY, State.STALLED, "nothing new for 5.0 s"
    )
    assert liveness.check(9 * S) is None, "a transition is reported once"
    assert liveness.item(12 * S, 2) == Transition(
        State.STALLED, State.HEALTHY, "recovered after 12.0 s"
    )
    assert liveness.reconnects == 0, "it was never reopened"


def test_the_same_bytes_are_silence() -> None:
    liveness = healthy()
    assert liveness.item(3 * S, 1) is None
    stalled = liveness.item(5 * S, 1)
    assert stalled is not None
    assert stalled.state is State.STALLED
    assert liveness.silent(5 * S)


def test_the_same_bytes_after_reopening_are_still_silence() -> None:
    liveness = healthy()
    liveness.lost(1 * S, "gone")
    liveness.opening(2 * S)
    assert liveness.item(3 * S, 1) is None
    assert liveness.state is State.RECONNECTING
    recovered = liveness.item(4 * S, 2)
    assert recovered is not None
    assert recovered.detail == "recovered after 4.0 s"
    assert liveness.reconnects == 1


def test_equal_items_without_a_fingerprint_are_fresh() -> None:
    liveness = Liveness(stall_s=1.0)
    liveness.opening(0)
    for second in range(10):
        liveness.item(second * S // 2)
    assert liveness.state is State.HEALTHY


def test_fails_after_attempts_in_a_row_and_recovers() -> None:
    liveness = healthy(failed_after=3)
    states = []
    for second in range(1, 7):
        liveness.lost(second * S, "no such device")
        states.append(liveness.state)
        liveness.opening(second * S)
    assert states == [State.RECONNECTING] * 3 + [State.FAILED] * 3
    assert liveness.check(100 * S) is None, "failed says more than stalled"
    recovered = liveness.item(101 * S, 5)
    assert recovered == Transition(State.FAILED, State.HEALTHY, "recovered after 101.0 s")
    liveness.lost(102 * S, "again")
    assert liveness.state is State.RECONNECTING, "the count began anew"


def test_stalls_without_one_fresh_item_add_up_to_failed() -> None:
    liveness = healthy(stall_s=1.0, failed_after=2)
    for second in range(1, 4):
        liveness.item(2 * second * S, 1)
        liveness.lost(2 * second * S, "repeats")
        liveness.opening(2 * second * S)
    assert liveness.state is State.FAILED


def test_a_pause_between_attempts_is_no_stall() -> None:
    liveness = healthy()
    liveness.lost(S, "gone")
    assert liveness.check(1000 * S) is None
    liveness.opening(1000 * S)
    assert liveness.check(1004 * S) is None
    hangs = liveness.check(1005 * S)
    assert hangs is not None
    assert hangs.state is State.STALLED, "an open that hangs is seen"


def test_an_open_that_hangs_at_the_start_is_seen() -> None:
    liveness = Liveness(stall_s=5.0)
    assert liveness.check(100 * S) is None, "nobody has tried yet"
    liveness.opening(100 * S)
    hangs = liveness.check(106 * S)
    assert hangs is not None
    assert hangs.state is State.STALLED


def test_steady_means_for_as_long_as_a_stall_takes() -> None:
    liveness = healthy(stall_s=5.0)
    assert not liveness.steady()
    liveness.item(4 * S, 2)
    assert not liveness.steady()
    liveness.item(5 * S, 3)
    assert liveness.steady()
    liveness.check(20 * S)
    assert liveness.steady(), "a stall at the end does not undo it"
    liveness.lost(21 * S, "gone")
    assert not liveness.steady()


def test_the_end_is_final() -> None:
    liveness = healthy()
    assert liveness.ended() == Transition(State.HEALTHY, State.ENDED, "end of the recording")
    assert liveness.check(1000 * S) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["opening", "item", "same", "lost", "check"]), st.integers(0, 4 * S)
        ),
        max_size=60,
    )
)
def test_transitions_chain_and_a_fresh_item_always_heals(steps: list[tuple[str, int]]) -> None:
    liveness = Liveness(stall_s=3.0, failed_after=2)
    state, now_ns, fresh = State.STARTING, 0, 0
    for name, elapsed_ns in steps:
        now_ns += elapsed_ns
        transition = None
        if name == "opening":
            liveness.opening(now_ns)
        elif name == "item":
            fresh += 1
            transition = liveness.item(now_ns, fresh)
            assert liveness.state is State.HEALTHY
        elif name == "same":
            transition = liveness.item(now_ns, fresh)
        elif name == "lost":
            transition = liveness.lost(now_ns, "lost")
            assert liveness.state in (State.RECONNECTING, State.FAILED)
        else:
            transition = liveness.check(now_ns)
        if transition is not None:
            assert transition.previous is state
            assert transition.state is not state
            state = transition.state
        assert liveness.state is state


@pytest.mark.parametrize(("stall_s", "failed_after"), [(0.0, 3), (-1.0, 3), (1.0, 0)])
def test_refuses_impossible_limits(stall_s: float, failed_after: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Liveness(stall_s, failed_after)
