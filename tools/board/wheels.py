"""The wheels that a board installs: the daemon's own, and those of its dependencies for arm64."""

import sys
from pathlib import Path

from tools.board.process import run
from tools.board.rootfs import CHECKOUT

# glibc 2.36 of the board takes wheels built for any of these.
_PLATFORMS = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (36, 31, 28, 27, 17)]


def build_wheel(directory: Path) -> Path:
    """Build the wheel of this checkout; equal sources give equal bytes."""
    run(
        sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={directory}",
        cwd=CHECKOUT,
    )  # fmt: skip
    (wheel,) = directory.glob("edge_daemon-*.whl")
    return wheel


def fetch_dependencies(directory: Path, wheel: Path) -> None:
    """Download what a wheel depends on, for the board's Python, into a directory.

    Args:
        directory: where.
        wheel: the daemon's.
    """
    run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download",
        "--only-binary=:all:", *_PLATFORMS, "--python-version=3.11", "--implementation=cp",
        "--constraint", CHECKOUT / "constraints.txt", "--dest", directory, wheel,
    )  # fmt: skip
    (directory / wheel.name).unlink()
