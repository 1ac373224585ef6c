import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import sampled_from
from numpy.typing import NDArray

from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.inference.bundle import BundleError, load_bundle
from edge_daemon.inference.interpreter import InterpreterError
from edge_daemon.inference.memory import resident_bytes
from edge_daemon.inference.pipeline import Pipeline, load_pipeline
from edge_daemon.inference.swap import NS_PER_S, Prepared, Swapper
from edge_daemon.tier import TIERS, Tier
from edge_daemon.worker import Worker
from tests.inference.scenes import AVDIGITS, BARS, ROOT, bar, burst, ring_of, window

KIB = 1024


class InterruptedClock(VirtualClock):
    """A clock whose next reading is the moment for something else to happen."""

    def __init__(self, start_ns: int) -> None:
        super().__init__(start_ns)
        self._actions: list[Callable[[], None]] = []
        self.interruptions = 0

    def __call__(self) -> int:
        while self._actions:
            self.interruptions += 1
            self._actions.pop()()
        return super().__call__()

    def interrupt_with(self, action: Callable[[], None]) -> None:
        self._actions.append(action)


class Board:
    """A swapper with what a daemon has around it: a clock, a fault log, a running pipeline."""

    def __init__(self, directory: Path = BARS, **options: float) -> None:
        self.clock = InterruptedClock(NS_PER_S)
        self.faults: list[tuple[Tier, str]] = []
        self.swapper: Swapper[str] = Swapper(
            load_bundle(directory),
            1,
            self.clock,
            lambda *fault: self.faults.append(fault),
            **options,
        )
        self.pipeline = self.swapper.resident

    def adopt(self) -> Prepared[str] | None:
        """What the loop does between two windows."""
        prepared = self.swapper.take()
        if prepared is not None:
            self.swapper.give_back(self.pipeline)
            self.pipeline = prepared.pipeline
        return prepared

    def go(self, tier: Tier, order: str = "") -> None:
        self.swapper.request(tier, order)
        self.swapper.step()
        assert self.adopt() is not None

    def wait_s(self, seconds: float) -> None:
        self.clock.advance_to(self.clock() + round(seconds * NS_PER_S))


def runs(pipeline: Pipeline) -> bool:
    try:
        pipeline.run(window(bar(1)))
    except InterpreterError:
        return False
    return True


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def spoilable(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BARS, tmp_path / "bars"))


def test_it_begins_with_critical(board: Board) -> None:
    assert board.swapper.resident.tier is Tier.CRITICAL
    assert runs(board.swapper.resident)
    assert board.swapper.take() is None
    assert board.swapper.step() is False


def test_a_request_is_prepared_and_taken_once(board: Board) -> None:
    board.swapper.request(Tier.HIGH, "cpu is free")
    assert board.swapper.take() is None
    assert board.swapper.step()
    prepared = board.swapper.take()
    assert prepared is not None
    assert (prepared.tier, prepared.pipeline.tier, prepared.order) == (
        Tier.HIGH,
        Tier.HIGH,
        "cpu is free",
    )
    assert prepared.prepare_ms == 0.0  # the virtual clock stood still
    assert board.swapper.take() is None
    assert board.swapper.step() is False


def test_the_time_to_prepare_is_measured() -> None:
    swapper: Swapper[None] = Swapper(load_bundle(BARS), 1, monotonic_ns, lambda *_: None)
    swapper.request(Tier.LOW, None)
    swapper.step()
    prepared = swapper.take()
    assert prepared is not None
    assert 0.0 < prepared.prepare_ms < 60_000.0


def test_the_old_one_runs_until_it_is_given_back(board: Board) -> None:
    board.go(Tier.LOW)
    low = board.pipeline
    board.swapper.request(Tier.HIGH, "")
    board.swapper.step()
    assert runs(low)
    board.adopt()
    assert runs(low)  # disposal is the worker's
    board.swapper.step()
    assert not runs(low)
    assert runs(board.pipeline)


