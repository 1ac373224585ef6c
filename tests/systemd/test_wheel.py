import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_daemon.resources import shipped_models


def test_the_wheel_carries_models_clip_and_configuration(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    models = {
        f"edge_daemon/models/{path.relative_to(shipped_models())}"
        for path in shipped_models().rglob("*")
        if path.suffix in {".tflite", ".yaml"}
    }
    assert len(models) >= 5
    assert models <= names
    demo = shipped_models().parent / "edge_daemon" / "demo"
    clip = [path for path in demo.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {f"edge_daemon/demo/{path.relative_to(demo)}" for path in clip} <= names
    assert {"edge_daemon/config.yaml", "edge_daemon/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests/", "tools/"))]


@pytest.mark.slow
def test_the_wheel_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    steps = [
        [sys.executable, "-m", "venv", str(venv)],
        [str(venv / "bin" / "pip"), "install", "-q", "--no-deps", "--no-index", str(wheel)],
    ]
    for step in steps:
        subprocess.run(step, check=True, capture_output=True, timeout=120)
    # The dependencies of this interpreter, found after the installed package itself.
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    installed = next(venv.glob("lib/python3*/site-packages"))
    (installed / "dependencies.pth").write_text(packages)
    environ = {key: text for key, text in os.environ.items() if key != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        command = [str(venv / "bin" / "edge-daemon"), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "demo" in run("--help")
    where = [str(venv / "bin" / "python"), "-c", "import edge_daemon; print(edge_daemon.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert found.stdout.startswith(str(venv))
    assert run("config") == (installed / "edge_daemon" / "config.yaml").read_text()
    journal = tmp_path / "journal"
    run("demo", "--lockstep", "--journal", str(journal))
    assert '"event":"stop"' in (journal / "journal.jsonl").read_text()
