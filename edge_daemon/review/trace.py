"""A trace of readings, whichever file it comes from, as steps for a rerun of the policy."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from edge_daemon.governor.reading import Reading
from edge_daemon.governor.record import Settings, SwapFailed
from edge_daemon.tier import Tier


@dataclass(frozen=True, slots=True)
class Begin:
    """A run of the daemon begins.

    Attributes:
        about: version, board and bundle, for display.
        board: model of the board.
        bundle_sha256: hash of the bundle's manifest.
    """

    about: str = ""
    board: str = ""
    bundle_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A reading, and what was decided on it.

    Attributes:
        reading: what the probes saw.
        until_ns: CLOCK_BOOTTIME up to which it holds and is to be polled again; not above its own
            time where it stands for itself alone.
        wall_ms: wall-clock time of the reading; None where it has none.
        tier: the tier that was decided on; None where nothing was.
        rule: the rule that fired; empty where it is not known.
        free: whether the policy was asked; not so while a tier was pinned or the start waited.
    """

    reading: Reading
    until_ns: int = 0
    wall_ms: int | None = None
    tier: Tier | None = None
    rule: str = ""
    free: bool = True


Step = Begin | Settings | SwapFailed | Moment


@dataclass(slots=True)
class Trace:
    """An opened trace.

    Attributes:
        kind: what it is.
        steps: what it holds; read once.
        bad_lines: lines, so far, that could not be read and were passed over.
    """

    kind: Literal["recording", "journal", "script"]
    steps: Iterator[Step] = field(default_factory=lambda: iter(()))
    bad_lines: int = 0