def test_critical_is_handed_out_without_being_prepared(board: Board) -> None:
    board.go(Tier.HIGH)
    high = board.pipeline
    board.swapper.request(Tier.CRITICAL, "memory")
    prepared = board.adopt()  # no step in between
    assert prepared is not None
    assert prepared.pipeline is board.swapper.resident
    assert (prepared.order, prepared.prepare_ms) == ("memory", 0.0)
    board.swapper.step()
    assert not runs(high)


def test_critical_survives_every_swap(board: Board) -> None:
    resident = board.swapper.resident
    for tier in (Tier.HIGH, Tier.CRITICAL, Tier.LOW, Tier.CRITICAL, Tier.MEDIUM):
        board.go(tier)
        board.swapper.step()
        assert board.swapper.resident is resident
        assert runs(resident)


def test_a_newer_request_supersedes_one_that_waits(board: Board) -> None:
    board.swapper.request(Tier.HIGH, "old")
    board.swapper.request(Tier.LOW, "new")
    board.swapper.step()
    prepared = board.adopt()
    assert prepared is not None
    assert (prepared.tier, prepared.order) == (Tier.LOW, "new")
    board.swapper.step()
    assert board.swapper.take() is None


def test_a_newer_request_supersedes_one_that_is_ready(board: Board) -> None:
    board.swapper.request(Tier.HIGH, "old")
    board.swapper.step()
    stale = board.swapper._ready
    board.swapper.request(Tier.LOW, "new")
    assert board.swapper.take() is None
    board.swapper.step()
    prepared = board.adopt()
    assert prepared is not None and prepared.tier is Tier.LOW
    assert stale is not None and not runs(stale.pipeline)


def test_critical_supersedes_what_is_being_prepared(board: Board) -> None:
    """The request arrives while `high` is being loaded: what comes of it is thrown away."""
    board.go(Tier.LOW)
    board.swapper.request(Tier.HIGH, "up")
    board.clock.interrupt_with(lambda: board.swapper.request(Tier.CRITICAL, "hot"))
    board.swapper.step()
    assert board.clock.interruptions == 1
    prepared = board.adopt()
    assert prepared is not None and prepared.tier is Tier.CRITICAL
    board.swapper.step()
    assert board.swapper.take() is None


def test_a_request_during_preparation_is_prepared_next(board: Board) -> None:
    board.swapper.request(Tier.HIGH, "up")
    board.clock.interrupt_with(lambda: board.swapper.request(Tier.MEDIUM, "less"))
    board.swapper.step()
    assert board.clock.interruptions == 1
    assert board.swapper.take() is None
    board.swapper.step()
    prepared = board.adopt()
    assert prepared is not None and (prepared.tier, prepared.order) == (Tier.MEDIUM, "less")


def test_asking_for_what_runs_calls_everything_off(board: Board) -> None:
    board.go(Tier.LOW)
    board.swapper.request(Tier.HIGH, "up")
    board.swapper.request(Tier.LOW, "stay")
    assert board.swapper.step() is False
    assert board.swapper.take() is None
    board.swapper.request(Tier.HIGH, "up")
    board.swapper.step()
    board.swapper.request(Tier.LOW, "stay")
    assert board.swapper.take() is None
    assert board.swapper.step() is True  # the stale `high` is disposed of
    assert board.swapper.step() is False


def test_the_same_tier_again_keeps_the_first_order(board: Board) -> None:
    board.swapper.request(Tier.HIGH, "first")
    board.swapper.request(Tier.HIGH, "second")
    board.swapper.step()
    board.swapper.request(Tier.HIGH, "third")
    prepared = board.adopt()
    assert prepared is not None and prepared.order == "first"


@pytest.mark.parametrize("spoil", ["missing", "changed", "cut"])
def test_a_failed_load_leaves_what_runs_alone(spoilable: Path, spoil: str) -> None:
    board = Board(spoilable)
    board.go(Tier.LOW)
    low, high = board.pipeline, spoilable / "high.tflite"
    original = high.read_bytes()
    if spoil == "missing":
        high.unlink()
    elif spoil == "changed":
        high.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    else:
        high.write_bytes(original[:1000])
    board.swapper.request(Tier.HIGH, "")
    assert board.swapper.step()
    assert board.adopt() is None
    assert runs(low)
    ((tier, message),) = board.faults
    assert tier is Tier.HIGH
    assert message.startswith("high could not be loaded, tried again in 2 s: ")
    assert "high.tflite" in message

    high.write_bytes(original)
    board.swapper.step()
    assert board.swapper.take() is None  # not before its time
    board.wait_s(2.0)
    board.swapper.step()
    prepared = board.adopt()
    assert prepared is not None and prepared.tier is Tier.HIGH
    assert len(board.faults) == 1


