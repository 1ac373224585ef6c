import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.precision.allocate import (
    AllocationError,
    Option,
    Options,
    frontier,
    least_bytes,
    least_loss,
)

option = st.builds(
    Option,
    bits=st.sampled_from([2, 4, 8, 16]),
    bytes=st.integers(0, 40),
    loss=st.integers(0, 40).map(float),
)
options = st.dictionaries(
    st.sampled_from("abcde"), st.lists(option, min_size=1, max_size=3), min_size=1
)


def brute_force(choices: Options) -> list[tuple[int, float]]:
    """Bytes and loss of every combination."""
    return [
        (sum(some.bytes for some in chosen), sum(some.loss for some in chosen))
        for chosen in itertools.product(*choices.values())
    ]


@settings(deadline=None)
@given(options, st.integers(0, 200))
def test_least_loss_is_that_of_brute_force(choices: Options, most: int) -> None:
    within = [loss for size, loss in brute_force(choices) if size <= most]
    if not within:
        with pytest.raises(AllocationError, match=f"into {most} bytes"):
            least_loss(choices, most)
        return
    found = least_loss(choices, most)
    assert found.loss == min(within)
    assert found.bytes <= most


@settings(deadline=None)
@given(options, st.integers(0, 200).map(float))
def test_least_bytes_is_that_of_brute_force(choices: Options, most: float) -> None:
    within = [size for size, loss in brute_force(choices) if loss <= most]
    if not within:
        with pytest.raises(AllocationError, match="most careful loses"):
            least_bytes(choices, most)
        return
    found = least_bytes(choices, most)
    assert found.bytes == min(within)
    assert found.loss <= most


@settings(deadline=None)
@given(options)
def test_the_frontier_is_possible_and_unbeaten(choices: Options) -> None:
    every = brute_force(choices)
    found = frontier(choices)
    for some in found:
        assert some.bits.keys() == choices.keys()
        assert (some.bytes, some.loss) in every
        assert not any(
            size <= some.bytes and loss <= some.loss and (size, loss) != (some.bytes, some.loss)
            for size, loss in every
        )
    assert [some.bytes for some in found] == sorted({some.bytes for some in found})


def test_the_bits_are_those_of_the_bytes_and_the_loss() -> None:
    choices = {
        "matters": [Option(4, 50, 9.0), Option(8, 100, 0.5)],
        "hardly": [Option(4, 50, 1.0), Option(8, 100, 0.5)],
    }
    found = least_loss(choices, 150)
    assert (found.bits, found.bytes, found.loss) == ({"matters": 8, "hardly": 4}, 150, 1.5)
    assert least_bytes(choices, 9.5).bits == {"matters": 8, "hardly": 4}
    assert least_bytes(choices, 10.0).bits == {"matters": 4, "hardly": 4}


def test_many_layers_are_no_trouble() -> None:
    choices = {
        f"layer {n}": [Option(4, 37 * n, 1.0 / n), Option(8, 74 * n, 0.001 / n)]
        for n in range(1, 25)
    }
    found = least_loss(choices, 15_000)
    assert 14_900 < found.bytes <= 15_000
