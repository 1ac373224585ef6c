"""The gates in miniature, so that a change of the policy that costs is noticed within seconds.

`make simulate` scores 66 traces of an hour. These are ten of twenty minutes, with swaps that lose
no window, as the daemon's: what is missed is then what was too late, and nothing hides how soon a
move is taken back. Settings that are wrong on purpose play along, since traces on which they do
well would guard nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from edge_daemon.governor.limits import Limits
from edge_daemon.tier import Tier
from tests.tools.simulation.made import flat
from tools.simulation import kinds
from tools.simulation.board import Board
from tools.simulation.contest import Job, Result, run_jobs
from tools.simulation.contestants import OURS, Contestant, contestants
from tools.simulation.effects import effects
from tools.simulation.gates import gates
from tools.simulation.kinds import Maker
from tools.simulation.loop import simulate
from tools.simulation.policies.ours import OursSettings
from tools.simulation.run import Run
from tools.simulation.search import limits_with
from tools.simulation.summary import Summary, summarise
from tools.simulation.trace import Trace

BOARD = Board().without_stalls()
DURATION_S = 1200.0
FIRST_SEED = 1
KINDS = (
    (kinds.waves(30.0), 0.35),
    (kinds.memory_waves(60.0), 0.35),
    (kinds.constant, 0.55),
    (kinds.bursty, 0.55),
    (kinds.fan, 0.55),
    (kinds.leak, 0.55),
    (kinds.noisy, 0.55),
    (kinds.lost, 0.55),
    (kinds.ramp, 0.8),
    (kinds.spikes, 0.8),
)
BROKEN: dict[str, dict[str, float]] = {
    "slow to go down": {"down_polls": 10},
    "without the ration": {"ups_per_hour": 3600.0},
}
RATIONED = "more moves than the ration allows"


@pytest.fixture(scope="module")
def results() -> list[Result]:
    some = [
        make(Maker(BOARD, load, FIRST_SEED + number, DURATION_S, 27.0))
        for number, (make, load) in enumerate(KINDS)
    ]
    sound = [each for each in contestants() if each.name in (OURS, "raw table", "table, patient")]
    broken = [
        Contestant(name, OursSettings(limits_with(Limits(), drawn)))
        for name, drawn in BROKEN.items()
    ]
    return list(run_jobs([Job(trace, BOARD, (*sound, *broken)) for trace in some], 1))


@pytest.fixture(scope="module")
def summaries(results: list[Result]) -> list[Summary]:
    return summarise(results)


def most_an_hour(limits: Limits) -> float:
    """Return the tier changes that the ration can lead to within a trace, an hour.

    The first is free, and up to three steps; then three moves up at once, and what comes in later.
    Each step up can be taken back by itself.
    """
    hours = DURATION_S / 3600.0
    return (1.0 + 3.0 + 2.0 * (3.0 + limits.ups_per_hour * hours)) / hours


def failed(policy: str, results: Iterable[Result], summaries: list[Summary]) -> set[str]:
    """Return the names of the gates that a policy does not keep.

    A trace this short has most of its moves at its beginning, so that changes of tier are held
    against the ration and not against what they may be an hour.
    """
    names = {gate.name for gate in gates(summaries, policy) if not gate.passed}
    most = max(row.figures.switches for row in results if row.policy == policy)
    too_many = {RATIONED} if most > most_an_hour(Limits()) + 1e-9 else set()
    return names - {"switches"} | too_many


def regret(policy: str, summaries: list[Summary]) -> float:
    (found,) = [each for each in summaries if each.policy == policy and each.load is None]
    return found.regret.value


def test_ours_keeps_the_gates(results: list[Result], summaries: list[Summary]) -> None:
    assert len({row.kind for row in results}) == len(KINDS)
    assert failed(OURS, results, summaries) == set()


def test_ours_beats_the_tables(summaries: list[Summary]) -> None:
    ours = regret(OURS, summaries)
    assert 0.0 < ours < 0.6 * regret("table, patient", summaries)
    assert ours < 0.6 * regret("raw table", summaries)


@pytest.mark.parametrize(
    ("policy", "gate"),
    [
        ("slow to go down", "misses and stalls"),
        ("without the ration", RATIONED),
        ("raw table", "no answer while sensors fail"),
        ("raw table", "switches in constant load after 60 s"),
    ],
)
def test_what_is_wrong_is_noticed(
    policy: str, gate: str, results: list[Result], summaries: list[Summary]
) -> None:
    assert gate in failed(policy, results, summaries)


def played(settings: OursSettings, trace: Trace) -> Run:
    maker = Contestant("", settings).maker(BOARD.profile(), BOARD)
    return simulate(trace, effects(trace, BOARD), BOARD, maker)


def test_a_lull_that_is_shorter_than_the_wait_moves_nothing() -> None:
    busy = np.arange(4800) * 0.25 % 16.0 < 8.0
    trace = flat(duration_s=DURATION_S, foreign=np.where(busy, 0.95, 0.1))
    hasty = limits_with(Limits(), {"up_after_s": 0.0})
    first, other = (len(played(OursSettings(each), trace).switched) for each in (Limits(), hasty))
    assert first <= 1  # from `critical` to where it stays
    assert other > 3


def test_a_leak_is_given_none_of_the_reserve() -> None:
    trace = Maker(BOARD, 0.35, FIRST_SEED, DURATION_S).trace("leak", np.full(4800, 0.2))
    free_mib = BOARD.ram_mib - trace.neighbours_mib[0]
    left_mib = BOARD.tiers[Tier.LOW].memory_mib + 8.0
    grown = np.clip(np.linspace(-0.5, 1.5, trace.steps), 0.0, 1.0)
    trace = replace(trace, neighbours_mib=trace.neighbours_mib + (free_mib - left_mib) * grown)
    bare = limits_with(Limits(), {"memory.reserve_mib": 0.0})
    least_mib = [
        float(played(OursSettings(limits), trace).free_mib.min()) for limits in (Limits(), bare)
    ]
    assert least_mib[0] > Limits().memory.reserve_mib > least_mib[1]


def test_late_windows_drive_out_a_tier_that_no_counter_accuses() -> None:
    # As under a quota: a window takes three times as long, load and memory look well.
    trace = flat(duration_s=600.0, foreign=0.1)
    tight = np.arange(trace.steps) >= trace.steps // 4
    trace = replace(trace, slowdown=np.where(tight, 3.0, 1.0))
    deaf = limits_with(Limits(), {"cpu.late_enter": 0.999, "cpu.late_leave": 1.0})
    missed = [
        float(played(OursSettings(limits, profiled=False), trace).missed[tight].mean())
        for limits in (Limits(), deaf)
    ]
    assert missed[0] < 0.2
    assert missed[1] > 0.9
