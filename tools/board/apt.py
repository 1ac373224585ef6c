"""Fetches Debian's packages for arm64 with this machine's own apt, and installs none of them."""

import os
import platform
from pathlib import Path

from tools.board.errors import BoardError
from tools.board.process import run

SUITE = "bookworm"
"""That of Raspberry Pi OS 12 and of Python 3.11."""

SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))

_HOSTS = {"x86_64": "amd64", "aarch64": "arm64"}


def sources() -> Path:
    """Return this machine's own list of package sources.

    Raises:
        BoardError: none names the suite.
    """
    for path in SOURCES:
        if path.exists() and SUITE in path.read_text(encoding="utf-8"):
            return path
    raise BoardError(f"no source of Debian {SUITE} in {' or '.join(map(str, SOURCES))}")


def host_architecture() -> str:
    """Return Debian's name for what this machine is."""
    return _HOSTS.get(platform.machine(), platform.machine())


class Apt:
    """An apt that knows packages for arm64, with lists and downloads of its own.

    Args:
        directory: an empty one for those.
    """

    def __init__(self, directory: Path) -> None:
        for name in ("lists/partial", "cache/archives/partial"):
            (directory / name).mkdir(parents=True)
        (directory / "status").touch()
        settings = {
            "APT::Architecture": "arm64",
            "Dir::Etc::SourceList": sources(),
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": directory,
            "Dir::State::Lists": directory / "lists",
            "Dir::State::status": directory / "status",
            "Dir::Cache": directory / "cache",
            "APT::Sandbox::User": "root",
        }
        lines = [f'{name} "{value}";\n' for name, value in settings.items()]
        lines.append(f'APT::Architectures {{ "arm64"; "{host_architecture()}"; }};\n')
        config = directory / "apt.conf"
        config.write_text("".join(lines), encoding="utf-8")
        self._env = {**os.environ, "APT_CONFIG": str(config)}
        run("apt-get", "--quiet", "update", env=self._env)

    def needs(self, package: str, prefix: str) -> str:
        """Return the dependency of a package that begins with a prefix."""
        said = run("apt-cache", "depends", package, env=self._env)
        for line in said.splitlines():
            kind, _, name = line.strip().partition(": ")
            if kind == "Depends" and name.startswith(prefix):
                return name
        raise BoardError(f"{package} depends on no {prefix}…:\n{said}")

    def unpack(self, into: Path, *packages: str) -> None:
        """Download packages and unpack them below a directory, without running their scripts."""
        for package in packages:
            before = set(into.glob("*.deb"))
            run("apt-get", "--quiet", "download", package, cwd=into, env=self._env)
            (archive,) = set(into.glob("*.deb")) - before
            run("dpkg-deb", "--extract", archive, into)
            archive.unlink()