def test_pauses_double_up_to_the_longest(spoilable: Path) -> None:
    board = Board(spoilable, retry_first_s=1.0, retry_max_s=6.0)
    (spoilable / "high.tflite").unlink()
    board.swapper.request(Tier.HIGH, "")
    board.swapper.step()
    for pause_s in (1.0, 2.0, 4.0, 6.0, 6.0):
        before = len(board.faults)
        board.wait_s(pause_s - 0.001)
        assert board.swapper.step() is False
        assert len(board.faults) == before
        board.wait_s(0.001)
        assert board.swapper.step() is True
        assert len(board.faults) == before + 1
    pauses = [message.split("again in ")[1].split(" s")[0] for _, message in board.faults]
    assert pauses == ["1", "2", "4", "6", "6", "6"]


def test_a_request_during_the_pause_is_not_tried_early_but_others_are(spoilable: Path) -> None:
    board = Board(spoilable)
    (spoilable / "high.tflite").unlink()
    board.swapper.request(Tier.HIGH, "")
    board.swapper.step()
    board.go(Tier.LOW, "still goes")
    board.swapper.step()
    board.swapper.request(Tier.HIGH, "again")
    assert board.swapper.step() is False
    assert len(board.faults) == 1
    board.swapper.request(Tier.CRITICAL, "always goes")
    assert board.adopt() is not None


def test_success_resets_the_pause(spoilable: Path) -> None:
    board = Board(spoilable)
    high = spoilable / "high.tflite"
    original = high.read_bytes()
    for _ in range(2):
        high.unlink()
        board.swapper.request(Tier.HIGH, "")
        board.swapper.step()
        high.write_bytes(original)
        board.wait_s(2.0)
        board.swapper.step()
        assert board.adopt() is not None
        board.go(Tier.CRITICAL)
    assert all("again in 2 s" in message for _, message in board.faults)


def test_without_critical_there_is_no_start(spoilable: Path) -> None:
    bundle = load_bundle(spoilable)
    (spoilable / "critical.tflite").unlink()
    with pytest.raises(BundleError, match=r"critical\.tflite"):
        Swapper(bundle, 1, monotonic_ns, lambda *_: None)


