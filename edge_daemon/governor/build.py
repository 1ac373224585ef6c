"""Makes the governor that the config asks for, with what it reads, goes by and is recorded to."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from edge_daemon.clock import VirtualClock, boottime_ns, monotonic_ns
from edge_daemon.config import Config
from edge_daemon.governor.gauge import CommandGauge, FileGauge, gauge
from edge_daemon.governor.governor import Governor, Requests
from edge_daemon.governor.meter import Meter
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.profilefile import Choice, board_name, choose_profile
from edge_daemon.governor.record import FLUSH_S, FORMAT, Header, Recorder
from edge_daemon.governor.script import ScriptedProbes, read_trace
from edge_daemon.governor.senses import Senses
from edge_daemon.journal.events import Fault, Sink
from edge_daemon.tier import Tier

log = logging.getLogger(__name__)

Body = Callable[[threading.Event], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """Where every reading goes.

    Attributes:
        path: the file.
        max_bytes: its bound.
    """

    path: Path
    max_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Governing:
    """The governor at work.

    Attributes:
        governor: it polls.
        meter: takes what the loop's windows took; None in lockstep, where durations would make
            journals of equal input differ.
        choice: the profile that it goes by, and why.
        board: what the board is called.
        recorder: where readings go; None for nowhere.
        readings: where they come from.
        bodies: what runs in a thread of its own in real time, by name.
    """

    governor: Governor
    meter: Meter | None
    choice: Choice
    board: str
    recorder: Recorder | None
    readings: Probes | ScriptedProbes
    bodies: dict[str, Body]

    @property
    def background(self) -> list[tuple[Callable[[], int], Callable[[], object]]]:
        """In lockstep: what to do, each with what says after how many nanoseconds again."""
        work: list[tuple[Callable[[], int], Callable[[], object]]] = [
            (lambda: round(self.governor.poll_s * 1e9), self.governor.poll)
        ]
        if self.recorder is not None:
            work.append((lambda: round(FLUSH_S * 1e9), self.recorder.step))
        return work

    def apply(self, config: Config) -> None:
        """Put into force what can change live."""
        self.governor.set_limits(config.governor.limits)
        self.governor.set_profile(_for_period(self.choice.profile, config))
        self.governor.set_reading_every_s(config.governor.reading_every_s)
        self.governor.pin(config.pinned)

    def close(self) -> None:
        """Bring the recording to disk and close the sensors. After all threads have ended."""
        self.readings.close()
        if self.recorder is not None:
            self.recorder.close()


def build_governing(
    config: Config,
    *,
    root: Path,
    virtual: VirtualClock | None,
    version: str,
    bundle: str,
    bundle_sha256: str,
    requests: Requests,
    journal: Sink,
    recording: Recording | None,
    senses: Senses | None = None,
) -> Governing:
    """Make the governor; nothing is started.

    Args:
        config: what to run.
        root: the filesystem root that the probes look under.
        virtual: the clock in lockstep; None for real time.
        version: of edge-daemon.
        bundle: name and version of the bundle.
        bundle_sha256: hash of its manifest.
        requests: where tiers are asked for.
        journal: where readings and faults go.
        recording: where every reading goes besides; None for nowhere.
        senses: which of sound and picture arrive; None where nobody knows.

    Raises:
        ProfileError: the profile that is named cannot be used.
        TraceError: the scripted readings cannot be used, or the recording not be written.
    """
    board = board_name(root)
    choice = choose_profile(config.governor.profile, bundle_sha256, board)
    log.log(logging.WARNING if choice.trouble else logging.INFO, "profile: %s", choice.why)
    charge = gauge(config.governor.battery_gauge, virtual or boottime_ns)
    recorder = None
    if recording is not None:
        header = Header(FORMAT, version, board, bundle, bundle_sha256, Tier.CRITICAL)
        recorder = Recorder(
            recording.path,
            header,
            max_bytes=recording.max_bytes,
            on_end=lambda why: journal.write(Fault(part="record", message=why)),
        )
    meter = Meter() if virtual is None else None
    readings = _readings(config, root, virtual, charge)
    governor = Governor(
        readings,
        config.governor.limits,
        requests,
        journal,
        clock=virtual or monotonic_ns,
        pinned=config.pinned,
        reading_every_s=config.governor.reading_every_s,
        profile=_for_period(choice.profile, config),
        meter=meter,
        senses=senses,
        record=recorder,
    )
    bodies: dict[str, Body] = {"governor": governor.run}
    if isinstance(charge, CommandGauge):
        bodies["gauge"] = charge.run
    if recorder is not None:
        bodies["record"] = recorder.run
    return Governing(governor, meter, choice, board, recorder, readings, bodies)


def _readings(
    config: Config,
    root: Path,
    virtual: VirtualClock | None,
    charge: FileGauge | CommandGauge | None,
) -> Probes | ScriptedProbes:
    governor = config.governor
    if governor.readings != "system":
        return ScriptedProbes(read_trace(Path(governor.readings)), virtual or boottime_ns)
    return Probes(
        root,
        virtual or boottime_ns,
        awake_clock=virtual or monotonic_ns,
        ignored_zones=governor.limits.temperature.ignored_zones,
        battery=charge,
        apart=virtual is None,
    )


def _for_period(profile: Profile, config: Config) -> Profile:
    """Return a measured profile for the window period that is configured."""
    if not profile.measured:
        return profile
    return replace(profile, period_ms=float(config.window.period_ms))
