from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tools.dataset.cache import Arrays, cached


def make(record: Path, part: int) -> Arrays:
    with record.open("a", encoding="utf-8") as file:
        file.write(f"{part}\n")
    return {"values": np.full(3, part), "names": np.array([f"part {part}"])}


def make_until(record: Path, last: int, part: int) -> Arrays:
    if part > last:
        raise RuntimeError("interrupted")
    return make(record, part)


def made(record: Path) -> list[int]:
    return sorted(int(line) for line in record.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("processes", [1, 2])
def test_parts_are_made_once_and_come_in_order(tmp_path: Path, processes: int) -> None:
    record = tmp_path / "made"
    for _ in range(2):
        arrays = cached(tmp_path, "x", {"a": 1}, 4, partial(make, record), processes)
        assert arrays["values"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
        assert arrays["names"].tolist() == [f"part {part}" for part in range(4)]
    assert made(record) == [0, 1, 2, 3]


def test_other_parameters_make_other_arrays(tmp_path: Path) -> None:
    record = tmp_path / "made"
    cached(tmp_path, "x", {"a": 1}, 1, partial(make, record))
    cached(tmp_path, "x", {"a": 2}, 1, partial(make, record))
    assert made(record) == [0, 0]
    assert len(list(tmp_path.glob("x-*.npz"))) == 2


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    record = tmp_path / "made"
    with pytest.raises(RuntimeError, match="interrupted"):
        cached(tmp_path, "x", {}, 4, partial(make_until, record, 1), 1)
    assert made(record) == [0, 1]
    arrays = cached(tmp_path, "x", {}, 4, partial(make, record), 1)
    assert made(record) == [0, 1, 2, 3]
    assert len(arrays["values"]) == 12
    assert not list(tmp_path.glob("*.parts"))
    assert not list(tmp_path.glob("**/*.tmp.npz"))
