"""Runs a program of this machine and says what it printed where it fails."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.board.errors import BoardError


def run(
    *command: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> str:
    """Return what the program prints to standard output.

    Raises:
        BoardError: it is not installed, failed or took too long; with the end of what it printed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
        )
    except FileNotFoundError:
        raise BoardError(f"{words[0]} is not installed; see docs/board.md") from None
    except subprocess.TimeoutExpired:
        raise BoardError(f"{' '.join(words)}: no end after {timeout_s:g} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise BoardError(f"{' '.join(words)}: exit code {done.returncode}\n{said}")
    return done.stdout
