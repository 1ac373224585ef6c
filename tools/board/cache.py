"""Where the parts of the board are kept: each is built once for what it is made from."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def default_directory(environ: Mapping[str, str]) -> Path:
    """Return `edge-daemon-board` in $XDG_CACHE_HOME, or in ~/.cache."""
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "edge-daemon-board"


def fingerprint(*inputs: str | bytes | Path) -> str:
    """Return a hash of texts and of files, the latter by their contents and names.

    A directory stands for every file below it.
    """
    whole = hashlib.sha256()
    for item in inputs:
        for piece in _pieces(item):
            whole.update(len(piece).to_bytes(8, "little"))
            whole.update(piece)
    return whole.hexdigest()[:16]


class Cache:
    """A directory of finished parts; half-built ones have another name and are begun anew.

    Args:
        directory: made where it is missing.
        say: is told what is built, because some of it takes minutes.
    """

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self.directory = directory
        self._say = say
        directory.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds out; waits until they are done."""
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def part(self, name: str, key: str, build: Callable[[Path], None]) -> Path:
        """Return the directory of a part, built if it is not there yet.

        Args:
            name: such as `kernel`; `NAME` in the cache is a link to the newest.
            key: the fingerprint of all that it is made from, without a dash. Parts of the same name
                with another key are removed once this one is there.
            build: fills an empty directory.
        """
        finished = self.directory / f"{name}-{key}"
        if not finished.is_dir():
            self._say(name)
            partial = self.directory / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            build(partial)
            partial.rename(finished)
        self._point(name, finished)
        for old in self.directory.glob(f"{name}-*"):
            key_of_old = old.name.removeprefix(f"{name}-")
            if old != finished and "-" not in key_of_old and not old.is_symlink():
                shutil.rmtree(old)
        return finished

    def newest(self, name: str) -> Path | None:
        """Return the directory of the part that was built last."""
        link = self.directory / name
        return link.resolve() if link.is_dir() else None

    def _point(self, name: str, finished: Path) -> None:
        fresh = self.directory / f"{name}.link"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(finished.name)
        fresh.rename(self.directory / name)


def _pieces(item: str | bytes | Path) -> Iterator[bytes]:
    if isinstance(item, str):
        yield item.encode()
    elif isinstance(item, bytes):
        yield item
    elif item.is_dir():
        for path in sorted(item.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(item).as_posix().encode()
                yield path.read_bytes()
    else:
        yield item.name.encode()
        yield item.read_bytes()
