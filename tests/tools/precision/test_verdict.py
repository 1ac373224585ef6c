from typing import Any

import pytest

from tools.precision.verdict import Measured, Run, VerdictError, verdict

HERE, THERE = "one 1.0", "other 2.0"


def measured(name: str, us: float, low: float = 0.98, high: float = 0.99, **there: Any) -> Measured:
    run = Run(**{"median_us": 10 * us, "same": 1.0, **there})
    return Measured(name, low, high, {HERE: Run(us, 1.0), THERE: run})


def test_the_fastest_of_equal_accuracy_ships() -> None:
    found, others = verdict(
        [measured("int8", 50.0), measured("a", 40.0, 0.97, 0.981), measured("b", 45.0)]
    )
    assert found == "a"
    assert others["b"] == "slower than a (1.12 of its time)"
    assert others["int8"] == "slower than a (1.25 of its time)"


def test_int8_ships_on_ties() -> None:
    found, others = verdict([measured("a", 48.0), measured("int8", 50.0)])
    assert found == "int8"
    assert others == {"a": "as fast as int8 (0.96 of its time)"}


def test_the_first_runtime_decides() -> None:
    found, _ = verdict([measured("int8", 50.0), measured("a", 60.0, median_us=1.0)])
    assert found == "int8"


@pytest.mark.parametrize(
    ("fast", "why"),
    [
        (measured("a", 1.0, 0.95, 0.979), "less accurate: at most 97.90 %, int8 at least 98.00 %"),
        (measured("a", 1.0, failure="no kernel"), "does not run in other 2.0"),
        (measured("a", 1.0, same=0.5), "answers otherwise in other 2.0 (50.0 % the same)"),
    ],
)
def test_what_is_worse_or_fails_somewhere_never_ships(fast: Measured, why: str) -> None:
    found, others = verdict([measured("int8", 50.0), fast])
    assert found == "int8"
    assert others == {"a": why}


def test_more_accurate_but_slower_does_not_ship() -> None:
    found, _ = verdict([measured("int8", 50.0), measured("a", 1000.0, 0.995, 0.999)])
    assert found == "int8"


def test_without_int8_there_is_no_verdict() -> None:
    with pytest.raises(VerdictError, match=r"does not run in other 2\.0 \(no runtime\)"):
        verdict([measured("int8", 50.0, failure="no runtime"), measured("a", 40.0)])
