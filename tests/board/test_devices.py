"""Devices that come and go: drivers are unbound and bound, and lose what they should deliver."""

import pytest

from tests.board.board import Board

pytestmark = [pytest.mark.root, pytest.mark.slow]

DRIVERS = "/sys/bus/platform/drivers"
TROUBLE = ("stalled", "reconnecting", "failed")


def test_a_camera_goes_and_comes_back(board: Board) -> None:
    mark = board.mark()
    board.line.write(f"{DRIVERS}/vivid/unbind", "vivid.0")
    gone = board.wait_for_source("video", *TROUBLE, after=mark)
    board.line.write(f"{DRIVERS}/vivid/bind", "vivid.0")
    back = board.wait_for_source("video", "healthy", after=gone["seq"])
    assert back["reconnects"] > gone["reconnects"]
    board.wait_for_sight(after=back["seq"])
    assert board.show("NRestarts") == "0"


def test_a_microphone_goes_and_comes_back(board: Board) -> None:
    mark = board.mark()
    # It waits until the last program has let go of the card.
    board.line.check(f"(echo snd_aloop.0 > {DRIVERS}/snd_aloop/unbind) >/dev/null 2>&1 &")
    gone = board.wait_for_source("audio", *TROUBLE, after=mark)
    board.wait_for_sight(after=gone["seq"])
    board.line.check(
        f"while [ -e {DRIVERS}/snd_aloop/snd_aloop.0 ]; do sleep 0.2; done; "
        f"echo snd_aloop.0 > {DRIVERS}/snd_aloop/bind"
    )
    board.wait_for_source("audio", "healthy", after=gone["seq"])
    board.settle()
    assert board.show("NRestarts") == "0"


def test_a_camera_whose_stream_fails_is_opened_again(board: Board) -> None:
    mark = board.mark()
    board.line.check("v4l2-ctl --set-ctrl inject_fatal_streaming_error=1")
    gone = board.wait_for_source("video", *TROUBLE, after=mark)
    back = board.wait_for_source("video", "healthy", after=gone["seq"])
    board.wait_for_sight(after=back["seq"])
