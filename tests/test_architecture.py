"""The arrows between packages that docs/architecture.md promises."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = {
    "policy",
    "ascent",
    "descent",
    "prospect",
    "case",
    "patience",
    "objections",
    "decision",
    "margin",
    "table",
    "foresight",
    "outlook",
    "state",
    "estimate",
    "heat",
    "slowdown",
    "lateness",
    "level",
    "hearing",
    "arrival",
    "allocation",
    "pressure",
    "headroom",
}
# What holds no clock, no file, no thread and no chance.
CALCULATES = {
    "collections.abc",
    "enum",
    "functools",
    "itertools",
    "math",
    "msgspec",
    "msgspec.structs",
    "operator",
    "typing",
}
REACHES_OUT = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
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


def modules(path: Path) -> set[Path]:
    """Return the files of edge_daemon that importing a file runs, packages included."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            # `from package import name`: the name may be a module.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            place = ROOT
            for part in name.split("."):
                place /= part
                found.update(
                    file
                    for file in (place / "__init__.py", place.with_suffix(".py"))
                    if file.is_file()
                )
    return found


def impurities(paths: set[Path]) -> list[str]:
    """Return what the files, and all that they import of edge_daemon, may do beside calculate."""
    found: list[str] = []
    waiting, seen = set(paths), set[Path]()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        waiting |= modules(path) - seen
        found += impure(path)
    return sorted(found)


def impure(path: Path) -> Iterator[str]:
    """Yield what a file by itself may do beside calculate."""
    for name in imports(path):
        if name.partition(".")[0] != "edge_daemon" and name not in CALCULATES:
            yield f"{path.name} imports {name}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Name) and node.id in REACHES_OUT:
            yield f"{path.name} has {node.id} in line {node.lineno}"


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
        (
            "capture",
            ("capture", "clock", "window", "journal.events", "config", "redaction", "worker"),
        ),
        (
            "governor",
            (
                "governor",
                "clock",
                "config",
                "redaction",
                "tier",
                "journal.events",
                "signals",
                "worker",
            ),
        ),
        (
            "inference",
            (
                "inference",
                "features",
                "clock",
                "tier",
                "window",
                "worker",
                "capture.ring",
                "capture.source",
            ),
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


def test_what_decides_only_calculates() -> None:
    # No clock, no file, no chance: the same readings give the same decisions, here and in a replay.
    governor = ROOT / "edge_daemon/governor"
    assert impurities({governor / f"{name}.py" for name in PURE}) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os", "imports os"),
        ("import os.path", "imports os.path"),
        ("from time import monotonic_ns", "imports time"),
        ("from pathlib import Path", "imports pathlib"),
        ("import io, threading, random", "imports threading"),
        ("def late() -> None:\n    import subprocess", "imports subprocess"),
        ("text = open('/proc/stat').read()", "has open in line 1"),
        ("from edge_daemon.governor.throttle import throttle_flags", "kernelfile.py imports os"),
        ("from edge_daemon.governor import throttle", "throttle.py imports pathlib"),
        ("import edge_daemon.clock", "clock.py imports time"),
    ],
)
def test_the_guard_sees_what_does_more_than_calculate(tmp_path: Path, line: str, said: str) -> None:
    added = tmp_path / "added.py"
    added.write_text(f"{line}\n", encoding="utf-8")
    assert any(said in each for each in impurities({added}))
    added.write_text("import math\nfrom edge_daemon.governor.limits import Limits\n")
    assert impurities({added}) == []


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
