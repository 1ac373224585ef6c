import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.feed import Feed, fingerprint_of
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.source import Chunk, EndOfSourceError, Frame, SourceError
from edge_daemon.clock import VirtualClock, monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker

S = 1_000_000_000
MS = 1_000_000
FOREVER_S = 20.0

Step = Frame | Exception | Callable[[], Frame]


def frame(value: int, captured_ns: int = 0) -> Frame:
    image = np.full((8, 8), 200, dtype=np.uint8)
    image[0, 0] = value
    return Frame(image, captured_ns)


class ScriptedSource:
    """Plays a list: items are returned, exceptions raised, functions called."""

    name = "scripted"

    def __init__(self, steps: Sequence[Step], may_repeat: bool = True) -> None:
        self.may_repeat = may_repeat
        self.steps = list(steps)
        self.opened = 0
        self.is_open = False

    def open(self) -> None:
        assert not self.is_open, "a source is closed before it is opened again"
        self.opened += 1
        self.is_open = True

    def read(self) -> Frame:
        assert self.is_open
        step = self.steps.pop(0) if self.steps else EndOfSourceError()
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    def close(self) -> None:
        self.is_open = False


class Journal:
    """Keeps the events and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[Capture] = []
        self._changed = threading.Condition()

    def write(self, event: Capture) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events]

    def wait_for(self, state: State) -> None:
        with self._changed:
            found = self._changed.wait_for(lambda: state in self.states, FOREVER_S)
        assert found, f"no {state} in {self.states}"


def video_feed(
    source: ScriptedSource,
    sink: Callable[[Frame], None],
    journal: Journal,
    clock: Callable[[], int] = monotonic_ns,
    liveness: Liveness | None = None,
) -> Feed[Frame]:
    return Feed(
        "video",
        source,
        sink,
        liveness=liveness or Liveness(),
        clock=clock,
        on_change=journal.write,
        retry=Backoff(0.001, 0.002),
        dropped=lambda: 7,
    )


def test_reopens_after_an_error_and_counts() -> None:
    items: list[Frame] = []
    journal = Journal()
    source = ScriptedSource(
        [frame(1), SourceError("pulled"), frame(2), ValueError("odd"), frame(3)]
    )
    feed = video_feed(source, items.append, journal)
    feed.run(threading.Event())
    assert [int(item.image[0, 0]) for item in items] == [1, 2, 3]
    assert source.opened == 3
    assert not source.is_open
    assert journal.states == [
        "healthy", "reconnecting", "healthy", "reconnecting", "healthy", "ended",
    ]  # fmt: skip
    assert journal.events[1].detail == "pulled"
    assert "odd" in journal.events[3].detail
    assert journal.events[-1].reconnects == 2
    assert journal.events[-1].dropped == 7
    assert feed.counts == (3, 0, 2)
    assert feed.state is State.ENDED


def test_a_device_that_is_never_there_fails_but_is_retried() -> None:
    journal = Journal()
    attempts = 0

    class Missing(ScriptedSource):
        def open(self) -> None:
            nonlocal attempts
            attempts += 1
            if attempts <= 10:
                raise SourceError("not there")
            super().open()

    source = Missing([frame(1)])
    items: list[Frame] = []
    video_feed(source, items.append, journal).run(threading.Event())
    assert journal.states == ["reconnecting", "failed", "healthy", "ended"]
    assert len(items) == 1


def test_a_repeated_picture_is_withheld_given_up_and_reopened() -> None:
    clock = VirtualClock()
    journal = Journal()
    items: list[Frame] = []

    def later(value: int) -> Callable[[], Frame]:
        def read() -> Frame:
            clock.advance_to(clock() + 400 * MS)
            return frame(value, clock())

        return read

    source = ScriptedSource([later(value) for value in (1, 1, 1, 1, 1, 1, 1, 2)], may_repeat=False)
    feed = video_feed(source, items.append, journal, clock, Liveness(stall_s=1.0))
    feed.run(threading.Event())
    assert journal.states == ["healthy", "stalled", "reconnecting", "stalled", "reconnecting",
                              "healthy", "ended"]  # fmt: skip
    assert "repeats the same picture" in journal.events[2].detail
    # Three pass before the stall is certain; nothing stale after it.
    assert [int(item.image[0, 0]) for item in items] == [1, 1, 1, 2]
    assert source.opened == 3


def test_a_slow_opening_leaves_the_source_its_time() -> None:
    # A stream that takes longer to open than a stall lasts, and begins with the same picture.
    clock = VirtualClock()

    def later(value: int) -> Callable[[], Frame]:
        def read() -> Frame:
            clock.advance_to(clock() + 100 * MS)
            return frame(value, clock())

        return read

    class Slow(ScriptedSource):
        def open(self) -> None:
            clock.advance_to(clock() + 5 * S)
            super().open()

    source = Slow(
        [later(1), SourceError("cut"), later(1), later(1), later(2), later(3)], may_repeat=False
    )
    journal = Journal()
    items: list[Frame] = []
    video_feed(source, items.append, journal, clock, Liveness(stall_s=1.0)).run(threading.Event())
    assert journal.states == ["healthy", "reconnecting", "healthy", "ended"]
    assert [int(item.image[0, 0]) for item in items] == [1, 2, 3]


def test_remarks_see_each_opening_and_each_item_and_are_journalled() -> None:
    journal = Journal()
    seen: list[int | None] = []

    def remark(item: Frame | None, now_ns: int) -> str | None:
        seen.append(None if item is None else int(item.image[0, 0]))
        return "two!" if seen[-1] == 2 else None

    source = ScriptedSource([frame(1), frame(2), SourceError("cut"), frame(3)])
    Feed(
        "video",
        source,
        lambda item: None,
        liveness=Liveness(),
        clock=monotonic_ns,
        on_change=journal.write,
        retry=Backoff(0.001, 0.002),
        remarks=[remark],
    ).run(threading.Event())
    assert [value for value in seen if value is not None] == [1, 2, 3]
    assert seen[0] is None
    assert None in seen[seen.index(2) : seen.index(3)]
    event = journal.events[1]
    assert (event.state, event.previous, event.detail) == ("healthy", "healthy", "two!")
    assert journal.states == ["healthy", "healthy", "reconnecting", "healthy", "ended"]


def test_equal_items_are_fine_where_the_source_may_repeat() -> None:
    clock = VirtualClock()

    def later() -> Frame:
        clock.advance_to(clock() + S)
        return frame(1, clock())

    items: list[Frame] = []
    journal = Journal()
    feed = video_feed(ScriptedSource([later] * 10), items.append, journal, clock)
    feed.run(threading.Event())
    assert len(items) == 10
    assert journal.states == ["healthy", "ended"]


def test_a_read_that_hangs_is_seen_from_outside_and_does_not_hold_up_stop() -> None:
    hanging = threading.Event()
    release = threading.Event()

    def hang() -> Frame:
        hanging.set()
        assert release.wait(FOREVER_S)
        return frame(2, monotonic_ns())

    journal = Journal()
    items: list[Frame] = []
    source = ScriptedSource([frame(1), hang])
    feed = video_feed(source, items.append, journal)
    threads = threading.active_count()
    worker = Worker("video", feed.run)
    worker.start()
    assert hanging.wait(FOREVER_S)
    assert feed.check(monotonic_ns()) is State.HEALTHY
    assert feed.check(monotonic_ns() + 6 * S) is State.STALLED
    assert journal.states == ["healthy", "stalled"]
    assert threading.active_count() == threads + 1, "a hanging read costs one thread, this one"
    assert not worker.stop(timeout_s=0.05)
    release.set()
    assert worker.stop(timeout_s=FOREVER_S)
    assert not source.is_open
    assert threading.active_count() == threads


def test_stop_ends_the_wait_between_attempts() -> None:
    journal = Journal()
    source = ScriptedSource([SourceError("gone")])
    feed = Feed(
        "video",
        source,
        lambda item: None,
        liveness=Liveness(),
        clock=monotonic_ns,
        on_change=journal.write,
        retry=Backoff(3600.0, 3600.0),
    )
    worker = Worker("video", feed.run)
    worker.start()
    journal.wait_for(State.RECONNECTING)
    assert worker.stop(timeout_s=FOREVER_S)


def test_an_item_from_the_future_is_held_until_its_time() -> None:
    received: list[tuple[int, int]] = []
    start_ns = monotonic_ns()
    due_ns = [start_ns + step * 20 * MS for step in range(4)]
    source = ScriptedSource([frame(1, ns) for ns in due_ns])
    feed = video_feed(source, lambda f: received.append((f.captured_ns, monotonic_ns())), Journal())
    feed.run(threading.Event())
    assert [captured for captured, _ in received] == due_ns
    assert all(at >= captured for captured, at in received)


def test_stop_ends_the_wait_for_an_item_of_the_future() -> None:
    reached = threading.Event()

    def far() -> Frame:
        reached.set()
        return frame(1, monotonic_ns() + 3600 * S)

    items: list[Frame] = []
    worker = Worker("video", video_feed(ScriptedSource([far]), items.append, Journal()).run)
    worker.start()
    assert reached.wait(FOREVER_S)
    assert worker.stop(timeout_s=FOREVER_S)
    assert not items


def test_the_backoff_begins_anew_only_after_a_steady_run() -> None:
    clock = VirtualClock()
    waits: list[float] = []

    class Noted(Backoff):
        def next_s(self) -> float:
            waits.append(super().next_s())
            return 0.0

    def after(seconds: float, value: int) -> Callable[[], Frame]:
        def read() -> Frame:
            clock.advance_to(clock() + round(seconds * S))
            return frame(value, clock())

        return read

    gone = SourceError("gone")
    source = ScriptedSource(
        [after(0, 1), gone, after(0, 2), gone, after(0, 3), gone, after(0, 4), after(6, 5), gone]
    )
    feed = Feed(
        "video",
        source,
        lambda item: None,
        liveness=Liveness(stall_s=5.0),
        clock=clock,
        on_change=lambda event: None,
        retry=Noted(1.0, 60.0),
    )
    feed.run(threading.Event())
    assert waits == [1.0, 2.0, 4.0, 1.0]


def test_pump_hands_on_what_is_due_and_keeps_one_ahead() -> None:
    items: list[Frame] = []
    source = ScriptedSource([frame(value, value * S) for value in range(6)])
    feed = video_feed(source, items.append, Journal(), VirtualClock())
    assert feed.pump(2 * S + 1)
    assert [item.captured_ns for item in items] == [0, S, 2 * S]
    assert feed.pump(2 * S + 2)
    assert len(items) == 3
    assert len(source.steps) == 2, "one was read ahead, no more"
    assert feed.pump(4 * S)
    assert len(items) == 5
    assert not feed.pump(100 * S)
    assert len(items) == 6
    assert not feed.pump(200 * S)
    assert feed.state is State.ENDED
    assert not source.is_open
    assert source.opened == 1


def test_pump_raises_what_the_source_raises() -> None:
    journal = Journal()
    source = ScriptedSource([frame(1), SourceError("clip.avi is broken")])
    feed = video_feed(source, lambda item: None, journal, VirtualClock())
    with pytest.raises(SourceError, match=r"clip\.avi"):
        feed.pump(S)
    assert not source.is_open
    assert journal.states == ["healthy", "reconnecting"]


class ListedSounds:
    """Returns the chunks of a list, then ends."""

    name = "listed"
    may_repeat = True

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = list(chunks)

    def open(self) -> None:
        pass

    def read(self) -> Chunk:
        if not self._chunks:
            raise EndOfSourceError
        return self._chunks.pop(0)

    def close(self) -> None:
        pass


def test_sound_is_counted_with_its_overflows() -> None:
    samples = np.zeros(160, dtype=np.float32)
    source = ListedSounds([Chunk(samples, 0, 2), Chunk(samples, 0, 0), Chunk(samples, 0, 3)])
    chunks: list[Chunk] = []
    feed: Feed[Chunk] = Feed(
        "audio",
        source,
        chunks.append,
        liveness=Liveness(),
        clock=monotonic_ns,
        on_change=lambda event: None,
    )
    feed.run(threading.Event())
    assert len(chunks) == 3
    assert feed.counts == (3, 5, 0)


def test_fingerprints_tell_noisy_pictures_apart_and_equal_ones_not() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    noisy = np.clip(image.astype(np.int16) + random.integers(-1, 2, image.shape), 0, 255)
    assert fingerprint_of(Frame(image, 0)) == fingerprint_of(Frame(image.copy(), 9))
    assert fingerprint_of(Frame(image, 0)) != fingerprint_of(Frame(noisy.astype(np.uint8), 0))
    sound = random.normal(0, 0.001, 160).astype(np.float32)
    assert fingerprint_of(Chunk(sound, 0)) != fingerprint_of(Chunk(-sound, 0))
