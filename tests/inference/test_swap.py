import shutil
from pathlib import Path

import pytest

from edge_daemon.clock import monotonic_ns
from edge_daemon.inference.bundle import BundleError, load_bundle
from edge_daemon.inference.swap import Swapper
from edge_daemon.tier import Tier
from tests.inference.board import Board, runs
from tests.inference.scenes import BARS


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
