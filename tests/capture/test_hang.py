"""Calls into a driver that do not return: left behind, bounded in number, and recovered from."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.camera import OpenCvCamera
from edge_daemon.capture.feed import MOST_LEFT, Feed
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.source import Frame, Source, SourceError
from edge_daemon.clock import monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker

FOREVER_S = 20.0


class Driver:
    """Makes cameras; a call into one hangs for as long as `wedged` is set."""

    def __init__(self) -> None:
        self.wedged = threading.Event()
        self.freed = threading.Event()
        self.number = 0
        self.hanging = 0
        self.open_now = 0
        self._lock = threading.Lock()

    def call(self) -> int:
        with self._lock:
            self.number += 1
            number = self.number
        if self.wedged.is_set():
            with self._lock:
                self.hanging += 1
            assert self.freed.wait(FOREVER_S)
            with self._lock:
                self.hanging -= 1
        return number

    def camera(self) -> "DriverCamera":
        return DriverCamera(self)

    def count_open(self, change: int) -> None:
        with self._lock:
            self.open_now += change


class DriverCamera:
    name = "camera 0"
    may_repeat = False

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._open = False
        self._thread: int | None = None

    def open(self) -> str:
        self._driver.call()
        self._driver.count_open(1)
        self._open = True
        self._thread = threading.get_ident()
        return "8×8 GREY"

    def read(self) -> Frame:
        assert self._open
        assert threading.get_ident() == self._thread
        number = self._driver.call()
        threading.Event().wait(0.002)
        return Frame(np.full((8, 8), 50 + number % 200, dtype=np.uint8), monotonic_ns())

    def close(self) -> None:
        if self._open:
            assert threading.get_ident() == self._thread, "only its own thread may release it"
            self._open = False
            self._driver.count_open(-1)


class Watched:
    """A feed at work, with what it journals and hands on."""

    def __init__(self, make: Callable[[], Source[Frame]], hang_s: float = 0.15) -> None:
        self.events: list[Capture] = []
        self.frames: list[Frame] = []
        self.feed: Feed[Frame] = Feed(
            "video",
            make(),
            self.frames.append,
            liveness=Liveness(stall_s=0.05),
            clock=monotonic_ns,
            on_change=self.events.append,
            retry=Backoff(0.001, 0.01),
            renew=make,
            hang_s=hang_s,
        )
        self.worker = Worker("video", self.feed.run)

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(round(FOREVER_S / 0.01)):
            self.feed.check(monotonic_ns())
            if condition():
                return
            threading.Event().wait(0.01)
        raise AssertionError(self.events)

    def more_frames(self, count: int = 3) -> None:
        before = len(self.frames)
        self.until(lambda: len(self.frames) >= before + count)

    def left_behind(self) -> list[str]:
        return [event.detail for event in self.events if "left behind" in event.detail]


@pytest.fixture
def driver() -> Iterator[Driver]:
    made = Driver()
    yield made
    made.freed.set()


def test_a_call_that_hangs_is_left_behind_and_another_camera_opened(driver: Driver) -> None:
    watched = Watched(driver.camera)
    watched.worker.start()
    watched.more_frames()
    driver.wedged.set()
    watched.until(lambda: driver.hanging == 1)
    driver.wedged.clear()  # only this one call never returns
    watched.until(lambda: len(watched.left_behind()) == 1)
    watched.more_frames()
    assert watched.feed.state is State.HEALTHY
    states = [event.state for event in watched.events]
    assert states == ["healthy", "stalled", "reconnecting", "healthy"]
    assert watched.events[-1].detail.startswith("recovered after")
    assert watched.events[-1].detail.endswith("; 8×8 GREY")
    assert not watched.worker.stop(timeout_s=0.3), "a thread is still in the driver"
    driver.freed.set()
    assert watched.worker.stop(timeout_s=FOREVER_S)
    assert driver.open_now == 0, "each camera was closed by the thread that opened it"


def test_what_a_late_call_brings_is_not_wanted(driver: Driver) -> None:
    watched = Watched(driver.camera)
    watched.worker.start()
    watched.more_frames()
    driver.wedged.set()
    watched.until(lambda: driver.hanging == 1)
    driver.wedged.clear()
    watched.until(lambda: len(watched.left_behind()) == 1)
    watched.more_frames()
    events = len(watched.events)
    driver.freed.set()
    watched.until(lambda: driver.open_now == 1)
    watched.more_frames(10)
    assert len(watched.events) == events, "neither its frame nor its end is told"
    times = [frame.captured_ns for frame in watched.frames]
    assert times == sorted(times)
    assert watched.worker.stop(timeout_s=FOREVER_S)


def test_no_more_than_a_few_threads_are_left_and_all_come_back(driver: Driver) -> None:
    threads = threading.active_count()
    watched = Watched(driver.camera, hang_s=0.05)
    watched.worker.start()
    watched.more_frames()
    driver.wedged.set()
    watched.until(lambda: driver.hanging == MOST_LEFT + 1)
    threading.Event().wait(0.3)  # several times hang_s
    assert driver.hanging == MOST_LEFT + 1
    assert threading.active_count() == threads + MOST_LEFT + 2, "those, one more, the watcher"
    assert f"(1 of at most {MOST_LEFT})" in watched.left_behind()[0]
    driver.wedged.clear()
    driver.freed.set()
    watched.more_frames()
    watched.until(lambda: threading.active_count() == threads + 2)
    watched.until(lambda: driver.open_now == 1)
    assert watched.worker.stop(timeout_s=FOREVER_S)
    assert threading.active_count() == threads


def test_a_slow_call_is_waited_for(driver: Driver) -> None:
    watched = Watched(driver.camera, hang_s=FOREVER_S)
    watched.worker.start()
    watched.more_frames()
    driver.wedged.set()
    watched.until(lambda: driver.hanging == 1)
    watched.until(lambda: watched.feed.state is State.STALLED)
    driver.wedged.clear()
    driver.freed.set()
    watched.more_frames()
    assert not watched.left_behind()
    assert watched.worker.stop(timeout_s=FOREVER_S)


@contextmanager
def no_room_for(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """Have threads of a name fail to start, as on a board that is short; yield the attempts."""
    start, attempts = threading.Thread.start, list[None]()

    def refuse(self: threading.Thread) -> None:
        if self.name == name:
            attempts.append(None)
            raise RuntimeError("can't start new thread")
        start(self)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        yield attempts


def test_a_board_with_no_room_for_a_thread_is_tried_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(driver.camera)
    watched.worker.start()
    watched.more_frames()
    with no_room_for("video device", monkeypatch) as attempts:
        driver.wedged.set()
        watched.until(lambda: driver.hanging == 1)
        driver.wedged.clear()
        watched.until(lambda: len(attempts) >= 5)
        assert watched.events[-1].state == "failed"
        assert watched.worker.alive
        assert "no thread can be had for its driver" in watched.events[-1].detail
    watched.more_frames()
    assert watched.feed.state is State.HEALTHY
    assert len(watched.left_behind()) == 1
    driver.freed.set()
    assert watched.worker.stop(timeout_s=FOREVER_S)
    assert driver.open_now == 0


def test_a_stop_ends_the_wait_for_a_thread(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(driver.camera)
    with no_room_for("video device", monkeypatch) as attempts:
        watched.worker.start()
        watched.until(lambda: len(attempts) >= 2)
        assert watched.worker.stop(timeout_s=FOREVER_S)
    assert driver.number == 0


@pytest.mark.parametrize("bug", [MemoryError("no room"), SystemExit("a driver's own")])
def test_a_device_thread_that_dies_of_a_bug_is_told(driver: Driver, bug: BaseException) -> None:
    told: list[Exception] = []

    def fail(event: Capture) -> None:
        if event.state == State.RECONNECTING:
            raise bug

    class Gone(DriverCamera):
        def read(self) -> Frame:
            raise SourceError("gone")

    feed: Feed[Frame] = Feed(
        "video",
        Gone(driver),
        lambda frame: None,
        liveness=Liveness(),
        clock=monotonic_ns,
        on_change=fail,
        renew=driver.camera,
    )
    worker = Worker("video", feed.run, on_error=lambda name, error: told.append(error))
    worker.start()
    for _ in range(round(FOREVER_S / 0.01)):
        if told:
            break
        threading.Event().wait(0.01)
    (error,) = told
    assert error.__cause__ is bug
    assert repr(bug) in str(error)
    assert worker.stop(timeout_s=FOREVER_S)
    assert driver.open_now == 0


@contextmanager
def film(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that writes moving pictures into a pipe, at 30 Hz."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("no ffmpeg")
    process = subprocess.Popen(
        f"{ffmpeg} -y -v quiet -re -f lavfi -i testsrc2=size=320x240:rate=30 "
        f"-pix_fmt yuv420p -f yuv4mpegpipe {path}".split()
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_read_that_ignores_its_timeout_is_survived(tmp_path: Path) -> None:
    # Of all that OpenCV opens, FFmpeg's file protocol is what never looks at the time.
    pipe = tmp_path / "camera.y4m"
    os.mkfifo(pipe)

    def camera() -> OpenCvCamera:
        return OpenCvCamera(f"file://{pipe}", open_timeout_ms=300, read_timeout_ms=300)

    # Longer than a program takes to start: of two that wait at a pipe, each would get a part.
    watched = Watched(camera, hang_s=6.0)
    try:
        with film(pipe) as first:
            watched.worker.start()
            watched.more_frames(5)
            first.send_signal(signal.SIGSTOP)
            watched.until(lambda: len(watched.left_behind()) == 1)
        # The writer's death ends the read that hung, and its thread with it.
        with film(pipe):
            watched.more_frames(5)
            assert watched.feed.state is State.HEALTHY
            assert watched.feed.counts.reconnects >= 1
    finally:
        # Nobody writes any more: opening the pipe hangs until somebody does, and while one open
        # of FFmpeg's hangs, so does every other.
        ends: list[int] = []
        while not watched.worker.stop(timeout_s=0.5) and len(ends) < FOREVER_S:
            ends.append(os.open(pipe, os.O_RDWR))
            os.close(ends[-1])
    assert watched.worker.stop(timeout_s=FOREVER_S)
