"""What the doctor wants to know of this machine that no file tells."""

import ctypes
import ctypes.util
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge_daemon.governor.profilefile import Choice, ProfileError
from edge_daemon.permission import user_name

PACKAGES = (
    "numpy",
    "msgspec",
    "PyYAML",
    "opencv-python-headless",
    "soundfile",
)
RUNTIMES = ("ai-edge-litert", "tflite-runtime")

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


@dataclass(frozen=True, slots=True)
class Host:
    """One machine and the user that asks.

    Attributes:
        python: version of the interpreter.
        executable: path of the interpreter.
        machine: architecture, as `uname -m` says it.
        packages: version of each package that the daemon needs; None where it is missing.
        runtimes: version of each TFLite runtime that is installed.
        delegates: tries the runtime: returns its name with its version and whether XNNPACK took
            the model over. Raises where there is none, or it does not work.
        portaudio: name of the PortAudio library; None where there is none.
        picamera2: why the package for CSI cameras cannot be imported, empty where it can; None
            where it is not installed.
        user: name of the user.
        uid: id of the user.
        gids: ids of the user's groups.
        clock_synchronised: whether the wall clock follows a time source; None where unknown.
        journal: directory of the journal, which need not exist yet.
        journal_mib: room that the journal may take.
        profile: what the governor goes by, or why it cannot; None where no bundle says.
        bundle_exposed: who beside root and the user could change the bundle; None where nobody.
        now: the wall clock's time.
    """

    python: str
    executable: str
    machine: str
    packages: Mapping[str, str | None]
    runtimes: Mapping[str, str]
    delegates: Callable[[], tuple[str, bool]]
    portaudio: str | None
    picamera2: str | None
    user: str
    uid: int
    gids: frozenset[int]
    clock_synchronised: bool | None
    journal: Path
    journal_mib: float
    profile: Choice | ProfileError | None = None
    bundle_exposed: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def inspect_host(
    delegates: Callable[[], tuple[str, bool]],
    journal: Path,
    journal_mib: float,
    profile: Choice | ProfileError | None = None,
    bundle_exposed: str | None = None,
) -> Host:
    """Look at the machine that this runs on.

    Args:
        delegates: see `Host`.
        journal: directory of the journal.
        journal_mib: room that the journal may take.
        profile: see `Host`.
        bundle_exposed: see `Host`.
    """
    runtimes = {name: _version(name) for name in RUNTIMES}
    return Host(
        python=platform.python_version(),
        executable=sys.executable,
        machine=platform.machine(),
        packages={name: _version(name) for name in PACKAGES},
        runtimes={name: version for name, version in runtimes.items() if version is not None},
        delegates=delegates,
        portaudio=_portaudio(),
        picamera2=import_trouble("picamera2"),
        user=user_name(),
        uid=os.geteuid(),
        gids=frozenset({os.getegid(), *os.getgroups()}),
        clock_synchronised=_clock_synchronised(),
        journal=journal,
        journal_mib=journal_mib,
        profile=profile,
        bundle_exposed=bundle_exposed,
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def import_trouble(module: str, timeout_s: float = 30.0) -> str | None:
    """Import a module in a child process, since one for another NumPy or libcamera may crash.

    Args:
        module: its name.
        timeout_s: for the child; a Zero takes seconds.

    Returns:
        The last line of what the import said, empty where it succeeded; None where there is no
        such module.
    """
    if importlib.util.find_spec(module) is None:
        return None
    program = [sys.executable, "-c", f"import {module}"]
    try:
        child = subprocess.run(
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {timeout_s:g} s"
    except OSError as error:
        return f"cannot be tried: {error}"
    if child.returncode == 0:
        return ""
    said = child.stderr.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"it ended the process that tried (status {child.returncode})"


def _portaudio() -> str | None:
    """Return the library that `capture/libportaudio.py` would load."""
    for name in ("portaudio", "portaudio.so.2"):
        if found := ctypes.util.find_library(name):
            return found
    return None


def _clock_synchronised() -> bool | None:
    """Ask the kernel (adjtimex(2)), which every time service tells."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = adjtimex(ctypes.create_string_buffer(512))  # struct timex, all zero: only ask
    return None if state < 0 else state != _TIME_ERROR
