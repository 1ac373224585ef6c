from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tools.simulation.contest import Result
from tools.simulation.contestants import ORACLE
from tools.simulation.figures import Figures
from tools.simulation.gates import gates
from tools.simulation.summary import Interval, summarise

FIGURES = Figures(
    utility=0.9,
    switches=10.0,
    reversals=1.0,
    violation=0.001,
    missed=0.002,
    off=0.0,
    unanswered=0.0,
    hot=0.0,
    hottest_c=60.0,
    delay_polls=1,
    late_switches=0,
    polls_hz=1.0,
    tiers=(0.0, 0.0, 1.0, 0.0),
)


def results(
    policy: str, utilities: list[float], loads: list[float], **others: object
) -> list[Result]:
    return [
        Result(
            policy,
            f"trace {n}",
            "constant" if n == 0 else "lost",
            load,
            n,
            replace(FIGURES, utility=utility, **others),  # type: ignore[arg-type]
            faulty=n > 0,
        )
        for n, (utility, load) in enumerate(zip(utilities, loads, strict=True))
    ]


def test_regret_is_of_the_sums() -> None:
    loads = [0.35, 0.35, 0.8]
    rows = results(ORACLE, [0.9, 0.8, 0.5], loads) + results("x", [0.9, 0.4, 0.45], loads)
    found = {(s.policy, s.load): s for s in summarise(rows)}
    assert found["x", 0.35].regret.value == pytest.approx(1 - 1.3 / 1.7)
    assert found["x", 0.8].regret.value == pytest.approx(0.1)
    assert found["x", None].regret.value == pytest.approx(1 - 1.75 / 2.2)
    assert found[ORACLE, None].regret == Interval(0.0, 0.0, 0.0)
    assert found["x", 0.35].traces == 2


def test_the_interval_is_the_bootstraps() -> None:
    random = np.random.default_rng(3)
    count = 200
    oracle = random.uniform(0.8, 0.9, count)
    own = oracle * random.normal(0.95, 0.03, count)
    loads = [0.5] * count
    rows = results(ORACLE, oracle.tolist(), loads) + results("x", own.tolist(), loads)
    found = next(s for s in summarise(rows) if s.policy == "x").regret
    error = 0.03 / np.sqrt(count)
    assert found.value == pytest.approx(0.05, abs=3 * error)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert summarise(rows) == summarise(rows)


def test_loads_are_drawn_apart() -> None:
    # Within each load all traces are alike: drawn by load there is nothing to vary.
    loads = [0.35] * 5 + [0.8] * 5
    rows = results(ORACLE, [0.9] * 10, loads) + results("x", [0.9] * 5 + [0.6] * 5, loads)
    whole = next(s for s in summarise(rows) if s.policy == "x" and s.load is None)
    assert whole.regret.high - whole.regret.low == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("switches", {"switches": 21.0}),
        ("reversals within 30 s", {"reversals": 4.1}),
        ("memory violation", {"violation": 0.0031}),
        ("misses and stalls", {"missed": 0.0051}),
        ("regret at load ×0.8", {"utility": 0.86}),
        ("hard event to move down", {"delay_polls": 3}),
        ("switches in constant load after 60 s", {"late_switches": 1}),
        ("no answer while sensors fail", {"unanswered": 1e-4}),
    ],
)
def test_each_gate_can_fail(name: str, others: dict[str, Any]) -> None:
    loads = [0.35, 0.8]
    rows = results(ORACLE, [0.9, 0.9], loads)
    good = results("x", [0.89, 0.89], loads)
    assert all(gate.passed and gate.excess == 0.0 for gate in gates(summarise(rows + good), "x"))
    bad = [*good[:1], replace(good[1], figures=replace(good[1].figures, **others))]
    if name.startswith("switches in"):
        bad = [replace(row, kind="constant") for row in bad]
    elif name[:6] not in ("regret", "no ans") and "event" not in name:
        bad = [replace(row, figures=replace(row.figures, **others)) for row in bad]
    failed = [gate for gate in gates(summarise(rows + bad), "x") if not gate.passed]
    assert [gate.name for gate in failed] == [name]
    assert failed[0].excess > 0.0


def test_answers_are_a_gate_only_where_sensors_fail() -> None:
    rows = results(ORACLE, [0.9], [0.5]) + results("x", [0.9], [0.5], unanswered=0.5)
    (found,) = [each for each in summarise(rows) if each.policy == "x"]
    assert found.unanswered is None
    assert all(gate.passed for gate in gates([found], "x"))
    good = [replace(row, figures=FIGURES) for row in rows]
    worst = summarise([replace(row, faulty=True) for row in (*good, *rows)])
    assert next(each for each in worst if each.policy == "x").unanswered == 0.5
    assert [gate.name for gate in gates(worst, "x") if not gate.passed] == [
        "no answer while sensors fail"
    ]
