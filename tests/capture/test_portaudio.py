import pytest

from edge_daemon.capture.portaudio import InputDevice, choose

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
