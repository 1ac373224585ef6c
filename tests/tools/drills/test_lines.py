"""Files that are appended to, cut, replaced and deleted while somebody follows them."""

import json
from pathlib import Path

import pytest

from tools.drills.lines import Follower, Line, parse, read_file


def text(*numbers: int) -> str:
    return "".join(json.dumps({"seq": number, "mono_ns": number * 10}) + "\n" for number in numbers)


def numbers(lines: list[Line]) -> list[int]:
    return [line.fields["seq"] for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lines.jsonl"


def test_a_file_that_is_not_there_yet_has_no_lines(file: Path) -> None:
    follower = Follower(file)
    follower.look()
    assert follower.lines == []
    file.write_text(text(0))
    follower.look()
    assert numbers(follower.lines) == [0]


def test_a_line_counts_once_its_newline_has_come(file: Path) -> None:
    follower = Follower(file)
    whole = text(0, 1)
    file.write_text(whole[:-5])
    follower.look()
    assert numbers(follower.lines) == [0]
    file.write_text(whole)
    follower.look()
    follower.look()
    assert numbers(follower.lines) == [0, 1]


def test_a_deleted_file_is_remembered_and_its_successor_read(file: Path) -> None:
    follower = Follower(file)
    file.write_text(text(0, 1, 2))
    follower.look()
    file.unlink()
    follower.look()
    file.write_text(text(3))
    follower.look()
    assert numbers(follower.lines) == [0, 1, 2, 3]


@pytest.mark.parametrize("after", [(0, 1, 7, 8, 9, 10), (0, 1, 7), (7,)])
def test_what_a_file_lost_and_what_came_instead_is_read_once(
    file: Path, after: tuple[int, ...]
) -> None:
    follower = Follower(file)
    file.write_text(text(0, 1, 2, 3))
    follower.look()
    file.write_text(text(*after))
    follower.look()
    file.write_text(text(*after, 11))
    follower.look()
    assert numbers(follower.lines) == [0, 1, 2, 3, *(n for n in after if n > 3), 11]


def test_the_time_of_an_event_is_its_own_where_it_says_one(file: Path) -> None:
    follower = Follower(file)
    file.write_text('{"seq": 0, "mono_ns": 123}\n{"seq": 1}\n')
    follower.look()
    first, second = follower.lines
    assert first.at_ns == 123
    assert second.at_ns > 123


def test_a_whole_file_is_parted_into_lines_and_torn_pieces(file: Path) -> None:
    file.write_bytes(text(0).encode() + b'{"seq": \n[1]\n\xff\n' + text(1).encode() + b'{"seq": 2}')
    lines, torn = read_file(file)
    assert numbers(lines) == [0, 1]
    assert torn == [b'{"seq": \n', b"[1]\n", b"\xff\n", b'{"seq": 2}']


def test_a_line_says_its_event_and_fields() -> None:
    line = parse(b'{"event": "capture", "source": "video", "state": "stalled"}\n', 5)
    assert line is not None
    assert line.says("capture", source="video")
    assert not line.says("capture", source="audio")
    assert not line.says("fault", source="video")
    assert not line.says("capture", detail=None, state="healthy")
