"""Every event of the journal, as types; docs/journal.md and its JSON Schema follow from them."""

from typing import Protocol

from msgspec import Struct

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.tier import Tier

SCHEMA = 1
"""Raised when a field changes its meaning or goes away; new fields do not raise it."""


class Event(Struct, frozen=True, omit_defaults=False, tag_field="event"):
    """The body of a line; the journal adds `schema`, `seq`, `ts`, `mono_ns` and `boot_id`."""


class Sink(Protocol):
    """Where events go: the journal, or something that passes them on to it."""

    def write(self, event: Event) -> None:
        """Take the event; neither blocks nor raises."""


class Start(Event, frozen=True, tag="start"):
    """The first line of a run.

    Attributes:
        version: of edge-daemon.
        pid: process id.
        python: version of the interpreter.
        runtime: name and version of the TFLite runtime.
        board: model of the board, as the device tree says it.
        bundle: name and version of the bundle.
        bundle_sha256: hash of its manifest.
        tier: the tier it starts in.
        pinned: whether the tier is fixed by config or command line.
        video: the video source.
        audio: the audio source.
        profile: which costs of the tiers the governor goes by, and why.
        repaired_bytes: torn bytes cut from the journal's end, left by a power cut or a kill.
    """

    version: str
    pid: int
    python: str
    runtime: str
    board: str
    bundle: str
    bundle_sha256: str
    tier: Tier
    pinned: bool
    video: str
    audio: str
    repaired_bytes: int = 0
    profile: str = ""


class Prediction(Event, frozen=True, tag="prediction"):
    """What one window showed.

    Attributes:
        window: number of the window since the start.
        tier: the tier that ran.
        label: the answer; `unknown` below the threshold.
        confidence: smoothed probability of the likeliest label, 0 to 1.
        best: the likeliest label, even below the threshold.
        image: whether a fresh picture was used.
        audio: whether sound with an onset was used.
        reused: whether both were found to be those of an earlier window, whose scores came again.
        age_ms: from the capture of the older input used to this line.
        skew_ms: capture of the newest sound minus that of the picture; null without both.
        cycle_ms: time spent on the window, waiting excluded.
        truth: what a labelled replay says.
    """

    window: int
    tier: Tier
    label: str
    confidence: float
    best: str
    image: bool
    audio: bool
    reused: bool = False
    age_ms: float | None = None
    skew_ms: float | None = None
    cycle_ms: float = 0.0
    truth: str | None = None


class TierChange(Event, frozen=True, tag="tier_change", rename={"from_": "from"}):
    """The loop took over another tier's pipeline.

    Attributes:
        from_: the tier that ran before (`from` in the line).
        to: the tier that runs now.
        resource: what bound: `cpu`, `memory`, `temperature`, `battery`, `power` (the firmware
            holds the board back), `swap` (a tier could not be loaded), `sound` or `picture` (it
            does not arrive), `pin`; empty when nothing did.
        rule: name of the rule that fired.
        reason: the same in a sentence with its numbers.
        reading: the reading it was decided on.
        decided_mono_ns: when it was decided, on the journal's monotonic clock.
        next_change_s: seconds from the decision to the earliest next move up, if all that `needs`
            and `awaits` name came true at once; null at the ceiling, and when pinned.
        prepare_ms: time to load and warm the new pipeline, beside the running one.
        gap_ms: time the loop spent adopting it.
        headroom: what that reading left of each resource; null without a reading.
        binding: the quantity that drove the tier out, or that last kept it from going up; null
            where something else than a quantity did.
        needs: what the next higher tier is short of.
        awaits: what else must come true before the next move up, or stay true, in clauses.
        wait_s: how long all of this must then hold, in seconds; 0 where it does already.
    """

    from_: Tier
    to: Tier
    resource: str
    rule: str
    reason: str
    reading: Reading | None = None
    decided_mono_ns: int = 0
    next_change_s: float | None = None
    prepare_ms: float = 0.0
    gap_ms: float = 0.0
    headroom: Headroom | None = None
    binding: Margin | None = None
    needs: tuple[Margin, ...] = ()
    awaits: tuple[str, ...] = ()
    wait_s: float = 0.0