def test_too_little_memory_is_a_failed_load_and_not_the_end() -> None:
    """In a process whose address space is limited, as by MemoryMax without overcommit."""
    program = f"""
import resource
from pathlib import Path
from edge_daemon.clock import monotonic_ns
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.inference.swap import Swapper
from edge_daemon.tier import Tier
from tests.inference.scenes import bar, window
swapper = Swapper(load_bundle(Path({str(AVDIGITS)!r})), 1, monotonic_ns,
                  lambda tier, message: print(tier, message), retry_first_s=0.0)
pages = int(Path("/proc/self/statm").read_text().split()[0])
for spare in (0, 60_000, 100_000, 1_000_000):
    limit = pages * resource.getpagesize() + spare
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    for tier in (Tier.HIGH, Tier.LOW, Tier.MEDIUM):
        swapper.request(tier, None)
        swapper.step()
        assert swapper.take() is None
    swapper.resident.run(window(bar(1)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 12
    assert all("could not be loaded" in line and "can be allocated" in line for line in lines)


def test_close_frees_everything(board: Board) -> None:
    board.go(Tier.LOW)
    low = board.pipeline
    board.swapper.request(Tier.HIGH, "")
    board.swapper.step()
    ready = board.swapper._ready
    board.swapper.give_back(low)
    board.swapper.close()
    assert ready is not None
    assert not any(runs(pipeline) for pipeline in (low, ready.pipeline, board.swapper.resident))


def test_memory_does_not_grow_over_a_thousand_swaps() -> None:
    """Bound: 2 MiB in 1,000 swaps, of which 750 load a model of 0.7 to 1.1 MiB.

    Measured: 0.6 MiB once, when the heap settles, then 0.02 to 0.05 MiB a thousand.
    """
    board = Board(AVDIGITS)
    tour = (Tier.HIGH, Tier.LOW, Tier.MEDIUM, Tier.CRITICAL)

    def swap(times: int) -> None:
        for number in range(times):
            board.go(tour[number % len(tour)])
            board.swapper.step()

    swap(200)
    before = resident_bytes()
    swap(1000)
    assert resident_bytes() - before < 2048 * KIB
    assert board.faults == []


def test_a_loop_and_a_worker_swap_without_losing_a_window() -> None:
    """Real models, two threads: every window gets scores, from the tier that was adopted."""
    bundle, faults = load_bundle(AVDIGITS), list[str]()
    swapper: Swapper[int] = Swapper(
        bundle, 2, monotonic_ns, lambda tier, message: faults.append(message)
    )
    alone = {tier: expected(tier) for tier in TIERS}
    worker = Worker("swap", swapper.run)
    worker.start()
    picture, ring = bar(1, 40), ring_of(burst(2.0, at_s=1.3))
    pipeline, adopted, windows = swapper.resident, [Tier.CRITICAL], 0
    tour = (Tier.HIGH, Tier.LOW, Tier.CRITICAL, Tier.MEDIUM) * 10
    for number, tier in enumerate(tour):
        swapper.request(tier, number)
        for _ in range(5000):
            prepared = swapper.take()
            if prepared is not None:
                swapper.give_back(pipeline)
                pipeline = prepared.pipeline
                assert prepared.order == number
                adopted.append(pipeline.tier)
            scores = pipeline.run(window(picture, ring))
            np.testing.assert_array_equal(scores.probabilities, alone[pipeline.tier])
            windows += 1
            if prepared is not None:
                break
            threading.Event().wait(0.001)
    assert worker.stop(5.0)
    assert adopted == [Tier.CRITICAL, *tour]
    assert windows >= len(tour)
    assert faults == []
    swapper.close()


def expected(tier: Tier) -> NDArray[np.float32]:
    pipeline = load_pipeline(load_bundle(AVDIGITS), tier, 2)
    return pipeline.run(window(bar(1, 40), ring_of(burst(2.0, at_s=1.3)))).probabilities


def test_the_worker_stops_soon_when_idle_and_when_backed_off(spoilable: Path) -> None:
    board = Board(spoilable)
    (spoilable / "high.tflite").unlink()
    worker = Worker("swap", board.swapper.run)
    worker.start()
    board.swapper.request(Tier.HIGH, "")
    assert worker.stop(5.0)


class AnyOrderOfEvents(RuleBasedStateMachine):
    """Whatever governor, worker and loop do in whatever order, one pipeline runs."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.asked: Tier | None = None
        self.gone: list[Pipeline] = []

    @rule(tier=sampled_from(TIERS))
    def request(self, tier: Tier) -> None:
        self.board.swapper.request(tier, str(tier))
        self.asked = tier

    @rule()
    def step(self) -> None:
        self.board.swapper.step()

    @rule()
    def adopt(self) -> None:
        before = self.board.pipeline
        prepared = self.board.adopt()
        if prepared is not None:
            assert prepared.tier is self.asked  # never one that was superseded
            assert before is not prepared.pipeline
            self.gone.append(before)

    @invariant()
    def what_runs_runs(self) -> None:
        assert runs(self.board.pipeline)
        assert runs(self.board.swapper.resident)
        assert self.board.faults == []

    def teardown(self) -> None:
        """Settle: the last request wins, and everything else is freed."""
        self.board.swapper.step()
        self.board.adopt()
        self.board.swapper.step()
        if self.asked is not None:
            assert self.board.pipeline.tier is self.asked
        resident = self.board.swapper.resident
        for pipeline in self.gone:
            if pipeline not in (resident, self.board.pipeline):
                assert not runs(pipeline)
        assert self.board.swapper.step() is False


TestAnyOrderOfEvents = AnyOrderOfEvents.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
