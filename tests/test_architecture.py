"""The arrows between packages that docs/architecture.md promises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"cv2", "sounddevice", "soundfile", "soxr", "ai_edge_litert", "tflite_runtime", "psutil"}


def imports(path: Path) -> set[str]:
    """Return the dotted names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


def wall_clocks(path: Path) -> set[str]:
    """Return what a file uses of the wall clock."""
    names = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime"}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))
    used = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    return used & names | {name for name in imports(path) if name.startswith("datetime")}


def violations(package: str, allowed: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for name in sorted(imports(path))
        if name.startswith(("edge_daemon", "tools")) and not name.startswith(allowed)
    ]


def test_the_daemon_never_imports_the_tools() -> None:
    assert violations("edge_daemon", ("edge_daemon",)) == []


def test_the_tools_import_what_training_and_daemon_share() -> None:
    allowed = (
        "tools",
        "edge_daemon.features",
        # The headroom that losses are weighed by, and the policy that the simulator runs.
        "edge_daemon.governor",
        "edge_daemon.inference",
        "edge_daemon.resources",
        "edge_daemon.tier",
        # What a pipeline is handed: a window with a frame and a ring.
        "edge_daemon.capture.ring",
        "edge_daemon.capture.source",
        "edge_daemon.window",
    )
    assert violations("tools", allowed) == []


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("features", ("features",)),
        ("capture", ("capture", "clock", "window", "journal.events", "config", "worker")),
        (
            "governor",
            ("governor", "clock", "config", "tier", "journal.events", "signals", "worker"),
        ),
        (
            "inference",
            ("inference", "features", "clock", "tier", "window", "capture.ring", "capture.source"),
        ),
        (
            "journal",
            (
                "journal",
                "clock",
                "tier",
                "governor.decision",
                "governor.headroom",
                "governor.margin",
                "governor.reading",
                "terminal",
                "worker",
            ),
        ),
        ("review", ("review", "governor", "journal", "tier")),
    ],
)
def test_packages_know_only_their_neighbours(package: str, allowed: tuple[str, ...]) -> None:
    names = tuple(f"edge_daemon.{name}" for name in allowed)
    assert violations(f"edge_daemon/{package}", names) == []


def test_the_governor_does_not_know_the_wall_clock() -> None:
    # Whatever sets the clock of a board without one, no wait, age or slope may jump.
    folder = ROOT / "edge_daemon/governor"
    readers = {path.name for path in folder.glob("*.py") if wall_clocks(path)}
    assert readers == {"record.py"}  # for display


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["config"]])
def test_light_commands_import_no_heavy_library(arguments: list[str]) -> None:
    program = (
        "import sys; from edge_daemon.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout
    assert "edge_daemon.cli" in done.stderr.split()
    assert HEAVY & set(done.stderr.split()) == set()


def test_the_guard_sees_what_a_file_imports() -> None:
    assert "ast" in imports(Path(__file__))
    assert sys.modules[__name__].__name__ not in imports(Path(__file__))
