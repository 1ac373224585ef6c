"""Sound cards whose numbers change: ALSA gives out the lowest free one, whatever a card is."""

from typing import NamedTuple

import pytest

from tests.board.board import PATIENCE_S, Board
from tests.board.test_devices import TROUBLE

pytestmark = [pytest.mark.root, pytest.mark.slow]


class Card(NamedTuple):
    """A sound card: ALSA's short name for it, its driver, and its device there."""

    id: str
    driver: str
    device: str


LOOPBACK = Card("Loopback", "/sys/bus/platform/drivers/snd_aloop", "snd_aloop.0")
HDA = Card("Intel", "/sys/bus/pci/drivers/snd_hda_intel", "0000:00:10.0")


@pytest.mark.parametrize(
    ("device", "card"),
    [
        pytest.param("/dev/snd/by-path/platform-snd_aloop.0", LOOPBACK, id="by-path"),
        pytest.param("hda intel", HDA, id="by-name"),
    ],
)
def test_a_microphone_that_comes_back_under_another_number_is_found(
    board: Board, device: str, card: Card
) -> None:
    start = board.configure("audio", device=device)
    healthy = board.wait_for_source("audio", "healthy", after=start["seq"])
    numbers = number_of(board, LOOPBACK), number_of(board, HDA)
    assert sorted(numbers) == [0, 1]
    assert open_for_capture(board) == number_of(board, card)

    for each in (LOOPBACK, HDA):
        unplug(board, each)
    gone = board.wait_for_source("audio", *TROUBLE, after=healthy["seq"])
    board.line.check("until grep -q 'no soundcards' /proc/asound/cards; do sleep 0.2; done")
    for each in (LOOPBACK, HDA) if numbers == (1, 0) else (HDA, LOOPBACK):
        plug_in(board, each)
    back = board.wait_for_source("audio", "healthy", after=gone["seq"])

    assert (number_of(board, LOOPBACK), number_of(board, HDA)) == numbers[::-1]
    assert open_for_capture(board) == number_of(board, card)
    assert back["reconnects"] > healthy["reconnects"]
    assert board.show("NRestarts") == "0"


def unplug(board: Board, card: Card) -> None:
    # It ends when the last program has let go of the card.
    board.line.check(f"(echo {card.device} > {card.driver}/unbind) >/dev/null 2>&1 &")


def plug_in(board: Board, card: Card) -> None:
    board.line.check(
        f"echo {card.device} > {card.driver}/bind; "
        f"until [ -e /proc/asound/{card.id} ]; do sleep 0.2; done",
        PATIENCE_S,
    )


def number_of(board: Board, card: Card) -> int:
    link = board.line.check(f"readlink /proc/asound/{card.id}").strip()
    return int(link.removeprefix("card"))


def open_for_capture(board: Board) -> int:
    """Return the number of the card that the daemon records from."""
    # Some may be gone by the time that they are looked at.
    files = board.line.run(f"readlink /proc/{board.show('MainPID')}/fd/*").output.split()
    (node,) = {file for file in files if file.startswith("/dev/snd/pcm")}
    assert node.endswith("c")
    return int(node.removeprefix("/dev/snd/pcmC").partition("D")[0])
