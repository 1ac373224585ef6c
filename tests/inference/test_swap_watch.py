"""Preparations that do not return: given up, left behind in a bounded number, recovered from."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_daemon.inference.swap_watch import HANG_S, MOST_LEFT, SwapWatch
from edge_daemon.tier import Tier
from tests.inference.board import Board, runs
from tests.inference.leased import leased
from tests.inference.scenes import BARS

PATIENCE_S = 30.0


class Watched(Board):
    """A board on which a real thread prepares, and is watched; its clock stands still."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory
        self.watch = SwapWatch(self.swapper, lambda *fault: self.faults.append(fault))
        self.worker = self.watch.worker

    def hang(self, tier: Tier) -> None:
        """Ask for a tier and wait until its preparation is under way."""
        self.swapper.request(tier, "")
        until(lambda: self.swapper._attempt is not None)

    def give_up(self) -> None:
        """Let the time pass in which a preparation must have ended."""
        self.wait_s(HANG_S + 0.001)
        self.watch.check()

    def arrives(self, tier: Tier) -> bool:
        """Adopt what is ready; return whether it is this tier."""
        prepared = self.adopt()
        return prepared is not None and prepared.tier is tier


def until(condition: Callable[[], bool]) -> None:
    for _ in range(round(PATIENCE_S / 0.005)):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not happen")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(Path(shutil.copytree(BARS, tmp_path / "bars")))
    watched.worker.start()
    yield watched
    assert watched.worker.stop(PATIENCE_S)
    watched.swapper.close()


def test_a_tier_that_gets_ready_is_nobodys_business(board: Watched) -> None:
    for tier in (Tier.HIGH, Tier.LOW, Tier.CRITICAL, Tier.MEDIUM):
        board.swapper.request(tier, "")
        until(lambda tier=tier: board.arrives(tier))  # type: ignore[misc]
        board.give_up()
    assert board.faults == []
    assert board.worker.left_behind == 0


def test_one_that_takes_its_time_is_waited_for(board: Watched) -> None:
    with leased(board.directory / "medium.tflite"):
        board.hang(Tier.MEDIUM)
        board.wait_s(HANG_S)
        board.watch.check()
        assert board.faults == []
    until(lambda: board.arrives(Tier.MEDIUM))


def test_critical_waits_for_nothing_that_hangs(board: Watched) -> None:
    board.swapper.request(Tier.LOW, "")
    until(lambda: board.arrives(Tier.LOW))
    with leased(board.directory / "medium.tflite") as medium:
        board.hang(Tier.MEDIUM)
        board.swapper.request(Tier.CRITICAL, "hot")
        prepared = board.adopt()  # at once, while the other hangs
        assert prepared is not None and (prepared.tier, prepared.order) == (Tier.CRITICAL, "hot")
        assert runs(board.pipeline)
        until(lambda: medium.asked_for)
        assert board.swapper._attempt is not None


def test_what_hangs_is_reported_once_and_left_behind(board: Watched) -> None:
    with leased(board.directory / "medium.tflite"):
        board.hang(Tier.MEDIUM)
        board.give_up()
        board.watch.check()
        ((tier, message),) = board.faults
        assert tier is Tier.MEDIUM
        assert message.startswith("medium is not ready after 30 s, tried again in 2 s: reading ")
        assert f"{board.directory}/medium.tflite" in message
        assert "the thread is left behind (1 of at most 3), a fresh one goes on" in message
        assert board.worker.left_behind == 1
        # The fresh one prepares another tier, and disposes of the one before.
        board.swapper.request(Tier.LOW, "")
        until(lambda: board.arrives(Tier.LOW))
        low = board.pipeline
        board.swapper.request(Tier.CRITICAL, "")
        assert board.arrives(Tier.CRITICAL)
        until(lambda: not runs(low))
        assert len(board.faults) == 1
    until(lambda: board.worker.left_behind == 0)
    assert board.adopt() is None, "nobody wants it any more"
    assert len(board.faults) == 1


