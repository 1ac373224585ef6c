import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.feed import Feed
from edge_daemon.capture.libportaudio import Heard, InputDevice, PortAudioError
from edge_daemon.capture.libraries import MOST, Libraries
from edge_daemon.capture.liveness import Liveness
from edge_daemon.capture.microphone import PortAudioMicrophone, list_microphones
from edge_daemon.capture.portaudio import choose
from edge_daemon.capture.soundcard import list_cards
from edge_daemon.capture.source import Chunk, SourceError
from edge_daemon.clock import monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker
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
    with pytest.raises(ValueError, match=r"no microphone found: plug one in .*audio\.source: none"):
        choose([], None)


def test_without_a_default_the_first_is_taken() -> None:
    assert choose(DEVICES[:3], None).index == 0


class Board:
    """A board with cards, as PortAudio sees it: `libraries` is where a microphone finds them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.refused_hz: set[int] = set()
        self.least_channels = 1
        self.hangs = threading.Event()  # whatever is closed or opened from now on
        self.hung = threading.Event()  # something does
        self.freed = threading.Event()
        self.on_listing: Callable[[], None] = lambda: None
        self.loaded: list[BoardLibrary] = []
        self.opened: list[str] = []
        self.heard: Heard | None = None  # of the stream that was opened last
        self.libraries = Libraries(self._load, release_s=0.05)

    def microphone(self, wanted: str | None, **options: Any) -> PortAudioMicrophone:
        """A microphone of 8 kHz on this board."""
        return PortAudioMicrophone(
            wanted, 8000, root=self.root, libraries=self.libraries, **options
        )

    def call(self) -> None:
        """What a driver does within a call."""
        if self.hangs.is_set():
            self.hung.set()
            assert self.freed.wait(20)

    def _load(self, another: bool) -> "BoardLibrary":
        assert another is (len(self.loaded) > 0)
        self.loaded.append(BoardLibrary(self))
        return self.loaded[-1]


class BoardLibrary:
    """A copy of PortAudio: it lists devices when asked to, and opens what it has listed."""

    def __init__(self, board: Board) -> None:
        self.streams = 0
        self._board = board
        self._listed: list[InputDevice] = []

    def look_again(self) -> list[InputDevice]:
        assert self.streams == 0, "that would pull it from under an open stream"
        cards = list_cards(self._board.root)
        names = [f"{card.id}: Audio (hw:{card.number},{pcm})" for card in cards for pcm in (0, 1)]
        self._listed = [
            InputDevice(index, name, 2, 48_000, name == "default")
            for index, name in enumerate([*names, "default"])
        ]
        self._board.on_listing()
        return self._listed

    def accepts(self, device: InputDevice, channels: int, rate_hz: int) -> bool:
        del device
        return channels >= self._board.least_channels and rate_hz not in self._board.refused_hz

    def open(
        self, device: InputDevice, channels: int, rate_hz: int, *, heard: Heard, **_: object
    ) -> "BoardStream":
        self._board.call()
        if not self.accepts(device, channels, rate_hz):
            raise PortAudioError("Invalid sample rate")
        self.streams += 1
        self._board.opened.append(self._listed[device.index].name)
        self._board.heard = heard
        return BoardStream(self._board, self)


class BoardStream:
    """A stream; closing it hangs while calls do."""

    active = True

    def __init__(self, board: Board, library: BoardLibrary) -> None:
        self._board = board
        self._library = library

    def close(self) -> None:
        self._board.call()
        self._library.streams -= 1


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made = Board(tmp_path)
    yield made
    made.freed.set()


def opened(board: Board, microphone: PortAudioMicrophone) -> str:
    microphone.open()
    microphone.close()
    return board.opened[-1]


@pytest.mark.parametrize(
    "wanted",
    ["0d8c:0014:B2", "/dev/snd/by-path/platform-fd500000.pcie-usb-0:1-1.2:1.0"],
)
def test_a_microphone_is_found_again_whatever_its_number(
    board: Board, tmp_path: Path, wanted: str
) -> None:
    plug(tmp_path, 0, "1-1.1", serial="A1")
    plug(tmp_path, 1, "1-1.2", serial="B2")
    microphone = board.microphone(wanted)
    assert opened(board, microphone) == "Device1: Audio (hw:1,0)"
    unplug(tmp_path, "1-1.2")
    with pytest.raises(SourceError, match=r"no microphone matches '.*'; there is: 0: Device.*A1\]"):
        microphone.open()
    unplug(tmp_path, "1-1.1")
    plug(tmp_path, 0, "1-1.2", serial="B2")
    plug(tmp_path, 2, "1-1.1", serial="A1")
    assert opened(board, microphone) == "Device: Audio (hw:0,0)"


def test_two_equal_microphones_are_told_apart_by_serial_or_path(
    board: Board, tmp_path: Path
) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.1", serial="A1")
    plug(tmp_path, 2, "1-1.2")
    with pytest.raises(
        SourceError,
        match=r"'0d8c:0014' matches several microphones, name one: "
        r"2: .*\(hw:1,0\) \[0d8c:0014:A1\]; 4: .*\(hw:2,0\) \[/dev/snd/by-path/.*1-1\.2:1\.0\]",
    ):
        board.microphone("0d8c:0014").open()
    for wanted in ("0d8c:0014:A1", "/sys/devices/platform/fd500000.pcie/usb1/1-1/1-1.1"):
        microphone = board.microphone(wanted)
        assert opened(board, microphone) == "Device1: Audio (hw:1,0)"


def test_a_card_that_portaudio_does_not_offer_is_said_to_be_busy(tmp_path: Path) -> None:
    plug(tmp_path, 1, "1-1.1")
    with pytest.raises(ValueError, match=r"sound card 1 \(Device1\), which offers no input.*fuser"):
        choose(DEVICES[3:], "0d8c:0014", list_cards(tmp_path), tmp_path)


def test_the_list_shows_what_to_put_into_the_config(board: Board, tmp_path: Path) -> None:
    solder(tmp_path, 0)
    plug(tmp_path, 1, "1-1.1", serial="A1")
    assert [one.identity for one in list_microphones(root=tmp_path, libraries=board.libraries)] == [
        *["/sys/devices/platform/soc:sound"] * 2,
        *["0d8c:0014:A1"] * 2,
        None,
    ]
    assert board.opened == []


def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("in vain")


def test_a_microphone_that_moved_is_found_while_its_old_stream_hangs(
    board: Board, tmp_path: Path
) -> None:
    plug(tmp_path, 1, "1-1.2", serial="B2")
    microphone = board.microphone("0d8c:0014:B2")
    microphone.open()
    board.hangs.set()
    unplug(tmp_path, "1-1.2")
    plug(tmp_path, 1, "1-1.1", serial="A1")
    plug(tmp_path, 2, "1-1.2", serial="B2")
    microphone.close()
    board.hangs.clear()  # only that one stream never returns
    microphone.open()
    assert board.opened == ["Device1: Audio (hw:1,0)", "Device2: Audio (hw:2,0)"]
    assert [library.streams for library in board.loaded] == [1, 1]


def test_as_many_streams_hang_as_may_and_all_come_back(board: Board, tmp_path: Path) -> None:
    plug(tmp_path, 1, "1-1.2")
    others = set(threading.enumerate())
    microphone = board.microphone("0d8c:0014")
    for _ in range(MOST):
        board.hangs.clear()
        microphone.open()
        board.hangs.set()
        microphone.close()
    for _ in range(3):
        with pytest.raises(
            SourceError, match=rf"microphone 0d8c:0014: {MOST} streams hang in the sound system"
        ):
            microphone.open()
    assert len(board.loaded) == MOST
    assert len(set(threading.enumerate()) - others) == MOST
    board.freed.set()
    until(lambda: not set(threading.enumerate()) - others)
    for _ in range(2 * MOST):
        assert opened(board, microphone) == "Device1: Audio (hw:1,0)"
    assert len(board.loaded) == MOST, "those that came back serve again"
    assert {library.streams for library in board.loaded} == {0}


def test_a_refusal_keeps_no_library(board: Board) -> None:
    board.refused_hz = {8000, 16_000}
    microphone = board.microphone(None, try_rates_hz=(8000, 16_000))
    for _ in range(2 * MOST):
        with pytest.raises(
            SourceError,
            match=r"default cannot be opened at 8000, 16000 Hz \(Invalid sample rate\); is another",
        ):
            microphone.open()
        with pytest.raises(SourceError, match="no microphone matches 'trumpet'"):
            board.microphone("trumpet").open()
    assert len(board.loaded) == 1


def test_an_opening_that_hangs_holds_nobody_else(board: Board) -> None:
    board.hangs.set()
    waiting = Worker("opening", lambda _stop: board.microphone(None).open())
    waiting.start()
    assert board.hung.wait(20)
    board.hangs.clear()
    assert opened(board, board.microphone(None)) == "default"
    assert [found.name for found in list_microphones(root=board.root, libraries=board.libraries)]
    assert waiting.alive
    board.freed.set()
    assert waiting.stop(20)


def test_cards_that_come_while_it_is_looked_for_are_not_mixed_up(
    board: Board, tmp_path: Path
) -> None:
    plug(tmp_path, 1, "1-1.1", serial="A1")
    microphone = board.microphone("0d8c:0014:B2")

    def swap() -> None:
        unplug(tmp_path, "1-1.1")
        plug(tmp_path, 1, "1-1.2", serial="B2")
        board.on_listing = lambda: None

    board.on_listing = swap
    with pytest.raises(SourceError, match="plugged in or pulled while it was looked for"):
        microphone.open()
    assert opened(board, microphone) == "Device1: Audio (hw:1,0)"


@pytest.mark.parametrize(
    ("refused_hz", "least_channels", "expected_hz"),
    [(set(), 1, 8000), ({8000}, 1, 48_000), ({8000, 48_000}, 2, 44_100)],
)
def test_a_device_that_refuses_the_rate_of_the_models_is_opened_at_another(
    board: Board, refused_hz: set[int], least_channels: int, expected_hz: int
) -> None:
    board.refused_hz, board.least_channels = refused_hz, least_channels
    microphone = board.microphone(None)
    microphone.open()
    assert microphone.opened is not None and microphone.opened.rate_hz == expected_hz
    assert board.heard is not None
    block = np.full((expected_hz // 50, least_channels), 0.25, dtype=np.float32)
    for _ in range(10):
        board.heard(block, 0.02, False)
    samples = np.concatenate([microphone.read().samples for _ in range(10)])
    assert len(samples) == pytest.approx(10 * 8000 // 50, abs=100)  # at 8 kHz, less the delay
    assert samples[-40:] == pytest.approx(0.25, abs=0.01)


def test_samples_that_the_device_dropped_are_counted_and_journalled(board: Board) -> None:
    microphone = board.microphone(None, deadline_s=0.05, queue_s=5.0)
    chunks: list[Chunk] = []
    events: list[Capture] = []
    feed: Feed[Chunk] = Feed(
        "audio",
        microphone,
        chunks.append,
        liveness=Liveness(),
        clock=monotonic_ns,
        on_change=events.append,
        retry=Backoff(0.01, 0.1),
    )
    worker = Worker("audio", feed.run)
    worker.start()
    until(lambda: board.heard)
    assert board.heard is not None
    block = np.zeros((160, 1), dtype=np.float32)
    for overflow in (False, True, False, True, True):
        board.heard(block, 0.02, overflow)
    until(lambda: len(events) == 2)  # then nothing more comes
    assert worker.stop(20)
    assert sum(chunk.overflows for chunk in chunks) == 3
    assert feed.counts.overflows == 3
    assert (events[-1].state, events[-1].overflows) == ("reconnecting", 3)
