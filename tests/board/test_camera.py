"""What a V4L2 driver agrees to and delivers, against what the driver itself says of it."""

import re
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest

from tests.board.board import PATIENCE_S, Board
from tests.board.test_devices import TROUBLE

pytestmark = [pytest.mark.root, pytest.mark.slow]

Mode = dict[str, Any]
"""Keys of the configuration's section `video`."""

HAS_NOT: Mode = {"width_px": 333, "height_px": 200, "rate_hz": 7.0}
HAS_NO_SUCH_FORMAT: Mode = {"width_px": 320, "height_px": 180, "rate_hz": 5.0, "fourcc": "MJPG"}
HAS: Mode = {"width_px": 640, "height_px": 360, "rate_hz": 4.0, "fourcc": "YUYV"}

PICTURES = 40
"""At 60 % of them dropped, fewer than 60 ticks for so many happen once in fifty thousand times."""


def text(mode: Mode) -> str:
    fourcc = f" {mode['fourcc']}" if "fourcc" in mode else ""
    return f"{mode['width_px']}×{mode['height_px']}{fourcc} at {mode['rate_hz']:g} Hz"


@pytest.mark.parametrize("asked", [HAS_NOT, HAS_NO_SUCH_FORMAT, HAS], ids=text)
def test_the_journal_says_what_was_asked_and_what_the_driver_gives(
    board: Board, asked: Mode
) -> None:
    start = board.configure("video", **asked)
    healthy = board.wait_for_source("video", "healthy", after=start["seq"])
    said = board.line.check("v4l2-ctl --get-fmt-video --get-parm")
    given = {
        "width_px": int(found(r"Width/Height +: (\d+)/", said)),
        "height_px": int(found(r"Width/Height +: \d+/(\d+)", said)),
        "rate_hz": float(found(r"Frames per second: ([\d.]+)", said)),
        "fourcc": found(r"Pixel Format +: '(....)'", said),
    }
    assert healthy["detail"].endswith(f"; {text(given)} (V4L2), asked for {text(asked)}")
    assert (given == asked) is (asked is HAS)
    board.wait_for_sight(after=healthy["seq"])


def test_a_camera_that_drops_buffers_still_sees(board: Board) -> None:
    whole = fmean(ticks_between_pictures(board))
    board.line.check("v4l2-ctl --set-ctrl percentage_of_dropped_buffers=60")
    begun = mark = board.mark()
    assert fmean(ticks_between_pictures(board)) > whole + 0.5
    for _ in range(5):
        mark = board.wait_for_sight(after=mark)["seq"]
    # Said before already where emulation is too slow for the whole rate.
    board.wait_for("capture", lambda line: "pictures a second, 5 were asked for:" in line["detail"])
    troubles = [
        (line["state"], line["detail"])
        for line in board.lines()
        if line["seq"] > begun and line["event"] == "capture" and line["state"] in TROUBLE
    ]
    assert troubles == []


def ticks_between_pictures(board: Board) -> list[int]:
    """Return how many pictures the camera was due, for each of those that the daemon took.

    The kernel logs the number of each; a camera counts those that it drops too.
    """
    debug = "/sys/class/video4linux/video0/dev_debug"
    pictures = "dmesg | grep 'VIDIOC_DQBUF: [0-9].* sequence='"
    log = board.line.check(
        f"dmesg --clear; echo 0xb > {debug}; "  # names of calls, their arguments, those of streams
        f"until [ $({pictures} | wc -l) -gt {PICTURES} ]; do sleep 0.5; done; "
        f"echo 0 > {debug}; {pictures}",
        PATIENCE_S,
    )
    numbers = [int(number) for number in re.findall(r" sequence=(\d+)", log)]
    return [after - before for before, after in pairwise(numbers)]


def found(pattern: str, said: str) -> str:
    match = re.search(pattern, said)
    assert match is not None, said
    return match[1]
