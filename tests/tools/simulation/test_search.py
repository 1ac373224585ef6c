from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.governor.limits import Limits
from tests.tools.simulation.made import BOARD, flat
from tools.simulation.contest import Job, run_jobs
from tools.simulation.contestants import contestants
from tools.simulation.policies.ours import OursSettings
from tools.simulation.policies.schedutil import SchedutilSettings
from tools.simulation.policies.table import PatientSettings
from tools.simulation.search import (
    RANGES,
    crossed,
    draw,
    drawn_settings,
    judged,
    limits_with,
    tried,
    with_drawn,
)


@pytest.mark.parametrize("kind", list(RANGES))
def test_draws_lie_within_their_ranges_and_are_settings(kind: type) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        drawn = draw(random, RANGES[kind])
        for name, (low, high, _how) in RANGES[kind].items():
            assert 0.99 * low <= drawn[name] <= 1.01 * high
        assert with_drawn(kind(), drawn) != kind()


def test_every_dynamic_policy_can_be_searched() -> None:
    for each in contestants():
        assert type(each.settings) in RANGES or each.name.startswith("always")


def test_searches_begin_with_the_default_and_repeat() -> None:
    drawn = drawn_settings(PatientSettings(), 5, seed=1)
    assert drawn[0] == {} and len(drawn) == 6
    assert drawn == drawn_settings(PatientSettings(), 5, seed=1)
    assert drawn[1:] != drawn_settings(PatientSettings(), 5, seed=2)[1:]
    assert tried(PatientSettings(), drawn)[0].settings == PatientSettings()


def test_every_combination_is_tried_once() -> None:
    assert crossed({"ups_per_hour": [8.0, 12.0], "up_after_s": [5.0]}) == [
        {},
        {"ups_per_hour": 8.0, "up_after_s": 5.0},
        {"ups_per_hour": 12.0, "up_after_s": 5.0},
    ]


def test_limits_are_named_by_their_config_keys() -> None:
    limits = limits_with(Limits(), {"down_polls": 4, "foreseen.horizon_s": 33.0})
    assert (limits.down_polls, limits.foreseen.horizon_s) == (4, 33.0)
    assert limits.foreseen.enter_share == Limits().foreseen.enter_share
    ours = with_drawn(OursSettings(profiled=False), {"down_polls": 4})
    assert isinstance(ours, OursSettings)
    assert not ours.profiled and ours.limits.down_polls == 4


def test_the_better_setting_comes_first() -> None:
    # A load at which the kernel's headroom keeps `high` out for no reason.
    trace = flat(duration_s=120.0, foreign=0.5)
    settings = SchedutilSettings(headroom=1.6)
    drawn: list[dict[str, float]] = [{}, {"headroom": 1.0}, {"headroom": 1.9}]
    job = Job(trace, BOARD.without_stalls(), tried(settings, drawn))
    trials = judged(drawn, list(run_jobs([job], 1)))
    assert trials[0].drawn == {"headroom": 1.0}
    assert trials[0].regret == pytest.approx(0.0, abs=0.01)
    assert trials[-1].regret > 0.05
    assert "regret" in trials[-1].failed


def test_workers_change_nothing() -> None:
    jobs = [
        Job(replace(flat(duration_s=60.0, foreign=load), load=load), BOARD, tuple(contestants()))
        for load in (0.2, 0.9)
    ]
    done: list[int] = []
    alone = list(run_jobs(jobs, 1, lambda: done.append(1)))
    assert done == [1, 1]
    assert list(run_jobs(jobs, 2)) == alone
    assert [row.policy for row in alone[:2]] == ["oracle", "always critical"]
