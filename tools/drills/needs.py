"""What a drill needs of the machine that it runs on."""

import os
import shutil


class SkipError(Exception):
    """A drill cannot run here; the text says why."""


def need_root() -> None:
    """Skip unless this is root."""
    if os.geteuid() != 0:
        raise SkipError("needs root")


def need_programs(*names: str) -> None:
    """Skip where a program is not installed."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise SkipError(f"needs {', '.join(missing)}")
