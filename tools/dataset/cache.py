"""Arrays that are made once, in parts, and kept on disk."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]

CACHE = Path("runs/cache")
"""Where made arrays are kept unless another folder is named."""


def cached(
    directory: Path,
    name: str,
    parameters: Mapping[str, object],
    parts: int,
    make: Callable[[int], Arrays],
    processes: int = 2,
) -> Arrays:
    """Return arrays from the cache, or make them part by part and keep them.

    An interrupted run goes on with the parts that are missing.

    Args:
        directory: the cache.
        name: what people see.
        parameters: all that the arrays depend on; their hash is the key.
        parts: number of parts.
        make: makes one part; parts are concatenated in order. Must be picklable, and must depend
            on nothing but its argument and the parameters.
        processes: how many make parts at once.
    """
    text = json.dumps(parameters, sort_keys=True, default=str)
    key = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    path = directory / f"{key}.npz"
    if path.exists():
        return _read(path)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{key}.lock").open("w") as lock:
        # Of two programs that need the same arrays one makes them and the other waits.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return _read(path)
        folder = directory / f"{key}.parts"
        arrays = _make_all(folder, name, parts, make, processes)
        (directory / f"{key}.json").write_text(text + "\n", encoding="utf-8")
        _write(path, arrays)
        shutil.rmtree(folder)  # not before: a kill or a full disk would cost them all
    return arrays


def _make_all(
    folder: Path, name: str, parts: int, make: Callable[[int], Arrays], processes: int
) -> Arrays:
    folder.mkdir(exist_ok=True)
    missing = [part for part in range(parts) if not _part(folder, part).exists()]
    if len(missing) < 2 or processes < 2:
        for part in missing:
            _write(_part(folder, part), make(part))
    else:
        _make_in_processes(folder, name, missing, make, min(processes, len(missing)))
    made = [_read(_part(folder, part)) for part in range(parts)]
    return {field: np.concatenate([part[field] for part in made]) for field in made[0]}


def _make_in_processes(
    folder: Path, name: str, missing: list[int], make: Callable[[int], Arrays], processes: int
) -> None:
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:-1], TimeElapsedColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        # Spawned, not forked: the caller may have started threads.
        ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task(name, total=len(missing))
        paths = [_part(folder, part) for part in missing]
        for _ in pool.map(_make_part, [make] * len(missing), missing, paths):
            progress.advance(task)


def _make_part(make: Callable[[int], Arrays], part: int, path: Path) -> None:
    _write(path, make(part))


def _part(folder: Path, part: int) -> Path:
    return folder / f"{part:04d}.npz"


def _read(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as file:
        return {field: file[field] for field in file.files}


def _write(path: Path, arrays: Arrays) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp.npz")
    np.savez(temporary, allow_pickle=False, **arrays)
    temporary.replace(path)
