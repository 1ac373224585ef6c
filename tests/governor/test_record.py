import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge_daemon.governor.decision import Decision
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.record import (
    FORMAT,
    Header,
    Poll,
    Recorder,
    Settings,
    decode_line,
    is_recording,
)
from edge_daemon.governor.script import TraceError
from edge_daemon.tier import Tier

HEADER = Header(FORMAT, "1.2.3", "a board", "digits 1.0.0", "9f2c", Tier.CRITICAL)
READING = Reading(time_ns=5, cpu_foreign=0.1 + 0.2, cycle_tier=Tier.LOW, failed={"battery": "EIO"})
DECISION = Decision(Tier.LOW, Tier.MEDIUM, "cpu", "cpu_limit", "busy", time_ns=5)
WALL_NS = 1_773_964_795_007_999_999


class Desk:
    """A recorder, and what it told."""

    def __init__(self, path: Path, max_bytes: int = 1 << 20) -> None:
        self.path = path
        self.told: list[str] = []
        self.recorder = Recorder(
            path,
            HEADER,
            max_bytes=max_bytes,
            on_end=self.told.append,
            wall_clock=lambda: WALL_NS,
        )

    def poll(self, times: int = 1, limits: Limits = Limits()) -> None:  # noqa: B008
        for _ in range(times):
            self.recorder.poll(READING, DECISION, Tier.LOW, PUBLISHED, limits)

    def lines(self) -> list[Any]:
        return [decode_line(line) for line in self.path.read_bytes().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "night.jsonl")
    yield made
    made.recorder.close()


def test_header_settings_and_readings_come_back_as_they_were(desk: Desk) -> None:
    desk.poll()
    desk.recorder.swap_failed(Tier.HIGH)
    desk.recorder.poll(READING, None, Tier.MEDIUM, PUBLISHED, Limits())
    desk.recorder.close()
    header, settings, poll, failed, pinned = desk.lines()
    assert header == HEADER
    assert settings == Settings(PUBLISHED, Limits())
    assert poll == Poll(WALL_NS // 10**6, READING, Tier.LOW, Tier.MEDIUM, "cpu_limit")
    assert failed.tier is Tier.HIGH
    assert (pinned.tier, pinned.previous, pinned.rule) == (Tier.MEDIUM, Tier.MEDIUM, "")
    assert desk.told == []


def test_settings_are_written_again_when_they_change_and_only_then(desk: Desk) -> None:
    desk.poll(3)
    other = replace(Limits(), down_polls=5)
    desk.poll(2, other)
    desk.recorder.close()
    kinds = [type(line).__name__ for line in desk.lines()]
    assert kinds == ["Header", "Settings", "Poll", "Poll", "Poll", "Settings", "Poll", "Poll"]
    assert desk.lines()[5].limits == other


def test_nothing_reaches_the_disk_before_a_step(desk: Desk) -> None:
    desk.poll()
    assert desk.path.read_bytes() == b""
    desk.recorder.step()
    assert len(desk.lines()) == 3


def test_the_worker_writes_what_waits_at_the_end(desk: Desk) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=desk.recorder.run, args=(stop,))
    worker.start()
    desk.poll(4)
    stop.set()
    worker.join(5)
    assert len(desk.lines()) == 6


def test_a_full_file_ends_with_a_whole_line_and_one_message(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "small.jsonl", max_bytes=8_000)
    for _ in range(200):
        desk.poll()
        desk.recorder.step()
    desk.recorder.close()
    assert 7_000 < desk.path.stat().st_size <= 8_000
    assert all(desk.lines())
    (told,) = desk.told
    assert "ends here" in told
    assert "--record-mib" in told
    assert str(desk.path) in told


def test_what_waits_counts_towards_the_bound(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "small.jsonl", max_bytes=8_000)
    desk.poll(200)
    desk.recorder.close()
    assert desk.path.stat().st_size <= 8_000
    assert len(desk.told) == 1


def test_a_disk_that_does_not_keep_up_ends_the_recording(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "slow.jsonl", max_bytes=1 << 30)
    desk.poll(20_000)
    assert len(desk.told) == 1
    assert "does not keep up" in desk.told[0]
    desk.recorder.close()
    assert desk.path.stat().st_size <= 1 << 20


@pytest.mark.parametrize("fails", ["raises", "writes a part"])
def test_a_full_disk_ends_the_recording_and_never_raises(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    desk.poll()
    whole = os.write

    def write(fd: int, data: bytes) -> int:
        if fails == "raises":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(fd, data[:-7])

    monkeypatch.setattr(os, "write", write)
    desk.recorder.step()
    desk.poll(5)
    desk.recorder.step()
    monkeypatch.undo()
    (told,) = desk.told
    assert "no space left" in told.lower()
    desk.poll()
    desk.recorder.close()
    kept = desk.path.read_bytes()
    assert kept == b"" or not kept.endswith(b"\n")


def test_a_text_that_is_no_unicode_is_recorded_nevertheless(desk: Desk) -> None:
    reading = replace(READING, failed={"battery": "/sys/\udcff"})
    desk.recorder.poll(reading, DECISION, Tier.LOW, PUBLISHED, Limits())
    desk.recorder.close()
    assert desk.lines()[2].reading.failed == {"battery": "/sys/?"}


def test_a_second_run_goes_on_behind_a_torn_line(desk: Desk) -> None:
    desk.poll(2)
    desk.recorder.close()
    desk.path.write_bytes(desk.path.read_bytes()[:-9])
    again = Desk(desk.path)
    again.poll()
    again.recorder.close()
    lines = desk.path.read_bytes().splitlines()
    assert [json.loads(line)["line"] for line in lines[:3]] == ["header", "settings", "poll"]
    assert is_recording(lines[4])
    assert [json.loads(line)["line"] for line in lines[4:]] == ["header", "settings", "poll"]


def test_a_second_run_counts_what_is_there_towards_the_bound(desk: Desk) -> None:
    desk.poll(20)
    desk.recorder.close()
    size = desk.path.stat().st_size
    again = Desk(desk.path, max_bytes=size + 10)
    assert len(again.told) == 1
    again.recorder.close()
    assert desk.path.stat().st_size == size


@pytest.mark.parametrize("text", ["video:\n  source: camera\n", '{"line":"header"}\n', "\n"])
def test_another_file_is_never_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(TraceError, match=r"config\.yaml: holds something else"):
        Desk(path)
    assert path.read_text() == text


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"x\.jsonl: cannot be recorded to: No such file"):
        Desk(tmp_path / "none" / "x.jsonl")


def test_a_recording_of_another_format_is_known_as_one() -> None:
    assert is_recording(b'{"line":"header","format":99,"new":1}')
    assert not is_recording(b'{"line":"poll"}')
    assert not is_recording(b"\xff")


def test_nothing_is_recorded_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "night.jsonl").symlink_to(tmp_path / "target")
    with pytest.raises(TraceError, match=r"night\.jsonl: cannot be recorded to"):
        Desk(tmp_path / "night.jsonl")
    assert not (tmp_path / "target").exists()
