import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge_daemon.capture.microphone import PortAudioMicrophone, list_microphones
from edge_daemon.capture.portaudio import InputDevice, choose
from edge_daemon.capture.soundcard import list_cards
from edge_daemon.capture.source import SourceError
from tests.capture.cards import plug, solder, unplug

DEVICES = [
    InputDevice(0, "HDA Intel PCH: ALC257 (hw:0,0)", 2, 44_100, False),
    InputDevice(3, "USB PnP Sound Device: Audio (hw:1,0)", 1, 48_000, False),
    InputDevice(4, "USB PnP Sound Device: Audio (hw:2,0)", 1, 48_000, False),
    InputDevice(5, "pulse", 32, 44_100, False),
    InputDevice(6, "default", 32, 44_100, True),
    InputDevice(7, "pulse monitor", 32, 44_100, False),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (None, 6),
        ("intel", 0),
        ("USB PnP Sound Device: Audio (hw:2", 4),
        ("pulse", 5),  # the whole name of one, a part of another's
        (3, 3),
    ],
)
def test_finds_the_device_meant(wanted: str | int | None, index: int) -> None:
    assert choose(DEVICES, wanted).index == index


def test_several_matches_are_listed() -> None:
    with pytest.raises(ValueError, match=r"name one: 3: USB.*hw:1,0.*; 4: USB.*hw:2,0"):
        choose(DEVICES, "usb pnp")


@pytest.mark.parametrize("wanted", ["webcam", 2])
def test_no_match_lists_what_there_is(wanted: str | int) -> None:
    with pytest.raises(ValueError, match=r"no microphone matches .*; there is: 0: HDA"):
        choose(DEVICES, wanted)


def test_no_device_at_all_is_said() -> None:
    with pytest.raises(ValueError, match="no microphone; there is: none"):
        choose([], None)


def test_without_a_default_the_first_is_taken() -> None:
    assert choose(DEVICES[:3], None).index == 0


class Host(ModuleType):
    """`sounddevice` on a board with cards, as far as it is used: lists them, opens them."""

    class PortAudioError(Exception):
        """What the real one raises."""

    def __init__(self, root: Path, *inputs: int) -> None:
        super().__init__("sounddevice")
        self.root = root
        self.inputs = inputs
        self.opened: list[str] = []
        self._initialized = 0
        self._listed: list[dict[str, Any]] = []

    def _initialize(self) -> None:
        """List the cards, once: what comes later is not seen."""
        self._initialized += 1
        hardware = [f"{card.id}: Audio (hw:{card.number},{pcm})"
                    for card in list_cards(self.root) for pcm in (0, 1)]  # fmt: skip
        self._listed = [
            {
                "index": index,
                "name": name,
                "max_input_channels": 1,
                "default_samplerate": 48_000.0,
            }
            for index, name in enumerate([*hardware, "default"])
        ]

    def _terminate(self) -> None:
        self._initialized -= 1

    def _exit_handler(self) -> None:
        pass

    def query_devices(self, kind: str | None = None) -> Any:
        return self._listed if kind is None else self._listed[-1]

    def check_input_settings(self, *_settings: object) -> None:
        pass

    def InputStream(self, *, device: int, **_settings: object) -> Any:  # noqa: N802 - the real name
        host = self

        class Stream:
            active = True

            def start(self) -> None:
                host.opened.append(host._listed[device]["name"])

            def abort(self) -> None:
                pass

            def close(self) -> None:
                pass

        return Stream()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", host)
    return host


def opened(host: Host, microphone: PortAudioMicrophone) -> str:
    microphone.open()
    microphone.close()
    return host.opened[-1]


@pytest.mark.parametrize(
    "wanted",
    ["0d8c:0014:B2", "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.2:1.0"],
)
def test_a_microphone_is_found_again_whatever_its_number(
    host: Host, tmp_path: Path, wanted: str
) -> None:
    plug(tmp_path, 0, "1-1.1", serial="A1")
    plug(tmp_path, 1, "1-1.2", serial="B2")
    microphone = PortAudioMicrophone(wanted, 8000, root=tmp_path)
    assert opened(host, microphone) == "Device1: Audio (hw:1,0)"
    unplug(tmp_path, "1-1.2")
    with pytest.raises(SourceError, match=r"no microphone matches '.*'; there is: 0: Device.*A1\]"):
        microphone.open()
    unplug(tmp_path, "1-1.1")
    plug(tmp_path, 0, "1-1.2", serial="B2")
    plug(tmp_path, 2, "1-1.1", serial="A1")
    assert opened(host, microphone) == "Device: Audio (hw:0,0)"


def test_two_equal_microphones_are_told_apart_by_serial_or_path(host: Host, tmp_path: Path) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.1", serial="A1")
    plug(tmp_path, 2, "1-1.2")
    with pytest.raises(
        SourceError,
        match=r"'0d8c:0014' matches several microphones, name one: "
        r"2: .*\(hw:1,0\) \[0d8c:0014:A1\]; 4: .*\(hw:2,0\) \[/dev/snd/by-path/.*1-1\.2:1\.0\]",
    ):
        PortAudioMicrophone("0d8c:0014", 8000, root=tmp_path).open()
    for wanted in ("0d8c:0014:A1", "/sys/devices/platform/fd500000.pcie/usb1/1-1/1-1.1"):
        microphone = PortAudioMicrophone(wanted, 8000, root=tmp_path)
        assert opened(host, microphone) == "Device1: Audio (hw:1,0)"


def test_a_card_that_portaudio_does_not_offer_is_said_to_be_busy(tmp_path: Path) -> None:
    plug(tmp_path, 1, "1-1.1")
    with pytest.raises(ValueError, match=r"sound card 1 \(Device1\), which offers no input.*fuser"):
        choose(DEVICES[3:], "0d8c:0014", list_cards(tmp_path), tmp_path)


def test_the_list_shows_what_to_put_into_the_config(host: Host, tmp_path: Path) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.1", serial="A1")
    assert [one.identity for one in list_microphones(root=tmp_path)] == [
        *["/sys/devices/platform/soc:sound"] * 2,
        *["0d8c:0014:A1"] * 2,
        None,
    ]
    assert host.opened == []
