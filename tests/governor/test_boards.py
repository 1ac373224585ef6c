import pytest

from edge_daemon.governor.boards import GENERIC, board_limits, board_model
from tests.governor.sysroot import board


@pytest.mark.parametrize(
    ("model", "name", "limit_c", "slowed"),
    [
        ("Raspberry Pi 3 Model B Rev 1.2", "Raspberry Pi 3", 80.0, 0.5),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "Raspberry Pi 3+", 80.0, 0.429),
        ("Raspberry Pi 3 Model B+", "Raspberry Pi 3+", 80.0, 0.429),  # the upstream device tree's
        ("Raspberry Pi 3 Model A Plus Rev 1.0", "Raspberry Pi 3+", 80.0, 0.429),
        ("Raspberry Pi Compute Module 3 Rev 1.0", "Raspberry Pi 3", 80.0, 0.5),
        ("Raspberry Pi Compute Module 3 Plus Rev 1.0", "Raspberry Pi 3+", 80.0, 0.429),
        ("Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 4", 80.0, 0.333),
        ("Raspberry Pi 400 Rev 1.0", "Raspberry Pi 4", 80.0, 0.333),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "Raspberry Pi 4", 80.0, 0.333),
        ("Raspberry Pi Compute Module 4S Rev 1.0", "Raspberry Pi 4", 80.0, 0.333),
        ("Raspberry Pi 5 Model B Rev 1.0", "Raspberry Pi 5", 80.0, 0.625),
        ("Raspberry Pi 500 Rev 1.0", "Raspberry Pi 5", 80.0, 0.625),
        ("Raspberry Pi Compute Module 5 Rev 1.0", "Raspberry Pi 5", 80.0, 0.625),
        ("Raspberry Pi Zero 2 W Rev 1.0", "Raspberry Pi Zero 2", 80.0, 0.6),
        ("Raspberry Pi Zero W Rev 1.1", "Raspberry Pi Zero", 80.0, 0.7),
        ("Raspberry Pi Model B Plus Rev 1.2", "Raspberry Pi", 80.0, 0.6),
        ("NVIDIA Jetson Nano Developer Kit", "Jetson Nano", 97.0, 0.5),
        ("NVIDIA Jetson Nano 2GB Developer Kit", "Jetson Nano", 97.0, 0.5),
        ("quill", "Jetson TX2", 95.5, 0.5),
        ("NVIDIA Jetson Xavier NX Developer Kit", "Jetson Xavier NX", 90.0, 0.5),
        ("Jetson-AGX", "Jetson AGX Xavier", 86.0, 0.5),
        ("NVIDIA Jetson Orin Nano Developer Kit", "Jetson Orin", 99.0, 0.5),
        ("NVIDIA Jetson Orin NX Engineering Reference Developer Kit", "Jetson Orin", 99.0, 0.5),
        ("NVIDIA Jetson AGX Orin Developer Kit", "Jetson AGX Orin", 99.0, 0.5),
        ("NVIDIA Jetson of a later year", "NVIDIA Jetson", None, 0.5),
        ("Radxa ROCK 5B", "generic board", None, 0.6),
        ("ThinkPad T480", "generic board", None, 0.6),
    ],
)
def test_boards_by_model(model: str, name: str, limit_c: float | None, slowed: float) -> None:
    limits = board_limits(model)
    assert (limits.name, limits.limit_c) == (name, limit_c)
    assert limits.slowed == pytest.approx(slowed, abs=1e-3)


def test_a_board_without_a_name_is_generic() -> None:
    assert board_limits(None) is GENERIC


def test_the_soft_limit_of_the_3_plus_is_beside_its_limit() -> None:
    limits = board_limits("Raspberry Pi 3 Model B Plus Rev 1.3")
    assert limits.soft_limit_c == 60.0
    assert limits.soft_share == pytest.approx(1200 / 1400)
    assert board_limits("Raspberry Pi 3 Model B Rev 1.2").soft_limit_c is None
    assert board_limits("Raspberry Pi 4 Model B Rev 1.4").soft_limit_c is None


def test_zones_of_a_jetson_that_are_not_the_chip() -> None:
    assert "PMIC-Die" in board_limits("NVIDIA Jetson Nano Developer Kit").ignored_zones
    orin = board_limits("NVIDIA Jetson AGX Orin Developer Kit").ignored_zones
    assert {"cv0-thermal", "cv1-thermal", "cv2-thermal"} <= orin
    assert "tj-thermal" not in orin


def test_the_model_of_the_board() -> None:
    assert board_model(board("rpi5")) == "Raspberry Pi 5 Model B Rev 1.0"
    assert board_model(board("laptop")) == "ThinkPad T480"
    assert board_model(board("container")) is None
