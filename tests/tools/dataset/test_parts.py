from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.dataset.folders import DatasetError
from tools.dataset.parts import assign_parts, together
from tools.dataset.table import PARTS, Part, Row

CSV = Path("/data/data.csv")


def row(
    number: int,
    label: str,
    *,
    image: str | None = None,
    audio: str | None = None,
    split: Part | None = None,
    group: str = "",
) -> Row:
    image = image or f"{number}.png"
    sound = None if audio is None else CSV.parent / audio
    return Row(number + 2, label, CSV.parent / image, sound, split, group)


@given(
    counts=st.lists(st.integers(3, 60), min_size=2, max_size=5),
    seed=st.integers(0, 50),
)
def test_every_label_is_split_in_the_same_way(counts: list[int], seed: int) -> None:
    labels = [f"label {place}" for place, count in enumerate(counts) for _ in range(count)]
    rows = [row(number, label) for number, label in enumerate(labels)]
    held = Counter(zip(labels, assign_parts(rows, CSV, seed), strict=True))
    for place, count in enumerate(counts):
        aside = max(1, round(0.15 * count))
        assert held[f"label {place}", "validation"] == held[f"label {place}", "test"] == aside
        assert held[f"label {place}", "train"] == count - 2 * aside


def test_the_order_of_the_rows_changes_nothing_and_the_seed_does() -> None:
    rows = [row(number, "ab"[number % 2]) for number in range(40)]
    parts = dict(zip(rows, assign_parts(rows, CSV), strict=True))
    assert dict(zip(rows[::-1], assign_parts(rows[::-1], CSV), strict=True)) == parts
    assert dict(zip(rows, assign_parts(rows, CSV, seed=1), strict=True)) != parts


def test_moving_the_folder_changes_nothing() -> None:
    rows = [row(number, "ab"[number % 2]) for number in range(40)]
    moved = [
        Row(some.line, some.label, Path("/else") / f"{number}.png", None, None, "")
        for number, some in enumerate(rows)
    ]
    assert assign_parts(rows, CSV) == assign_parts(moved, Path("/else/data.csv"))


@given(
    links=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5))),
)
def test_together_are_those_that_are_connected(links: list[tuple[int, int, int]]) -> None:
    """Against the transitive closure, written out."""
    rows = [
        row(number, "a", image=f"i{image}", audio=f"s{sound}", group=f"g{group}" if group else "")
        for number, (image, sound, group) in enumerate(links)
    ]
    reach = [
        [
            a.image == b.image or a.audio == b.audio or (a.group != "" and a.group == b.group)
            for b in rows
        ]
        for a in rows
    ]
    for via in range(len(rows)):
        for a in range(len(rows)):
            for b in range(len(rows)):
                reach[a][b] = reach[a][b] or (reach[a][via] and reach[via][b])
    expected = {tuple(at for at, linked in enumerate(line) if linked) for line in reach}
    assert {tuple(places) for places in together(rows)} == expected


def test_a_shared_recording_keeps_rows_in_one_part() -> None:
    rows = [
        row(number, "ab"[number % 2], audio=f"{number // 4}{'ab'[number % 2]}.wav")
        for number in range(80)
    ]
    parts = assign_parts(rows, CSV)
    of_recording: dict[Path | None, set[Part]] = {}
    for some, part in zip(rows, parts, strict=True):
        of_recording.setdefault(some.audio, set()).add(part)
    assert all(len(found) == 1 for found in of_recording.values())
    assert set(parts) == set(PARTS)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_too_large_to_be_set_aside_trains(seed: int) -> None:
    rows = [row(number, "a", group="most" if number < 12 else "") for number in range(20)]
    parts = assign_parts(rows, CSV, seed)
    assert set(parts[:12]) == {"train"}
    assert Counter(parts) == {"train": 14, "validation": 3, "test": 3}


def test_groups_that_span_labels_are_kept_whole() -> None:
    """Six speakers who each say every label: whole speakers are set aside."""
    rows = [
        row(number, f"label {number % 5}", group=f"speaker {number // 30}") for number in range(180)
    ]
    parts = assign_parts(rows, CSV)
    speakers = [{parts[at] for at in range(30 * s, 30 * s + 30)} for s in range(6)]
    assert all(len(found) == 1 for found in speakers)
    assert Counter(part for (part,) in speakers) == {"train": 4, "validation": 1, "test": 1}


def test_a_table_that_says_so_decides() -> None:
    wanted: list[Part] = ["test", "train", "validation"] * 2
    rows = [row(number, "ab"[number // 3], split=part) for number, part in enumerate(wanted)]
    assert assign_parts(rows, CSV) == wanted


def test_a_label_that_lacks_a_part_is_named() -> None:
    rows = [row(number, "many") for number in range(9)] + [row(10, "few"), row(11, "few")]
    with pytest.raises(DatasetError, match=r"data\.csv, label few: 2 rows, none of them for") as at:
        assign_parts(rows, CSV)
    assert "at least 3 that share no file or group are needed" in str(at.value)
    assert "many" not in str(at.value)


def test_a_label_whose_rows_are_all_connected_is_named() -> None:
    rows = [row(number, "many") for number in range(9)]
    rows += [row(number, "one", group="ann") for number in range(20, 29)]
    with pytest.raises(DatasetError, match="label one: 9 rows, none of them for"):
        assign_parts(rows, CSV)
