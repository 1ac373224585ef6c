from collections.abc import Sequence

import pytest

from edge_daemon.tier import TIERS, Tier
from tools.evaluation.tables import show
from tools.evaluation.teacher import TeacherCost
from tools.evaluation.tiers import Cost, Result
from tools.evaluation.timing import Time

RESULTS = [Result(Tier.HIGH, "live", 200, 0.9315, 0.91, 0.95, 0.94, 0.985)]
COSTS = [Cost(tier, 20_000, 900_000, tier != Tier.LOW, 0.123) for tier in TIERS]
TIMES = [Time(tier, 30.0, 45.0) for tier in TIERS]


def cells(capsys: pytest.CaptureFixture[str], name: str) -> Sequence[str]:
    """Return the cells of the last line that begins with a name."""
    rows = [
        [cell.strip() for cell in line.strip("│┃ \n").replace("┃", "│").split("│")]
        for line in capsys.readouterr().out.splitlines()
    ]
    return next(row for row in reversed(rows) if row[0] == name)


def test_shares_are_shown_in_percent(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULTS, COSTS, TIMES, None)
    out = capsys.readouterr().out
    for figure in ("93.15", "91.00 – 95.00", "94.00", "98.50", "200", "80,000"):
        assert figure in out
    assert "teacher" not in out


def test_costs_name_what_is_not_delegated(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULTS, COSTS, TIMES, None)
    assert cells(capsys, "low") == ["low", "20,000", "900,000", "30", "45", "no", "0.123"]


def test_the_teacher_is_what_high_is_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    show(RESULTS, COSTS, [*TIMES, Time("teacher", 300.0, 310.0)], TeacherCost(80_000, 9_000_000, 1))
    assert cells(capsys, "median µs") == ["median µs", "300.0", "30.0", "90.0"]
