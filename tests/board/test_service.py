"""The service on an arm64 board with real drivers: it sees, hears, and says what it found."""

import json
from pathlib import Path

import pytest

from tests.board.board import Board
from tests.board.conftest import Built
from tests.board.test_userland import BUNDLE, PYTHON, here_and_there, largest_difference
from tools.board import outputs

pytestmark = [pytest.mark.root, pytest.mark.slow]

CAMERA = "/dev/v4l/by-path/platform-vivid.0-video-index0"
MICROPHONE = "/dev/snd/by-path/platform-snd_aloop.0"

DYNAMIC_USERS = range(61184, 65520)
"""Those that systemd gives out."""


def test_it_sees_and_hears_without_privileges(board: Board) -> None:
    board.wait_for_sight(after=board.mark())
    board.wait_for_hearing(after=-1)
    start = board.wait_for("start")
    assert (start["video"], start["pinned"]) == (f"camera {CAMERA}", False)
    assert start["audio"] == f"microphone {MICROPHONE}"
    assert board.show("ActiveState") == "active"
    assert "tier high" in board.show("StatusText")
    assert int(board.process()["CapBnd"], 16) == 0
    assert board.line.check(f"ps -o user= -p {board.show('MainPID')}").strip() == "edge-daemon"


def test_a_user_that_exists_only_while_it_runs_sees_and_hears_too(board: Board) -> None:
    # Devices are not why the unit has a user of its own: who may read the journal is.
    name = "edge-roaming"
    board.drop_in("50-dynamic", f"[Service]\nDynamicUser=yes\nUser={name}\nGroup={name}\n")
    start = board.restart()
    board.wait_for_sight(after=start["seq"])
    board.wait_for_hearing(after=start["seq"])
    process = board.process()
    assert int(process["Uid"].split()[0]) in DYNAMIC_USERS
    devices = board.line.check("getent group video audio").splitlines()
    assert len(devices) == 2
    assert {line.split(":")[2] for line in devices} < set(process["Groups"].split())
    assert board.line.run(f"grep {name} /etc/passwd /etc/group").code == 1


def test_a_reading_has_every_sensor_of_the_board(board: Board) -> None:
    reading = board.wait_for("reading", after=board.mark())["reading"]
    assert (reading["temperature_zone"], reading["temperature_limit_c"]) == ("cpu-thermal", 80.0)
    assert (reading["battery_fraction"], reading["on_mains"]) == (0.9, True)
    assert reading["cores"] == 2.0
    assert 100.0 < reading["memory_available_mib"] < 1024.0
    assert "failed" not in reading
    assert reading["absent"] == ["throttle"]


def test_the_devices_are_listed_as_the_configuration_wants_them(board: Board) -> None:
    said = board.line.check("edge-daemon devices", 120.0)
    for name in (CAMERA, MICROPHONE, "cpu-thermal", "board-battery"):
        assert name in said, said


def test_the_models_give_the_numbers_that_they_give_here(board: Board, built: Built) -> None:
    program = Path(outputs.__file__).read_text(encoding="utf-8")
    board.line.write("/run/outputs.py", program)
    printed = board.line.check(f"{PYTHON} /run/outputs.py {BUNDLE} 2>/dev/null", 120.0)
    assert largest_difference(*here_and_there(built.board / "root", printed)) <= 1


def test_a_stop_is_orderly(board: Board) -> None:
    board.line.check("systemctl stop edge-daemon", 60.0)
    assert board.show("Result") == "success"
    last = board.lines()[-1]
    assert (last["event"], last["reason"]) == ("stop", "SIGTERM")
    assert json.loads(board.line.check("tail -n 1 /var/log/edge-daemon/journal.jsonl")) == last
