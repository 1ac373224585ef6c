"""What happens to boards: a core goes, the clock jumps, the power fails."""

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from edge_daemon.journal.reader import read
from tests.board.board import Board, Fields
from tools.board.state import boot_again

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_core_goes_and_comes_back(board: Board) -> None:
    core = "/sys/devices/system/cpu/cpu1/online"
    for state, cores in (("0", 1.0), ("1", 2.0)):
        mark = board.mark()
        board.line.write(core, state)
        found = wait_for_cores(board, cores, mark)
        assert "failed" not in found["reading"]
        board.wait_for_sight(after=found["seq"])
    faults = [line for line in board.lines() if line["event"] == "fault"]
    assert [line for line in faults if not is_about_speed(line)] == []


def test_the_clock_set_back_an_hour_changes_nothing_but_the_time_of_day(board: Board) -> None:
    before = board.lines()[-1]
    was_s = int(board.line.check("date +%s; date --set '1 hour ago' >/dev/null"))
    after = [before]
    for _ in range(5):
        after.append(board.wait_for("prediction", after=after[-1]["seq"]))
    assert time_of(after[-1]).timestamp() < was_s - 50 * 60
    step = board.wait_for("clock", after=before["seq"])
    assert (step["change"], step["by_s"]) == ("step", pytest.approx(-3600.0, abs=5.0))
    new = [line for line in board.lines() if line["seq"] > before["seq"]]
    others = [line for line in new if line["event"] not in ("prediction", "reading", "clock")]
    assert [line for line in others if not is_about_speed(line)] == []
    # Some lines are of things that happened before those that they follow.
    assert all(b["mono_ns"] - a["mono_ns"] < 30e9 for a, b in pairwise(new))
    assert new[-1]["mono_ns"] > before["mono_ns"]
    board.wait_for("reading", after=new[-1]["seq"])  # and the governor looks on
    assert board.show("NRestarts") == "0"


def test_a_power_cut_costs_no_line_that_had_reached_the_medium(
    board: Board, saved: Path, tmp_path: Path
) -> None:
    board.line.check("sync")
    kept = board.lines()[-1]["seq"]
    board.line.check("sync")
    board.wait_for("prediction", after=kept + 4)  # in the middle of its work
    board.machine.kill()

    with boot_again(saved, tmp_path) as machine:
        again = Board(machine)
        start = again.wait_for("start", after=kept)
        again.wait_for_sight(after=start["seq"])
        again.save_journal(tmp_path)
    complaints: list[object] = []
    found = [line.fields for line in read(tmp_path, complaints.append)]
    assert complaints == []
    assert [line["seq"] for line in found] == list(range(len(found)))
    assert [line["boot_id"] for line in found].index(start["boot_id"]) == start["seq"]
    assert start["boot_id"] != found[0]["boot_id"]
    assert all(line["event"] != "stop" for line in found[: start["seq"]])


def wait_for_cores(board: Board, cores: float, mark: int) -> Fields:
    return board.wait_for("reading", lambda line: line["reading"]["cores"] == cores, after=mark)


def is_about_speed(line: Fields) -> bool:
    """Whether it says only that a camera or disk is slow, as emulation may leave them."""
    message = line.get("detail", "") + line.get("message", "")
    return "pictures a second" in message or message.startswith("the disk ")


def time_of(line: Fields) -> datetime:
    return datetime.fromisoformat(line["ts"])
