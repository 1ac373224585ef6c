import math

import numpy as np
import pytest
from scipy.stats import norm

from edge_daemon.governor.slowdown import expected_cycle_ms
from edge_daemon.tier import TIERS, Tier
from tests.tools.simulation.made import BOARD, flat
from tools.simulation.effects import ROW, effects, erlang_c

HIGH, CRITICAL = Tier.HIGH.rank, Tier.CRITICAL.rank


def test_an_idle_board_takes_the_published_times() -> None:
    happens = effects(flat(foreign=0.0), BOARD)
    for tier in TIERS:
        assert happens.latency_ms[0, tier.rank, 0] == pytest.approx(BOARD.tiers[tier].cycle_ms)
        assert happens.own[0, tier.rank, 0] == pytest.approx(BOARD.own_load(tier))


@pytest.mark.parametrize("foreign", [0.0, 0.3, 0.9, 1.4])
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_the_daemon_foresees_what_the_board_does(foreign: float, stage: int) -> None:
    happens = effects(flat(foreign=foreign), BOARD)
    profile = BOARD.profile()
    for tier in TIERS:
        foreseen_ms = expected_cycle_ms(
            profile, tier, foreign, BOARD.own_load(tier), BOARD.clocks[stage]
        )
        assert happens.latency_ms[0, tier.rank, stage] == pytest.approx(foreseen_ms)


def test_windows_on_time_follow_the_lognormal_law() -> None:
    happens = effects(flat(foreign=0.5), BOARD)
    latency_ms = happens.latency_ms[0, HIGH, 0]
    wanted = norm.cdf(math.log(BOARD.deadline_ms / latency_ms) / BOARD.jitter)
    assert happens.on_time[0, HIGH, 0] == pytest.approx(wanted)
    random = np.random.default_rng(0)
    times_ms = latency_ms * np.exp(BOARD.jitter * random.standard_normal(100_000))
    assert (times_ms <= BOARD.deadline_ms).mean() == pytest.approx(wanted, abs=0.005)


def test_no_core_is_busy_twice() -> None:
    for foreign in (0.0, 0.5, 0.95, 2.5):
        happens = effects(flat(foreign=foreign), BOARD)
        busy = happens.own + happens.foreign
        assert (busy <= 1.0 + 1e-12).all()
        if foreign + BOARD.own_load(Tier.HIGH) < BOARD.clocks[-1]:
            assert happens.foreign[0, HIGH, 0] == pytest.approx(foreign)
        if foreign > 1.0:
            assert busy == pytest.approx(1.0)


def test_a_slower_clock_keeps_others_busy_for_longer() -> None:
    happens = effects(flat(foreign=0.3), BOARD)
    for stage, clock in enumerate(BOARD.clocks):
        assert happens.foreign[0, CRITICAL, stage] == pytest.approx(0.3 / clock)
        assert happens.own[0, CRITICAL, stage] == pytest.approx(
            BOARD.own_load(Tier.CRITICAL) / clock
        )


def test_windows_that_take_longer_than_their_period_are_fewer() -> None:
    happens = effects(flat(foreign=2.0), BOARD)
    slow_ms = happens.latency_ms[0, HIGH, 0]
    assert slow_ms > BOARD.period_ms
    load = BOARD.own_load(Tier.HIGH) * BOARD.period_ms / slow_ms
    assert happens.own[0, HIGH, 0] == pytest.approx(load)


def test_a_full_board_draws_and_heats_by_its_clock() -> None:
    happens = effects(flat(foreign=2.0), BOARD)
    for stage, clock in enumerate(BOARD.clocks):
        assert happens.power_ghz[0, HIGH, stage] == pytest.approx(clock * BOARD.clock_ghz)
        drawn_w = BOARD.idle_w + BOARD.busy_w * clock
        assert happens.power_w[0, HIGH, stage] == pytest.approx(drawn_w)


def test_a_tier_that_does_not_fit_into_memory_is_worth_nothing() -> None:
    trace = flat()
    free_mib = 100.0  # enough for medium, not for high
    short = flat(neighbours_mib=np.full(trace.steps, BOARD.ram_mib - free_mib))
    happens = effects(short, BOARD)
    assert happens.free_mib[0].tolist() == pytest.approx(
        [free_mib - BOARD.tiers[tier].memory_mib for tier in TIERS]
    )
    assert happens.utility[0, HIGH, 0] == 0.0
    assert happens.utility[0, CRITICAL, 0] > 0.8


@pytest.mark.parametrize(("load", "servers", "wanted"), [(0.5, 1, 0.5), (2.0, 3, 4 / 9)])
def test_waiting_is_erlangs(load: float, servers: int, wanted: float) -> None:
    assert erlang_c(np.array([load]), servers)[0] == pytest.approx(wanted)


def test_something_always_waits_where_all_cores_are_full() -> None:
    assert erlang_c(np.array([4.0, 9.0]), 4).tolist() == [1.0, 1.0]
    assert erlang_c(np.array([0.0]), 4)[0] == 0.0


def test_the_loop_is_given_the_same_tables() -> None:
    happens = effects(flat(duration_s=1.0), BOARD)
    for column, name in enumerate(ROW):
        table = getattr(happens, name)
        assert happens.rows[2][HIGH][1][column] == table[2, HIGH, 1]
