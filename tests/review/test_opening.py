"""Traces as files: recordings, journals and scripts, whole, torn, foreign and of several boots."""

import json
import resource
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.script import TraceError
from edge_daemon.journal.events import Event, Fault, ReadingEvent, Start, Stop, TierChange
from edge_daemon.journal.writer import Journal
from edge_daemon.review.comparison import compare
from edge_daemon.review.opening import open_trace
from edge_daemon.review.rerun import rerun
from edge_daemon.review.trace import Begin, Moment, Step
from edge_daemon.tier import Tier
from tests.governor.sysroot import seconds
from tests.journal import samples
from tests.review.test_rerun import Board, changed, replayed

BOOT_S = 5000.0
"""How much CLOCK_BOOTTIME is ahead of the monotonic clock in the journals here."""


class Pages:
    """Writes a journal on clocks of the test's."""

    def __init__(self, directory: Path, boot_id: str = "one", ahead_s: float = BOOT_S) -> None:
        self.clock = VirtualClock()
        self.ahead_s = ahead_s
        self.journal = Journal(
            directory,
            clock=self.clock,
            wall_clock=lambda: 1_773_964_795_000_000_000 + self.clock(),
            boot_id=boot_id,
        )
        self.journal.open()

    def at(self, at_s: float, *events: Event) -> None:
        self.clock.advance_to(seconds(at_s))
        for event in events:
            self.journal.write(event)

    def reading(self, at_s: float, tier: Tier, rule: str | None, load: float = 0.1) -> None:
        decision = None if rule is None else Decision(tier, tier, "", rule, "because")
        reading = Reading(
            time_ns=seconds(at_s + self.ahead_s),
            cpu_foreign=load,
            memory_available_mib=500.0,
            absent=("temperature", "battery", "throttle"),
        )
        self.at(at_s, ReadingEvent(tier, reading, None, decision))

    def change(self, at_s: float, decided_s: float, to: Tier, load: float, rule: str = "r") -> None:
        reading = Reading(
            time_ns=seconds(decided_s + self.ahead_s),
            cpu_foreign=load,
            memory_available_mib=500.0,
            absent=("temperature", "battery", "throttle"),
        )
        event = TierChange(
            from_=Tier.HIGH,
            to=to,
            resource="cpu",
            rule=rule,
            reason="because",
            reading=reading,
            decided_mono_ns=seconds(decided_s),
        )
        self.at(at_s, event)

    def close(self) -> None:
        self.journal.stop()


START = samples.EVENTS[0]
assert isinstance(START, Start)


def steps(path: Path) -> tuple[list[Step], int]:
    trace = open_trace(path)
    found = list(trace.steps)
    return found, trace.bad_lines


def spans(found: Sequence[Step]) -> list[tuple[float, float, str | None]]:
    """Return each moment's time, end and tier, on the monotonic clock of its lines."""
    return [
        (
            step.reading.time_ns / 1e9 - BOOT_S,
            step.until_ns / 1e9 - BOOT_S,
            None if step.tier is None else step.tier.value,
        )
        for step in found
        if isinstance(step, Moment)
    ]


def test_a_torn_last_line_of_a_recording_is_left_out(tmp_path: Path) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(times=6)
    board.recorder.close()
    path = tmp_path / "r.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert len(replayed(path)) == 5
    assert steps(path)[1] == 1


def test_foreign_lines_in_a_recording_are_passed_over_and_counted(tmp_path: Path) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(times=6)
    board.recorder.close()
    path = tmp_path / "r.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4:4] = [b'{"line":"eclipse"}\n', b"\n", b"\x00\x00\n", b"[1]\n"]
    path.write_bytes(b"".join(lines))
    assert len(replayed(path)) == 6
    assert steps(path)[1] == 3


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"format":1', '"format":2', "a recording of format 2; this version reads 1"),
        ('"down_polls"', '"down_pulls"', "written by another version: .*down_pulls"),
    ],
)
def test_a_recording_of_another_version_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(times=3)
    board.recorder.close()
    path = tmp_path / "r.jsonl"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(TraceError, match=message):
        steps(path)


def test_a_huge_recording_is_not_loaded(tmp_path: Path) -> None:
    board = Board(tmp_path / "r.jsonl")
    board.poll(times=3)
    board.recorder.close()
    path = tmp_path / "r.jsonl"
    last = path.read_bytes().splitlines(keepends=True)[-1]
    with path.open("ab") as file:
        for _ in range(40):
            file.write(last * 5000)
    size_kib = path.stat().st_size / 1024
    assert size_kib > 40 * 1024
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in open_trace(path).steps)
    assert count == 200_000 + 5
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < size_kib / 4


def test_a_journals_reading_holds_until_the_next_and_the_last_until_the_end(
    tmp_path: Path,
) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.reading(10, Tier.HIGH, "top")
    pages.at(25, samples.prediction(1))
    pages.at(30, Stop("SIGTERM", 29, 0, 0, 0, 0, 0, {}, 0, 0))
    pages.close()
    found, bad = steps(tmp_path)
    assert bad == 0
    assert found[0] == Begin(
        "edge-daemon 0.1.0 on Raspberry Pi 4 Model B Rev 1.4, digits 1.0.0",
        "Raspberry Pi 4 Model B Rev 1.4",
        "9f2c",
    )
    assert spans(found) == [(2, 10, "high"), (10, 30, "high")]


