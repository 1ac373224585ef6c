from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.tier import TIERS, Tier
from tests.tools.simulation.made import BOARD, Noting, flat, played
from tools.simulation.effects import effects

FREE = BOARD.without_stalls()


def test_the_tier_that_runs_loads_the_board() -> None:
    trace = flat(foreign=0.2)
    for tier in TIERS:
        run = played(trace, Noting([tier]), FREE)
        assert run.load[-1] == pytest.approx(0.2 + BOARD.own_load(tier))
        assert run.free_mib[-1] == pytest.approx(324.0 - BOARD.tiers[tier].memory_mib)
    hot, cool = (
        played(trace, Noting([tier]), FREE).temperature_c[-1] for tier in (Tier.HIGH, Tier.CRITICAL)
    )
    assert hot > cool + 0.5


def test_a_decision_counts_from_the_next_step_on() -> None:
    run = played(flat(duration_s=5.0), Noting([Tier.LOW, Tier.HIGH, Tier.LOW]), FREE)
    assert run.polled.tolist() == [0, 4, 8, 12, 16]
    assert run.switched.tolist() == [0, 4, 8]
    assert run.ranks.tolist() == [[0, 1], [1, 3], [3, 1]]
    assert run.tier[:10].tolist() == [0, 1, 1, 1, 1, 3, 3, 3, 3, 1]


def test_a_policy_is_asked_when_it_wants_to_be() -> None:
    run = played(flat(duration_s=10.0), Noting([Tier.LOW], poll_s=2.5), FREE)
    assert (np.diff(run.polled) * 0.25).tolist() == [1.0, 2.5, 2.5, 2.5]


def test_a_stall_costs_its_length() -> None:
    trace = flat(duration_s=20.0)
    answers = [Tier.CRITICAL, Tier.CRITICAL, Tier.LOW]
    lost = played(trace, Noting(answers)).utility, played(trace, Noting(answers), FREE).utility
    worth = effects(trace, BOARD).utility[0, Tier.LOW.rank, 0]
    missing = float((lost[1] - lost[0]).sum()) * 0.25
    assert missing == pytest.approx(BOARD.stall_up_s * worth)
    missed = played(trace, Noting(answers)).missed.sum() * 0.25
    assert missed == pytest.approx(BOARD.stall_up_s, abs=1e-6)


def test_a_battery_gives_what_the_board_draws() -> None:
    trace = flat(duration_s=600.0)
    off = np.zeros(trace.steps, dtype=np.bool_)
    battery = replace(trace, on_mains=off, battery_wh=2.0)
    run = played(battery, Noting([Tier.LOW]), FREE)
    happens = effects(battery, FREE)
    watts = happens.power_w[0, Tier.LOW.rank, 0]
    wanted_wh = watts * (600.0 - 0.25) / 3600.0 + happens.power_w[0, 0, 0] * 0.25 / 3600.0
    assert 2.0 - run.energy_wh[-1] == pytest.approx(wanted_wh)


def test_without_charge_the_board_is_off_until_the_mains_are_back() -> None:
    trace = flat(duration_s=400.0)
    on_mains = np.arange(trace.steps) * 0.25 >= 300.0
    watched = Noting([Tier.LOW])
    run = played(replace(trace, on_mains=on_mains, battery_wh=0.2), watched, FREE)
    off = run.tier < 0
    assert off[: round(60 / 0.25)].sum() == 0
    assert off[round(290 / 0.25)] and not off[-1]
    assert run.utility[off].sum() == 0.0
    assert watched.firsts == 2


def test_above_the_critical_temperature_the_board_is_off_for_a_minute() -> None:
    trace = flat(duration_s=900.0, foreign=0.9)
    closed = replace(trace, cooling=np.full(trace.steps, 2.6), ambient_c=np.full(trace.steps, 50.0))
    watched = Noting([Tier.HIGH])
    run = played(closed, watched)
    first = int(np.argmax(run.tier < 0))
    assert run.temperature_c[first - 1] >= BOARD.critical_c
    assert (run.tier[first : first + 240] < 0).all()
    assert run.tier[first + 240] >= 0
    assert run.temperature_c[first + 239] < run.temperature_c[first - 1]
    assert watched.firsts > 1


def test_too_little_memory_is_a_violation_and_worth_nothing() -> None:
    trace = flat()
    tight = replace(trace, neighbours_mib=np.full(trace.steps, BOARD.ram_mib - 80.0))
    run = played(tight, Noting([Tier.LOW, Tier.HIGH]), FREE)
    assert not run.violated[2] and run.violated[8]
    assert run.utility[2] > 0.8 and run.utility[8] == 0.0
