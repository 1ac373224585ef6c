"""One event of each kind, and what several tests need to know of a directory."""

from pathlib import Path

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import (
    Capture,
    ClockEvent,
    Event,
    Fault,
    Prediction,
    ReadingEvent,
    Reload,
    Start,
    Stop,
    TierChange,
)
from edge_daemon.journal.reader import BadLine, Line, read
from edge_daemon.tier import Tier

READING = Reading(
    time_ns=7_200_000_000_000,
    cpu_foreign=0.72,
    cpu_own=0.04,
    memory_available_mib=310.2,
    temperature_c=61.2,
    temperature_zone="cpu-thermal",
    battery_fraction=0.64,
    on_mains=False,
    throttled=("under-voltage",),
)
HEADROOM = Headroom(cpu=0.3, memory=1.0, energy=0.0, thermal=1.0)
NEEDS = (
    Margin(Tier.MEDIUM, "foreign_load", 0.72, 0.6, 0.7),
    Margin(Tier.MEDIUM, "thermal_distance", 8.8, 10.0, 6.0),
)
HOLDS = Decision(
    tier=Tier.LOW,
    previous=Tier.LOW,
    resource="cpu",
    rule="cpu_holds",
    reason="foreign CPU load is 72 %, medium begins at 60 %",
    time_ns=READING.time_ns,
    binding=NEEDS[0],
    needs=NEEDS,
)

EVENTS: tuple[Event, ...] = (
    Start(
        version="0.1.0",
        pid=812,
        python="3.11.2",
        runtime="ai-edge-litert 2.1.6",
        board="Raspberry Pi 4 Model B Rev 1.4",
        bundle="digits 1.0.0",
        bundle_sha256="9f2c",
        tier=Tier.HIGH,
        pinned=False,
        video="/dev/video0",
        audio="USB PnP Sound Device",
        repaired_bytes=118,
    ),
    Prediction(
        window=3,
        tier=Tier.HIGH,
        label="seven",
        confidence=0.9312,
        best="seven",
        image=True,
        audio=True,
        age_ms=38.214,
        skew_ms=4.1,
        cycle_ms=2.31,
        truth="seven",
    ),
    TierChange(
        from_=Tier.HIGH,
        to=Tier.LOW,
        resource="cpu",
        rule="cpu",
        reason="other processes keep 72 % of the cpu busy",
        reading=READING,
        decided_mono_ns=1,
        next_change_s=20.0,
        prepare_ms=41.2,
        gap_ms=0.18,
        headroom=HEADROOM,
        binding=Margin(Tier.HIGH, "foreign_load", 0.72, 0.3, 0.5),
        needs=NEEDS[:1],
    ),
    ReadingEvent(tier=Tier.LOW, reading=READING, headroom=HEADROOM, decision=HOLDS),
    Capture("audio", "USB PnP Sound Device", "reconnecting", "stalled", "no samples", 9120, 240, 2),
    Fault("swap", "high.tflite cannot be loaded", 3),
    ClockEvent("step", -3601.5, "2026-03-19T23:59:55.500Z", "2026-03-19T22:59:54.000Z"),
    Reload(applied=("prediction.threshold",), restart=("video.source",)),
    Stop("SIGTERM", 93784.2, 937840, 937800, 120, 118, 3, {"high": 90000.2}, 12, 0, 2.31, 4.02),
)


def prediction(window: int, text: str = "seven") -> Prediction:
    return Prediction(
        window=window,
        tier=Tier.HIGH,
        label=text,
        confidence=0.9,
        best=text,
        image=True,
        audio=True,
    )


def total_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("journal*.jsonl"))


def lines(directory: Path) -> list[Line]:
    """Read all lines and insist that each is one."""
    bad: list[BadLine] = []
    found = list(read(directory, bad.append))
    assert bad == []
    return found


def assert_contiguous(found: list[Line], start: int = 0) -> None:
    assert [line.seq for line in found] == list(range(start, start + len(found)))
