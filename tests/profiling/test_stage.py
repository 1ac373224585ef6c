"""The stage, and what is measured on it, with the real loop and the small bundle."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from edge_daemon.inference.bundle import load_bundle
from edge_daemon.journal.events import TierChange
from edge_daemon.profiling.plan import QUICK
from edge_daemon.profiling.power import measure_power
from edge_daemon.profiling.stage import ProfilingError, Setting, Stage, Turn, stage
from edge_daemon.profiling.windows import WindowCost, measure_windows
from edge_daemon.tier import TIERS, Tier
from tests.inference.scenes import BARS

PLAN = replace(QUICK, pace_ms=2.0, rounds=2, windows=4, power_s=0.02, settle_s=0.0)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Stage]:
    with stage(load_bundle(BARS), tmp_path, Setting(), PLAN.pace_ms) as made:
        yield made


def quiet(text: str) -> None:
    pass


def test_it_begins_in_critical_and_adopts_what_is_asked_for(run: Stage) -> None:
    assert run.tier is Tier.CRITICAL
    assert run.adopt(Tier.CRITICAL) is None
    for tier in (Tier.HIGH, Tier.LOW, Tier.CRITICAL):
        change = run.adopt(tier)
        assert change is not None
        assert run.tier is change.to is tier
        assert (change.prepare_ms > 0) == (tier is not Tier.CRITICAL)


def test_every_window_of_a_turn_is_computed_and_takes_time(run: Stage) -> None:
    turn = run.turn(6)
    assert len(turn.cycle_ms) == 6
    assert min(turn.cycle_ms) > 0
    assert turn.cpu_ms > 0
    assert len(run.turn(2).cycle_ms) == 2


def test_pictures_that_do_not_change_are_computed_all_the_same(tmp_path: Path) -> None:
    seen = []
    with stage(load_bundle(BARS), tmp_path, Setting(), 1.0) as run:
        bench = run._bench
        picture = next(bench.small)
        object.__setattr__(bench, "small", iter([picture] * 100))
        for _ in range(5):
            run.turn(1)
            seen += run._seen.predictions
    assert [one.reused for one in seen] == [False] * 5


def test_a_tier_that_cannot_be_made_ready_is_named(tmp_path: Path) -> None:
    bundle = load_bundle(BARS)
    copied = tmp_path / "bundle"
    copied.mkdir()
    for file in BARS.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    bundle = load_bundle(copied)
    (copied / "medium.tflite").write_bytes(b"gone")
    with stage(bundle, tmp_path / "journal", Setting(), 1.0) as run:
        assert run.adopt(Tier.LOW) is not None
        with pytest.raises(ProfilingError, match=r"medium could not be made ready: .*bytes"):
            run.adopt(Tier.MEDIUM)


def test_each_tier_has_its_turns(run: Stage) -> None:
    said: list[str] = []
    costs = measure_windows(run, PLAN, said.append)
    assert said == ["warming up", "windows, round 1 of 2", "windows, round 2 of 2"]
    assert list(costs) == list(TIERS)
    for tier, cost in costs.items():
        assert 0 < cost.cycle_ms <= cost.cycle_p95_ms
        assert cost.cpu_ms > 0
        assert (cost.prepare_ms > 0) == (tier is not Tier.CRITICAL)
        assert 0 <= cost.gap_ms < 1000


class Rounds:
    """A stage that says what it is told to, turn after turn."""

    def __init__(self, turns: list[Turn]) -> None:
        self._turns = iter(turns)

    def adopt(self, tier: Tier) -> TierChange:
        return TierChange(tier, tier, "", "", "", None, 0, prepare_ms=4.0, gap_ms=0.5)

    def turn(self, windows: int) -> Turn:
        return next(self._turns)


def test_medians_are_of_all_rounds_but_the_first() -> None:
    cold, warm = Turn([90.0, 90.0, 90.0], 80.0), Turn([1.0, 2.0, 9.0], 3.0)
    stage = Rounds([cold] * 4 + [warm] * 4 + [Turn([2.0, 2.0, 2.0], 5.0)] * 4)
    costs = measure_windows(cast(Stage, stage), PLAN, quiet)
    expected = WindowCost(2.0, float(np.percentile([1, 2, 9, 2, 2, 2], 95)), 4.0, 4.0, 0.5)
    assert costs == dict.fromkeys(TIERS, expected)


def test_power_is_what_each_tier_takes_beyond_critical(run: Stage) -> None:
    watts = {Tier.CRITICAL: 3.0, Tier.LOW: 2.9, Tier.MEDIUM: 3.5, Tier.HIGH: 4.25}
    found = measure_power(run, lambda: watts[run.tier], PLAN, quiet)
    assert found == {Tier.CRITICAL: 0.0, Tier.LOW: 0.0, Tier.MEDIUM: 0.5, Tier.HIGH: 1.25}


def test_a_battery_that_drains_evenly_favours_no_tier(run: Stage) -> None:
    """Its voltage sinks meanwhile, and so, by a gauge that counts current, does the power."""
    order = [*TIERS, Tier.CRITICAL]
    looks: list[Tier] = []

    def read_w() -> float:
        if not looks or looks[-1] is not run.tier:
            looks.append(run.tier)
        return 3.0 - 0.1 * (len(looks) - 1) + 0.5 * run.tier.rank

    found = measure_power(run, read_w, PLAN, quiet)
    assert looks == order
    assert found is not None
    assert found[Tier.MEDIUM] == pytest.approx(1.0)  # measured half-way between both looks


@pytest.mark.parametrize("tells", [0, 1, 3])
def test_power_that_is_not_told_or_no_longer_is_not_known(run: Stage, tells: int) -> None:
    told = iter([3.0] * tells)
    assert measure_power(run, lambda: next(told, None), PLAN, quiet) is None


def test_power_can_be_left_out(run: Stage) -> None:
    def asked() -> float:
        raise AssertionError

    assert measure_power(run, asked, replace(PLAN, power_s=0.0), quiet) is None
