"""The library itself, and copies of it."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.libportaudio import InputDevice, Library, PortAudioError, Stream
from edge_daemon.capture.libraries import LIBRARIES
from edge_daemon.capture.source import SourceError

INPUT_OVERFLOW = 2


class Times(ctypes.Structure):
    """PortAudio's, as its header has it."""

    _fields_ = (
        ("input_s", ctypes.c_double),
        ("now_s", ctypes.c_double),
        ("output_s", ctypes.c_double),
    )


@pytest.fixture
def library() -> Library:
    try:
        return Library(copy=True)
    except SourceError:
        pytest.skip("no PortAudio")


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """What is copied is there."""
    try:
        LIBRARIES.give_back(LIBRARIES.take())
    except SourceError as error:
        pytest.skip(str(error))


def open_none(library: Library) -> None:
    device = InputDevice(9999, "none", 1, 48_000, is_default=False)
    library.open(
        device, 1, 8000, block_s=0.02, buffer_s=0.1,
        heard=lambda *_: None, finished=lambda: None,
    )  # fmt: skip


def test_a_copy_has_a_state_of_its_own(library: Library) -> None:
    library.look_again()
    with pytest.raises(PortAudioError, match="PortAudio not initialized"):
        open_none(Library(copy=True))


def test_devices_are_looked_for_anew(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    other = Library(copy=True)
    for number, looking in enumerate((library, library, other, other, library)):
        (tmp_path / ".asoundrc").write_text(f"pcm.null_mic_{number} {{ type null }}\n")
        names = [device.name for device in looking.look_again()]
        assert [name for name in names if name.startswith("null_mic")] == [f"null_mic_{number}"]


def test_a_refusal_is_said_in_words(library: Library) -> None:
    library.look_again()
    with pytest.raises(PortAudioError, match="Invalid device"):
        open_none(library)
    assert not library.accepts(InputDevice(9999, "none", 1, 48_000, False), 1, 8000)


def test_listing_says_nothing_about_devices_that_are_not_there(
    library: Library, capfd: pytest.CaptureFixture[str]
) -> None:
    library.look_again()
    assert capfd.readouterr() == ("", "")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_copy_costs_one_descriptor(library: Library) -> None:
    del library
    before = descriptors()
    Library(copy=True)
    assert descriptors() == before + 1


def test_a_copy_that_cannot_be_loaded_costs_none(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> ctypes.CDLL:
        raise OSError(f"{path}: cannot map zero-fill pages")

    del library
    before = descriptors()
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(SourceError, match=r"cannot be loaded once more: .*zero-fill"):
        Library(copy=True)
    assert descriptors() == before


@pytest.mark.parametrize(("flags", "overflow"), [(0, False), (1, False), (INPUT_OVERFLOW, True)])
def test_a_block_comes_with_its_age_and_what_was_dropped(flags: int, overflow: bool) -> None:
    blocks: list[tuple[np.ndarray, float, bool]] = []
    stream = Stream(None, 2, lambda *block: blocks.append(block), lambda: None)
    samples = (ctypes.c_float * 6)(0, 1, 2, 3, 4, 5)
    times = Times(10.0, 10.5, 0.0)
    call = ctypes.cast(
        stream.callback,
        ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
            ctypes.c_ulong, ctypes.c_void_p,
        ),
    )  # fmt: skip
    assert call(ctypes.addressof(samples), None, 3, ctypes.addressof(times), flags, None) == 0
    samples[0] = 9.0  # PortAudio's buffer is used again
    ((block, late_s, dropped),) = blocks
    assert block.dtype == np.float32
    assert block.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert (late_s, dropped) == (0.5, overflow)
    stream.end()
    assert call(ctypes.addressof(samples), None, 3, ctypes.addressof(times), 0, None) == 2
