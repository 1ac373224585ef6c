"""The Raspberry Pi 3 as QEMU has it: its device tree, its thermal sensor, its SD card."""

from pathlib import Path

import pytest

from tests.board.board import Board
from tests.board.conftest import Built
from tools.board.disk import layer
from tools.board.models import start_raspberry

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_the_daemon_knows_the_board_and_its_heat(built: Built, tmp_path: Path) -> None:
    disk = tmp_path / "disk.qcow2"
    layer(disk, built.board / "disk.ext4", "raw")
    with start_raspberry(built.board, built.kernel, disk, tmp_path / "console") as machine:
        board = Board(machine)
        state = board.line.run("systemctl is-system-running --wait", 400.0).output
        assert "running" in state, board.line.run("systemctl --failed").output
        start = board.wait_for("start")
        assert start["board"].startswith("Raspberry Pi 3 Model B")
        reading = board.wait_for("reading")["reading"]
        assert reading["temperature_zone"] == "cpu-thermal"
        assert 0.0 < reading["temperature_c"] < 80.0
        assert reading["cores"] == 4.0
        # It has no camera: the daemon says so and waits.
        board.wait_for_source("video", "reconnecting", after=-1)
        assert board.show("ActiveState") == "active"