def test_what_a_late_one_brings_is_taken_while_it_is_wanted(board: Watched) -> None:
    with leased(board.directory / "medium.tflite"):
        board.hang(Tier.MEDIUM)
        board.give_up()
    until(lambda: board.arrives(Tier.MEDIUM))  # the clock stands still: not tried again
    until(lambda: board.worker.left_behind == 0)
    assert runs(board.pipeline)


def test_what_is_still_wanted_is_tried_again_by_the_fresh_thread(board: Watched) -> None:
    with leased(board.directory / "medium.tflite"):
        board.hang(Tier.MEDIUM)
        board.give_up()
        assert board.swapper._attempt is None
        board.wait_s(2.0)
        until(lambda: board.swapper._attempt is not None)
    until(lambda: board.arrives(Tier.MEDIUM))
    until(lambda: board.worker.left_behind == 0)
    until(lambda: not board.swapper._returned and board.swapper._attempt is None)
    assert board.adopt() is None, "one of the two was thrown away"
    assert runs(board.pipeline)


def test_a_late_failure_is_not_reported_again(board: Watched) -> None:
    with leased(board.directory / "high.tflite") as high:
        board.hang(Tier.HIGH)
        board.give_up()
        high.spoil()
    until(lambda: board.worker.left_behind == 0)
    assert len(board.faults) == 1
    assert board.adopt() is None
    board.wait_s(1.999)  # nor does it lengthen the pause
    assert board.swapper._due_ns() is None
    board.wait_s(0.001)
    until(lambda: len(board.faults) == 2)
    assert "SHA-256" in board.faults[-1][1]


def test_a_superseded_one_that_hangs_holds_nobody_up_for_longer(board: Watched) -> None:
    with leased(board.directory / "medium.tflite"):
        board.hang(Tier.MEDIUM)
        board.wait_s(HANG_S - 1)
        board.swapper.request(Tier.LOW, "")  # waits for the thread, but only for the rest
        board.wait_s(1.001)
        board.watch.check()
        assert [tier for tier, _ in board.faults] == [Tier.MEDIUM]
        until(lambda: board.arrives(Tier.LOW))


def test_no_more_than_a_few_are_left_and_all_come_back(board: Watched) -> None:
    threads = threading.active_count()
    with leased(board.directory / "high.tflite"):
        for _ in range(MOST_LEFT):
            board.hang(Tier.HIGH)
            board.give_up()
            board.wait_s(600.0)
        board.hang(Tier.HIGH)
        board.give_up()
        assert board.worker.left_behind == MOST_LEFT
        assert threading.active_count() == threads + MOST_LEFT
        board.swapper.request(Tier.LOW, "nobody is left who could")
        board.give_up()
        board.swapper.request(Tier.CRITICAL, "always goes")
        assert board.adopt() is None, "it runs already"
        assert [tier for tier, _ in board.faults] == [Tier.HIGH] * (MOST_LEFT + 1) + [Tier.LOW]
        assert "3 threads hang already" in board.faults[-1][1]
    until(lambda: board.worker.left_behind == 0)
    board.swapper.request(Tier.LOW, "")
    board.wait_s(600.0)
    until(lambda: board.arrives(Tier.LOW))


def test_a_thread_that_does_not_even_begin_is_noticed(tmp_path: Path) -> None:
    board = Watched(Path(shutil.copytree(BARS, tmp_path / "bars")))  # nothing is started
    board.swapper.request(Tier.LOW, "")
    board.wait_s(HANG_S)
    board.watch.check()
    assert board.faults == []
    board.wait_s(0.001)
    board.watch.check()
    assert [tier for tier, _ in board.faults] == [Tier.LOW]
    board.wait_s(2.0)
    until(lambda: board.arrives(Tier.LOW))
    assert board.worker.stop(PATIENCE_S)


def test_a_pause_after_a_failure_is_no_hang(board: Watched) -> None:
    (board.directory / "high.tflite").unlink()
    board.swapper.request(Tier.HIGH, "")
    for failures in range(1, 7):
        until(lambda failures=failures: len(board.faults) == failures)  # type: ignore[misc]
        board.watch.check()
        board.wait_s(700.0)
    assert all("could not be loaded" in message for _, message in board.faults)
    assert board.worker.left_behind == 0
