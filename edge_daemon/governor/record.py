"""A recording: every reading with what was decided on it, so that a rerun decides the same.

JSON lines: a `header`, the `settings` that the policy is given beside the readings, and one `poll`
for each reading. A run that goes on in the same file begins with a header of its own.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from edge_daemon.clock import Clock
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.script import TraceError
from edge_daemon.tier import Tier

FORMAT = 1
"""Raised when a line changes its meaning or goes away."""

FLUSH_S = 1.0
_BUFFER_BYTES = 1 << 20
_HEAD_BYTES = 1 << 16
# A link that somebody left in a shared directory is not written through.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class RecordLine(Struct, frozen=True, tag_field="line", omit_defaults=True):
    """A line of a recording."""


class Header(RecordLine, frozen=True, tag="header"):
    """The first line of a run.

    Attributes:
        format: of the recording.
        version: of edge-daemon.
        board: model of the board.
        bundle: name and version of the bundle.
        bundle_sha256: hash of its manifest.
        tier: the tier that runs first.
    """

    format: int
    version: str
    board: str
    bundle: str
    bundle_sha256: str
    tier: Tier


class Poll(RecordLine, frozen=True, tag="poll"):
    """One reading.

    Attributes:
        wall_ms: wall-clock time, milliseconds since the epoch; for display.
        reading: what the probes saw.
        tier: the tier that was decided on it, or that is pinned.
        previous: the tier before.
        rule: name of the rule that fired; empty while a tier is pinned and while the start waits
            for a complete reading: then nothing was decided.
    """

    wall_ms: int
    reading: Reading
    tier: Tier
    previous: Tier
    rule: str = ""


class SwapFailed(RecordLine, frozen=True, tag="swap_failed"):
    """The policy was told, before the next poll, that a tier could not be made ready.

    Attributes:
        tier: that tier.
    """

    tier: Tier


class Settings(RecordLine, frozen=True, tag="settings"):
    """What the governor goes by from the next poll on.

    Attributes:
        profile: what the tiers cost.
        limits: when a tier may run.
    """

    profile: Profile
    limits: Limits


class _Kind(Struct):
    """What every header has, of whatever format."""

    line: Literal["header"]
    format: int


_encode: Callable[[object], bytes] = msgspec.json.Encoder().encode
decode_line = msgspec.json.Decoder(Header | Poll | SwapFailed | Settings).decode


class Recorder:
    """Writes a recording. What the governor calls returns at once and never raises.

    Lines wait in a buffer until `step`, which `run` calls once a second on a thread of its own. A
    recording has no gaps: when the file is full, or the disk is, or too slow, it ends there, and
    `on_end` is told why.

    Args:
        path: the file; an earlier recording is continued, anything else is refused.
        header: its first line.
        max_bytes: the file's bound.
        on_end: told, once, why the recording ended early; from any thread.
        wall_clock: gives `wall_ms`, in nanoseconds since the epoch.

    Raises:
        TraceError: the file cannot be written, or is no recording.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        *,
        max_bytes: int,
        on_end: Callable[[str], None],
        wall_clock: Clock = time.time_ns,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._on_end = on_end
        self._wall_clock = wall_clock
        self._settings: tuple[Profile, Limits] | None = None
        self._lock = threading.Lock()  # guards the three that follow
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._ended = False
        self._fd, self._bytes = _open(path)
        self._put(header)

    def poll(
        self,
        reading: Reading,
        decision: Decision | None,
        tier: Tier,
        profile: Profile,
        limits: Limits,
    ) -> None:
        """Take a reading and what was decided on it; `tier` is the one that is asked for now."""
        settings = (profile, limits)
        if settings != self._settings:
            self._settings = settings
            self._put(Settings(profile, limits))
        previous, rule = (tier, "") if decision is None else (decision.previous, decision.rule)
        self._put(Poll(self._wall_clock() // 1_000_000, _plain(reading), tier, previous, rule))

    def swap_failed(self, tier: Tier) -> None:
        """Take note that the policy is told of a tier that could not be made ready."""
        self._put(SwapFailed(tier))

    def step(self) -> None:
        """Bring what waits to the file; never raises."""
        with self._lock:
            lines, self._lines, self._waiting_bytes = self._lines, [], 0
        if self._fd < 0 or not lines:
            return
        data = b"".join(lines)
        try:
            written = os.write(self._fd, data)
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if written < len(data):  # it ends in a torn line, which readers leave out
            self._end("no space left on the device")

    def run(self, stop: threading.Event) -> None:
        """Step until told to stop, and once more: the worker's body."""
        while not stop.wait(FLUSH_S):
            self.step()
        self.close()

    def close(self) -> None:
        """Bring what waits to the file and close it."""
        self.step()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _put(self, line: RecordLine) -> None:
        if self._ended:
            return
        data = _encode(line) + b"\n"
        with self._lock:
            full = self._bytes + len(data) > self._max_bytes
            slow = self._waiting_bytes + len(data) > _BUFFER_BYTES
            if not full and not slow:
                self._lines.append(data)
                self._waiting_bytes += len(data)
                self._bytes += len(data)
                return
        limit = f"it has reached {self._max_bytes / 2**20:g} MiB (--record-mib)"
        self._end(limit if full else "the disk does not keep up")

    def _end(self, why: str) -> None:
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._on_end(f"{self._path}: the recording of readings ends here: {why}")


def _plain(reading: Reading) -> Reading:
    """Return the reading with texts that are Unicode: an error may name a file that is not."""
    if not reading.failed:
        return reading
    failed = {name: why.encode("utf-8", "replace").decode() for name, why in reading.failed.items()}
    return replace(reading, failed=failed)


def _open(path: Path) -> tuple[int, int]:
    """Return the file, at the start of a line, and its size."""
    try:
        fd = os.open(path, _FLAGS, 0o640)
        try:
            size = os.fstat(fd).st_size
            head = os.pread(fd, _HEAD_BYTES, 0).partition(b"\n")[0]
            if size and not is_recording(head):
                raise TraceError(f"{path}: holds something else than a recording; name another")
            if size and os.pread(fd, 1, size - 1) != b"\n":
                size += os.write(fd, b"\n")  # behind the line that a kill tore
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        raise TraceError(f"{path}: cannot be recorded to: {error.strerror or error}") from None
    return fd, size


def is_recording(line: bytes) -> bool:
    """Return whether a file whose first line this is is a recording, of whatever format."""
    try:
        msgspec.json.decode(line, type=_Kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