class ReadingEvent(Event, frozen=True, tag="reading"):
    """A reading of the board and what was decided on it.

    Written now and then, and within 5 s where the reason for the tier, or what is absent, failed,
    throttled or arrives, changes: the newest line explains how things stand.

    Attributes:
        tier: the tier that was last asked for.
        reading: what the probes saw.
        headroom: what that leaves of each resource.
        decision: what was decided, with its explanation; null while a tier is pinned and while
            the start waits for a complete reading.
    """

    tier: Tier
    reading: Reading
    headroom: Headroom | None = None
    decision: Decision | None = None


class Capture(Event, frozen=True, tag="capture"):
    """A source changed its state, or works and has something to say.

    Attributes:
        source: `video` or `audio`.
        name: the device.
        state: `healthy`, `stalled`, `reconnecting`, `failed` or `ended`.
        previous: the state before; the same in a remark on a source that works.
        detail: what was wrong, how it was recovered, or the remark.
        items: frames or chunks since the start.
        dropped: frames or samples that nobody looked at, since the start.
        overflows: times the device dropped samples, since the start.
        reconnects: successful reopenings since the start.
    """

    source: str
    name: str
    state: str
    previous: str
    detail: str = ""
    items: int = 0
    dropped: int = 0
    overflows: int = 0
    reconnects: int = 0


class Fault(Event, frozen=True, tag="fault"):
    """Something went wrong that the daemon survived.

    Attributes:
        part: `swap`, `journal`, `governor`, `loop`, ...
        message: what happened and what to do about it.
        count: how many times since it was last written.
        lines_lost: journal lines lost while the disk failed.
    """

    part: str
    message: str
    count: int = 1
    lines_lost: int = 0


class ClockEvent(Event, frozen=True, tag="clock", rename={"from_": "from"}):
    """The board slept, or its wall clock was set: `ts` went on in another way than `mono_ns`.

    Attributes:
        change: `suspend` or `step`.
        by_s: seconds that it slept; seconds that the clock was set ahead, below 0 for back.
        from_: the wall clock just before (`from` in the line), in the form of `ts`.
        to: the wall clock just after.
    """

    change: str
    by_s: float
    from_: str
    to: str


class Reload(Event, frozen=True, tag="reload"):
    """SIGHUP.

    Attributes:
        applied: keys whose new values are in force.
        restart: changed keys that need a restart.
        error: why the new config was refused; the old one runs on.
    """

    applied: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    error: str | None = None


class Stop(Event, frozen=True, tag="stop"):
    """The last line of a run.

    Attributes:
        reason: `SIGTERM`, `SIGINT`, `end of replay`, or the error.
        uptime_s: seconds since the start.
        windows: windows cut.
        predictions: windows that gave a prediction.
        scored: predictions whose truth is known; an empty truth means that nothing was shown.
        correct: those that were right.
        swaps: tier changes.
        tier_s: seconds in each tier.
        dropped_frames: frames nobody looked at.
        lost_samples: samples lost before they were looked at.
        cycle_p50_ms: median of cycle_ms.
        cycle_p99_ms: 99th percentile of cycle_ms.
        age_p99_ms: 99th percentile of age_ms.
        gap_p99_ms: 99th percentile of the time that adopting a tier took.
        reused: predictions from scores that came again.
        late_windows: windows that began a period or more after their time, or never.
        late_max_s: the longest that a window's time had passed before the loop came to it.
    """

    reason: str
    uptime_s: float
    windows: int
    predictions: int
    scored: int
    correct: int
    swaps: int
    tier_s: dict[str, float]
    dropped_frames: int
    lost_samples: int
    cycle_p50_ms: float | None = None
    cycle_p99_ms: float | None = None
    age_p99_ms: float | None = None
    gap_p99_ms: float | None = None
    reused: int = 0
    late_windows: int = 0
    late_max_s: float = 0.0
