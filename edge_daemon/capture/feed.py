"""Keeps one source flowing into its slot or ring, whatever happens to the device."""

import logging
import threading
import zlib
from collections.abc import Callable, Sequence
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.blank import STRIDE, is_black
from edge_daemon.capture.hand import Hand
from edge_daemon.capture.liveness import NS_PER_S, Liveness, State, Transition
from edge_daemon.capture.source import Chunk, EndOfSourceError, Frame, Source, SourceError
from edge_daemon.clock import Clock
from edge_daemon.journal.events import Capture

log = logging.getLogger(__name__)

Item = TypeVar("Item", Frame, Chunk)


HANG_S = 10.0
"""A call into a driver that takes longer will not return, as far as anyone can tell."""
MOST_LEFT = 3
"""Threads that may be left behind at once: each costs a megabyte or two and a descriptor."""
WATCH_S = 0.5


class Counts(NamedTuple):
    """What came through a feed since the start.

    Attributes:
        items: frames or chunks read.
        overflows: times the device dropped samples.
        reconnects: successful reopenings.
    """

    items: int
    overflows: int
    reconnects: int


class Feed(Generic[Item]):
    """Opens a source, reads it and hands every item on, for ever.

    After an error, a stall or an unplug it closes the source and opens it again, with backoff.
    `run` is a worker's body for real time; `pump` does the same work step by step for lockstep;
    a feed is used in one of the two ways only. A call that hangs in a driver holds no other
    thread, and `check` shows it; given `renew`, it is left behind after a while, and a fresh
    thread tries a fresh source.

    An item whose capture time lies ahead is held until that time: that is what paces a replay
    in real time, and why a replay needs no clock of its own to wait on.

    Args:
        kind: `video` or `audio`.
        source: where items come from; used by one thread only.
        sink: takes each item; the slot's `put` or the ring's `append`. Never blocks.
        liveness: judges the source.
        clock: monotonic nanoseconds.
        on_change: takes every change of state, on whichever thread saw it, in order. Never
            blocks and does not call back.
        retry: waits between attempts; None for the usual ones.
        dropped: returns how many frames or samples nobody looked at.
        remarks: each is shown every item that comes, and None when the source is opened, with the
            time; it returns what is to be journalled of a source that works: that it shows
            nothing, or is slow.
        renew: makes another such source; None where a call that hangs is waited for.
        hang_s: how long a call into a source may take.
    """

    def __init__(
        self,
        kind: Literal["video", "audio"],
        source: Source[Item],
        sink: Callable[[Item], None],
        *,
        liveness: Liveness,
        clock: Clock,
        on_change: Callable[[Capture], None],
        retry: Backoff | None = None,
        dropped: Callable[[], int] = lambda: 0,
        remarks: Sequence[Callable[[Item | None, int], str | None]] = (),
        renew: Callable[[], Source[Item]] | None = None,
        hang_s: float = HANG_S,
    ) -> None:
        self.kind = kind
        self.source: Source[Item] = source
        self._sink: Callable[[Item], None] = sink
        self._liveness = liveness
        self._clock = clock
        self._on_change = on_change
        self._retry = retry or Backoff()
        self._dropped = dropped
        self._remarks: Sequence[Callable[[Item | None, int], str | None]] = remarks
        self._renew: Callable[[], Source[Item]] | None = renew
        self._hang_s = hang_s
        self._lock = threading.Lock()  # guards liveness, order of on_change, and who is left behind
        self._items = 0
        self._overflows = 0
        self._ahead: Item | None = None  # lockstep: read, but not yet due
        self._opened = False  # lockstep
        self._left: list[threading.Thread] = []
        self._described: str | None = None

    @property
    def state(self) -> State:
        """The state of the source."""
        return self._liveness.state

    @property
    def counts(self) -> Counts:
        """What came through so far."""
        return Counts(self._items, self._overflows, self._liveness.reconnects)

    def check(self, now_ns: int) -> State:
        """Judge from outside, on any thread, whether the source has fallen silent."""
        with self._lock:
            self._report(self._liveness.check(now_ns))
        return self.state

    def run(self, stop: threading.Event) -> None:
        """Keep the source flowing until `stop` is set or nothing will ever follow.

        Returns once no thread is left in a driver, which may be never: the worker's time limit
        is what ends the wait.

        Raises:
            RuntimeError: the device's thread died of a bug, which its cause tells.
        """
        hand: Hand[Item] = Hand(self.source, self._clock)
        if self._renew is None:
            self._serve(hand, stop)
            return
        while not stop.is_set():
            thread = self._start(hand, stop)
            if thread is not None:
                if not self._hung(hand, thread, stop):
                    break
                self._leave(hand, thread)
                hand = Hand(self._renew(), self._clock)
            stop.wait(self._retry.next_s())
        if hand.died_of is not None:
            raise RuntimeError(f"{self.kind} device died: {hand.died_of!r}") from hand.died_of
        for thread in self._left:
            thread.join()

    def pump(self, until_ns: int) -> bool:
        """Hand on every item captured up to `until_ns`; return whether more will follow.

        Raises:
            SourceError: the source failed; in lockstep that ends the run.
        """
        if self.state is State.ENDED:
            return False
        try:
            if not self._opened:
                self._note_opening()
                self._described = self.source.open()
                self._opened = True
            while True:
                item = self._ahead if self._ahead is not None else self.source.read()
                if item.captured_ns > until_ns:
                    self._ahead = item
                    return True
                self._ahead = None
                self._pass_on(item, item.captured_ns)
        except EndOfSourceError:
            self._end()
        except SourceError as error:
            self._lose(str(error))
            self._close(self.source)
            raise
        self._close(self.source)
        return False

    def close(self) -> None:
        """Release a source that was pumped."""
        self._close(self.source)

    def _start(self, hand: Hand[Item], stop: threading.Event) -> threading.Thread | None:
        name = f"{self.kind} device"
        thread = threading.Thread(target=self._hold, args=(hand, stop), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no memory or no room for a thread now
            self._lose(f"{self.source.name}: no thread can be had for its driver: {error}")
            return None
        return thread

    def _hung(self, hand: Hand[Item], thread: threading.Thread, stop: threading.Event) -> bool:
        """Wait until the thread ends (False), or hangs and may be left behind (True)."""
        while True:
            thread.join(min(WATCH_S, self._hang_s))
            if not thread.is_alive():
                return False
            self._left = [left for left in self._left if left.is_alive()]
            hangs = hand.hangs(self._clock(), round(self._hang_s * NS_PER_S))
            if hangs and len(self._left) < MOST_LEFT and not stop.is_set():
                return True

    def _leave(self, hand: Hand[Item], thread: threading.Thread) -> None:
        self._left.append(thread)
        with self._lock:
            hand.left = True
        self._lose(
            f"{self.source.name}: a call into its driver has not returned for {self._hang_s:g} s; "
            f"it is left behind ({len(self._left)} of at most {MOST_LEFT})"
        )

    def _hold(self, hand: Hand[Item], stop: threading.Event) -> None:
        try:
            self._serve(hand, stop)
        except BaseException as error:  # nobody else would hear of it
            hand.died_of = error

    def _serve(self, hand: Hand[Item], stop: threading.Event) -> None:
        """Open, read, close, for ever: the body of the thread that the device may hold."""
        while not stop.is_set() and not hand.left:
            try:
                self._flow(hand, stop)
            except EndOfSourceError:
                self._end()
                return
            except SourceError as error:
                self._lose(str(error), hand)
            except Exception as error:  # a driver's own: the device is as lost as with any other
                log.exception("%s failed in an unexpected way", self.source.name)
                self._lose(f"{self.source.name}: {error!r}", hand)
            finally:
                self._close(hand)
            if not stop.is_set() and not hand.left:
                stop.wait(self._retry.next_s())

    def _flow(self, hand: Hand[Item], stop: threading.Event) -> None:
        self._note_opening()
        self._described = hand.open()
        self._note_opening()  # a slow opening is not the silence of what it opened
        while not stop.is_set() and not hand.left:
            item = hand.read()
            ahead_ns = item.captured_ns - self._clock()
            if ahead_ns > 0 and stop.wait(ahead_ns / NS_PER_S):
                return
            self._pass_on(item, self._clock(), hand)

    def _pass_on(self, item: Item, now_ns: int, hand: Hand[Item] | None = None) -> None:
        fingerprint = None if self.source.may_repeat else fingerprint_of(item)
        with self._lock:
            if hand is not None and hand.left:
                return
            self._items += 1
            if isinstance(item, Chunk):
                self._overflows += item.overflows
            self._report(self._liveness.item(now_ns, fingerprint))
            healthy = self._liveness.state is State.HEALTHY
            silent = self._liveness.silent(now_ns)
            self._remark(item, now_ns)
        if healthy:
            self._sink(item)
        elif silent:
            # A dead camera may go on returning its last picture for ever, and with success.
            raise SourceError(f"{self.source.name} repeats the same {_NOUNS[self.kind]}")

    def _note_opening(self) -> None:
        with self._lock:
            now_ns = self._clock()
            self._liveness.opening(now_ns)
            self._remark(None, now_ns)

    def _lose(self, detail: str, hand: Hand[Item] | None = None) -> None:
        with self._lock:
            if hand is not None and hand.left:
                return
            if self._liveness.steady():
                self._retry.reset()
            self._report(self._liveness.lost(self._clock(), detail))

    def _end(self) -> None:
        with self._lock:
            self._report(self._liveness.ended())

    def _close(self, source: Source[Item] | Hand[Item]) -> None:
        self._opened = False
        try:
            source.close()
        except Exception:
            log.exception("%s could not be closed", self.source.name)

    def _report(self, transition: Transition | None) -> None:
        if transition is None:
            return
        if transition.state is State.HEALTHY and self._described is not None:
            transition = transition._replace(detail=f"{transition.detail}; {self._described}")
        level = logging.INFO if transition.state in _WELL else logging.WARNING
        log.log(level, "%s is %s: %s", self.source.name, transition.state, transition.detail)
        self._journal(transition)

    def _remark(self, item: Item | None, now_ns: int) -> None:
        for remark in self._remarks:
            text = remark(item, now_ns)
            if text is not None:
                log.warning("%s: %s", self.source.name, text)
                self._journal(Transition(self._liveness.state, self._liveness.state, text))

    def _journal(self, transition: Transition) -> None:
        self._on_change(
            Capture(
                source=self.kind,
                name=self.source.name,
                state=transition.state,
                previous=transition.previous,
                detail=transition.detail,
                items=self._items,
                dropped=self._dropped(),
                overflows=self._overflows,
                reconnects=self._liveness.reconnects,
            )
        )


_WELL = frozenset({State.HEALTHY, State.ENDED})
_NOUNS = {"video": "picture", "audio": "sound"}


def fingerprint_of(item: Frame | Chunk) -> int | None:
    """Return a checksum over a sample of the item's bytes: equal for equal items.

    None for a black picture: a covered lens or a dark room gives equal ones rightly.
    """
    if isinstance(item, Frame) and is_black(item.image):
        return None
    array = item.image if isinstance(item, Frame) else item.samples
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8)[::STRIDE].tobytes())
