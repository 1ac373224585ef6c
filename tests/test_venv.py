"""tools/venv.sh beside Pythons and an apt that are made up: which it takes, and what it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "tools" / "venv.sh"
TOOLS = ("sh", "dirname", "rm", "mkdir", "touch")


class System:
    """A machine with these tools, Pythons and packages."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.bin.mkdir()
        self.venv = root / "venv"
        self._said = root / "said"
        self._script = root / "tools" / "venv.sh"
        self._script.parent.mkdir()
        shutil.copy(SCRIPT, self._script)
        self._add(root / "tools" / "apt.sh", f'echo "apt $*" >> {self._said}')
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)

    def python(
        self, name: str, version: tuple[int, int], *, bits: int = 64, venv: bool = True
    ) -> None:
        """Add an interpreter that answers as one of that version would."""
        pretence = [
            "import sys",
            f"sys.version_info = {(*version, 1)}",
            f"sys.maxsize = 2**{bits - 1} - 1",
            "" if venv else "sys.modules['ensurepip'] = None",
            "exec(sys.argv[1])",
        ]
        self._add(
            self.bin / name,
            f'if [ "$1" = -m ]; then echo "{name} $*" >> {self._said}; exit; fi\n'
            f'exec {sys.executable} -c "{chr(10).join(pretence)}" "$2"',
        )

    def offers(self, *packages: str) -> None:
        """Let apt know of these packages."""
        known = "|".join(packages) or "nothing"
        self._add(self.bin / "apt-cache", f'case $2 in {known}) echo "Package: $2";; esac')

    def run(self, status: int = 0, **environ: str) -> str:
        """Run the script; return what it said to the user, or did."""
        done = subprocess.run(
            [str(self._script), str(self.venv)],
            env={"PATH": str(self.bin), **environ},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        assert done.stdout == ""
        return self._said.read_text() if self._said.exists() else done.stderr

    def _add(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_the_systems_own_python_is_taken_where_it_suits(system: System) -> None:
    system.python("python3", (3, 12))
    system.python("python3.11", (3, 11))
    assert system.run() == f"python3 -m venv {system.venv}\n"


def test_another_is_taken_where_the_systems_own_is_too_old_or_too_new(system: System) -> None:
    system.python("python3", (3, 10))
    system.python("python3.13", (3, 14))
    system.python("python3.11", (3, 11))
    assert system.run() == f"python3.11 -m venv {system.venv}\n"


def test_one_that_is_named_is_taken(system: System) -> None:
    system.python("python3", (3, 12))
    system.python("mine", (3, 13))
    assert system.run(PYTHON="mine") == f"mine -m venv {system.venv}\n"


def test_one_that_is_named_and_does_not_suit_is_not_replaced(system: System) -> None:
    system.python("python3", (3, 12))
    system.python("old", (3, 8))
    assert system.run(1, PYTHON="old") == "PYTHON=old is no Python 3.11, 3.12 or 3.13\n"


@pytest.mark.parametrize(
    ("version", "offered", "install"),
    [
        ((3, 10), ("python3.11-venv",), "python3.11 python3.11-venv"),  # Ubuntu 22.04
        ((3, 14), ("python3.13-venv", "python3.12-venv"), "python3.13 python3.13-venv"),
    ],
)
def test_the_release_says_what_can_be_installed(
    system: System, version: tuple[int, int], offered: tuple[str, ...], install: str
) -> None:
    system.python("python3", version)
    system.offers(*offered)
    assert system.run(1) == (
        f"no Python 3.11, 3.12 or 3.13 found; run: sudo apt install {install}\n"
    )


def test_a_release_that_has_none_sends_elsewhere(system: System) -> None:
    system.python("python3", (3, 8))  # Ubuntu 20.04
    system.offers()
    said = system.run(1)
    assert "sudo apt install" not in said
    assert "below /usr/local or /opt" in said
    assert "PYTHON=/usr/local/bin/python3.11" in said


def test_a_python_for_32_bits_is_told(system: System) -> None:
    system.python("python3", (3, 11), bits=32)
    system.offers("python3.11-venv")
    said = system.run(1)
    assert said == "python3 is for 32 bits, and the wheels are for 64: install a 64-bit system\n"


@pytest.mark.parametrize(
    ("offered", "wanted"),
    [(("python3.11-venv", "python3-venv"), "python3.11-venv"), ((), "python3-venv")],
)
def test_venv_is_installed_for_the_version_that_lacks_it(
    system: System, offered: tuple[str, ...], wanted: str
) -> None:
    system.python("python3.11", (3, 11), venv=False)
    system.offers(*offered)
    assert system.run().splitlines() == [f"apt {wanted}", f"python3.11 -m venv {system.venv}"]


def test_an_environment_that_works_is_left_alone(system: System) -> None:
    (system.venv / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        os.symlink(sys.executable, system.venv / "bin" / name)  # noqa: PTH211
    assert system.run() == ""
