"""Resident memory: of the whole daemon in `critical`, and of each library on the way there."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = (
    ("numpy", "numpy"),
    ("msgspec", "msgspec"),
    ("PyYAML", "yaml"),
    ("opencv-python-headless", "cv2"),
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("soundfile", "soundfile"),
    ("PortAudio, its devices listed", "edge_daemon.capture.microphone:list_microphones"),
    ("psutil", "psutil"),
)

_PROGRAM = """
import importlib, os
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
print("python", rss())
for name in {modules!r}:
    module, _, called = name.partition(":")
    try:
        found = importlib.import_module(module)
        if called:
            getattr(found, called)()
    except Exception:  # not installed here
        continue
    print(name, rss())
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Resident memory in MiB.

    Attributes:
        critical_mib: the daemon in `critical`, replaying the demo's clip, after some windows.
        python_mib: a bare Python.
        library_mib: what each library adds to those before it, in this order.
    """

    critical_mib: float
    python_mib: float
    library_mib: dict[str, float]


def measure_footprint(directory: Path) -> Footprint:
    """Run the daemon and the imports in processes of their own."""
    program = _PROGRAM.format(modules=[module for _, module in LIBRARIES])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    sizes = dict(line.split() for line in done.stdout.splitlines())
    before = python_mib = float(sizes.pop("python"))
    names = {module: name for name, module in LIBRARIES}
    library_mib = {}
    for module, size in sizes.items():
        library_mib[names[module]] = float(size) - before
        before = float(size)
    return Footprint(_daemon_mib(directory), python_mib, library_mib)


def _daemon_mib(directory: Path) -> float:
    """Return the RSS of `edge-daemon run --tier critical` once it has classified for a while."""
    from edge_daemon.demo import CLIP

    config = directory / "critical.yaml"
    config.write_text(
        "video: {source: replay}\naudio: {source: replay}\n"
        f"replay: {{video: {CLIP.video}, audio: {CLIP.audio}, loop: true}}\n"
        f"journal: {{directory: {directory / 'journal'}}}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "edge_daemon", "run", "--config", str(config)]
    daemon = subprocess.Popen(
        [*command, "--tier", "critical"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_predictions(directory / "journal" / "journal.jsonl", daemon, count=30)
        status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(10)
        if daemon.stdout is not None:
            daemon.stdout.close()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    if match is None:
        raise RuntimeError(f"no VmRSS for process {daemon.pid}")
    return int(match[1]) / 1024


def _wait_for_predictions(journal: Path, daemon: subprocess.Popen[bytes], count: int) -> None:
    import threading

    for _ in range(600):
        if daemon.poll() is not None:
            raise RuntimeError(f"the daemon ended with {daemon.returncode}")
        lines = journal.read_bytes() if journal.exists() else b""
        if lines.count(b'"event":"prediction"') >= count:
            return
        threading.Event().wait(0.05)
    raise RuntimeError(f"no {count} predictions in 30 s; see {os.fspath(journal)}")