def test_a_tier_change_stands_where_it_was_decided(tmp_path: Path) -> None:
    """It is written when the tier is adopted, here after the next reading's line."""
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.reading(11, Tier.LOW, "cpu_holds", load=0.75)
    pages.change(12, 10, Tier.LOW, load=0.75)
    pages.at(20, Fault("swap", "slow"))
    pages.close()
    found, _ = steps(tmp_path)
    assert spans(found) == [(2, 10, "high"), (10, 11, "low"), (11, 20, "low")]
    moments = [step for step in found if isinstance(step, Moment)]
    walls = [moment.wall_ms for moment in moments]
    assert walls == [1_773_964_795_000 + at_s * 1000 for at_s in (2, 10, 11)]


def test_a_reading_line_and_a_tier_change_of_one_poll_are_one_moment(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.change(2.5, 2, Tier.HIGH, load=0.1, rule="start")
    pages.at(4, Fault("x", "y"))
    pages.close()
    found, _ = steps(tmp_path)
    assert spans(found) == [(2, 4, "high")]


def test_a_suspend_is_nobodys_time(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.ahead_s += 3600  # CLOCK_BOOTTIME went on, CLOCK_MONOTONIC did not
    pages.reading(10, Tier.HIGH, "top")
    pages.reading(20, Tier.HIGH, "top")
    pages.close()
    found, _ = steps(tmp_path)
    assert spans(found)[0] == (2, -BOOT_S, "high")
    polls = list(rerun(found))
    assert compare(polls).watched_s < 20
    assert changed(polls) == []


def test_boots_and_runs_are_kept_apart(tmp_path: Path) -> None:
    """The clocks of a second boot begin anew, and the start of a third run is lost."""
    for boot_id, started in (("one", True), ("two", True), ("three", False)):
        pages = Pages(tmp_path, boot_id)
        if started:
            pages.at(1, START)
        pages.reading(2, Tier.HIGH, "start" if started else "top")
        pages.reading(8, Tier.HIGH, "top")
        pages.close()
    found, bad = steps(tmp_path)
    assert bad == 0
    assert [type(step).__name__ for step in found] == ["Begin", "Moment", "Moment"] * 3
    assert spans(found) == [(2, 8, "high"), (8, 8, "high")] * 3
    assert compare(rerun(found)).runs == 3


def test_a_restart_within_a_boot_begins_anew(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    for at_s in (1, 101):
        pages.at(at_s, START)
        pages.reading(at_s + 1, Tier.HIGH, "start")
        pages.reading(at_s + 9, Tier.HIGH, "top")
    pages.close()
    assert spans(steps(tmp_path)[0]) == [
        (2, 10, "high"),
        (10, 10, "high"),
        (102, 110, "high"),
        (110, 110, "high"),
    ]


def test_a_pinned_stretch_is_not_replayed(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.change(10, 10, Tier.LOW, load=0.1, rule="pinned")
    pages.reading(20, Tier.LOW, None)
    pages.at(30, Fault("x", "y"))
    pages.close()
    polls = list(rerun(open_trace(tmp_path).steps))
    assert {poll.time_ns < seconds(BOOT_S + 10) for poll in polls} == {True}
    assert changed(polls) == []


def test_a_journal_of_an_earlier_version_is_compared_by_its_tiers(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.MEDIUM, None)
    pages.close()
    file = tmp_path / "journal.jsonl"
    text = file.read_text().replace(',"decision":null', "")
    assert text != file.read_text()
    file.write_text(text)
    (moment,) = (step for step in steps(file)[0] if isinstance(step, Moment))
    assert (moment.tier, moment.rule, moment.free) == (Tier.MEDIUM, "", True)


def test_bad_lines_of_a_journal_are_counted(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(1, START)
    pages.reading(2, Tier.HIGH, "start")
    pages.reading(3, Tier.HIGH, "top")
    pages.close()
    file = tmp_path / "journal.jsonl"
    lines = file.read_text().splitlines()
    lines[1] = lines[1].replace('"tier":"high"', '"tier":"higher"')
    file.write_text("\n".join([*lines, '{"schema":1,"half'])[:-1])
    found, bad = steps(file)
    assert (len(spans(found)), bad) == (1, 2)


def test_a_script_is_replayed_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    rows = [{"at_s": 0, "cpu_foreign": 0.1}, {"at_s": 30, "cpu_foreign": 0.95}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    trace = open_trace(path)
    assert trace.kind == "script"
    polls = list(rerun(trace.steps))
    assert polls[0].decision.tier is Tier.HIGH
    assert polls[-1].decision.tier is Tier.CRITICAL
    assert seconds(88) < polls[-1].time_ns < seconds(90)
    fall_s = next(poll.time_ns for poll in polls if poll.decision.changed and poll.time_ns) / 1e9
    assert 30 <= fall_s <= 33


@pytest.mark.parametrize("text", ["", "{}\n", "tier: auto\n", '{"seq":1}\n' * 500])
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "what.jsonl"
    path.write_text(text)
    with pytest.raises(TraceError, match=r"what\.jsonl: neither a recording"):
        open_trace(path)
    with pytest.raises(TraceError, match="No such file"):
        open_trace(tmp_path / "none")
