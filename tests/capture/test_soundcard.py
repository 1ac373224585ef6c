from pathlib import Path

import pytest

from edge_daemon.capture.soundcard import (
    card_number,
    find_cards,
    is_identity,
    list_cards,
    name_cards,
)
from tests.capture.cards import SOCKETS, plug, solder, unplug


def numbers(root: Path, wanted: str) -> list[int]:
    return [card.number for card in find_cards(list_cards(root), wanted, root)]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("USB PnP Sound Device: Audio (hw:1,0)", 1),
        ("USB Audio: - (hw:12,3)", 12),
        ("USB Audio: - (plughw:2,0)", 2),
        ("default", None),
        ("(hw:1,0) monitor", None),
        ("sysdefault", None),
    ],
)
def test_the_card_of_a_portaudio_device(name: str, number: int | None) -> None:
    assert card_number(name) == number


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("0d8c:0014", True),
        ("0D8C:0014:A 1:b", True),
        ("/dev/snd/by-path/pci-0000:00:14.0-usb-0:2:1.0", True),
        ("USB Audio: -", False),
        ("0d8c:014", False),
        ("0d8c:0014:", False),
        ("usb pnp", False),
    ],
)
def test_an_identity_is_told_from_a_part_of_a_name(wanted: str, expected: bool) -> None:
    assert is_identity(wanted) is expected


def test_a_board_without_sound_has_no_cards(tmp_path: Path) -> None:
    assert list_cards(tmp_path) == []
    assert numbers(tmp_path, "0d8c:0014") == []
    assert numbers(tmp_path, "/dev/snd/by-path/nothing") == []


def test_a_card_is_known_by_its_usb_identity_and_by_where_it_sits(tmp_path: Path) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.2", usb="0D8C:0014", serial="A1")
    plug(tmp_path, 2, "1-1.3", usb="046d:0825")
    soldered, first, second = list_cards(tmp_path)
    assert (soldered.usb, soldered.serial, soldered.by_path) == (None, None, None)
    assert (first.id, first.usb, first.serial) == ("Device1", "0d8c:0014", "A1")
    assert (second.identity, first.identity) == ("046d:0825", "0d8c:0014:A1")
    assert numbers(tmp_path, "0D8C:0014") == [1]
    assert numbers(tmp_path, "0d8c:0014:A1") == [1]
    assert numbers(tmp_path, "0d8c:0014:a1") == []
    assert numbers(tmp_path, "046d:0825:A1") == []
    assert numbers(tmp_path, "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.3:1.0") == [2]
    assert numbers(tmp_path, f"/{SOCKETS}/1-1.2") == [1]
    assert numbers(tmp_path, f"/{SOCKETS}/1-1.2/1-1.2:1.0") == [1]
    assert numbers(tmp_path, "/sys/class/sound/card2") == [2]
    assert numbers(tmp_path, f"/{SOCKETS}/1-1.") == []
    assert numbers(tmp_path, f"/{SOCKETS}") == [1, 2]
    assert numbers(tmp_path, "/sys/devices/platform/soc:sound") == [0]


def test_what_is_shown_means_that_card_and_no_other(tmp_path: Path) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.1", serial="A1")
    plug(tmp_path, 2, "1-1.2", serial="B2")
    plug(tmp_path, 3, "1-1.3", usb="046d:0825")
    plug(tmp_path, 4, "1-1.4", usb="1234:5678", serial="000000")
    plug(tmp_path, 5, "1-1.5", usb="1234:5678", serial="000000")
    plug(tmp_path, 6, "1-1.6", usb="1234:5678", serial="000000", by_path=False)
    plug(tmp_path, 7, "1-1.7", usb="aaaa:bbbb", serial="\x1b[31m")
    cards = list_cards(tmp_path)
    names = name_cards(cards, tmp_path)
    assert names == {
        0: "/sys/devices/platform/soc:sound",
        1: "0d8c:0014:A1",
        2: "0d8c:0014:B2",
        3: "046d:0825",
        4: "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.4:1.0",
        5: "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.5:1.0",
        6: f"/{SOCKETS}/1-1.6/1-1.6:1.0",
        7: "aaaa:bbbb",
    }
    for card in cards:
        assert numbers(tmp_path, names[card.number]) == [card.number]


def test_one_with_a_serial_beside_one_without_needs_its_path_or_serial(tmp_path: Path) -> None:
    plug(tmp_path, 0, "1-1.1")
    plug(tmp_path, 1, "1-1.2", serial="A1")
    names = name_cards(list_cards(tmp_path), tmp_path)
    assert names[0] == "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.1:1.0"
    assert names[1] == "0d8c:0014:A1"


def test_a_link_that_outlasts_its_card_means_nothing(tmp_path: Path) -> None:
    plug(tmp_path, 1, "1-1.2")
    unplug(tmp_path, "1-1.2")
    assert numbers(tmp_path, "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.2:1.0") == []
