import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_daemon.clock import VirtualClock
from edge_daemon.journal.buffer import Waiting
from edge_daemon.journal.events import Event, Fault, Reload, Stop
from edge_daemon.journal.files import JournalFiles, JournalLockedError
from edge_daemon.journal.rotation import ACTIVE
from edge_daemon.journal.writer import Journal
from tests.journal import samples
from tests.journal.samples import assert_contiguous, lines, prediction, total_bytes

KIB = 1024


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "directory")
    journal.start()
    for event in samples.EVENTS:
        journal.write(event)
    assert journal.stop()
    found = lines(journal.directory)
    assert [line.typed() for line in found] == list(samples.EVENTS)
    assert_contiguous(found)
    assert (journal.written, journal.lost, journal.waiting, journal.error) == (8, 0, 0, None)


def test_numbers_go_on_across_runs(tmp_path: Path) -> None:
    for run in range(3):
        journal = Journal(tmp_path)
        journal.start()
        assert journal.written == 2 * run - 1
        journal.write(prediction(run))
        journal.write(samples.EVENTS[-1])
        assert journal.stop()
    assert_contiguous(lines(tmp_path))


def test_a_torn_end_is_cut_and_counted_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    journal.write(prediction(0))
    journal.stop()
    with (tmp_path / ACTIVE).open("ab") as file:
        file.write(b'{"schema":1,"ts":"20' + b"\0" * 300)
    after = Journal(tmp_path)
    after.open()
    assert (after.repaired_bytes, after.written) == (320, 0)
    after.stop()
    again = Journal(tmp_path)
    again.open()
    assert again.repaired_bytes == 0
    again.stop()
    assert_contiguous(lines(tmp_path))


def test_numbers_go_on_when_only_rotated_files_are_left(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    for number in range(5):
        journal.write(prediction(number))
    journal.stop()
    (tmp_path / ACTIVE).rename(tmp_path / "journal-000000000000.jsonl")
    after = Journal(tmp_path)
    after.open()
    assert after.written == 4
    after.stop()


def test_time_is_that_of_the_event_not_of_the_disk(tmp_path: Path) -> None:
    clock = VirtualClock(7)
    journal = Journal(tmp_path, clock=clock, wall_clock=lambda: 0)
    journal.write(prediction(0))
    clock.advance_to(1_000)
    journal.open()
    journal.stop()
    fields = lines(tmp_path)[0].fields
    assert (fields["mono_ns"], fields["ts"]) == (7, "1970-01-01T00:00:00.000Z")


def test_only_predictions_on_disk_count_as_progress(tmp_path: Path) -> None:
    clock = VirtualClock(1)
    journal = Journal(tmp_path, clock=clock)
    journal.open()
    assert journal.last_written_event_ns is None
    journal.write(prediction(0))
    clock.advance_to(2)
    journal.write(Fault("x", "y"))
    assert journal.last_written_event_ns is None
    assert journal.waiting == 2
    journal.step()
    assert journal.waiting == 0
    assert [journal.last_written_event_ns] == [1]
    journal.stop()


def test_flush_waits_until_everything_is_on_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start()
    for number in range(500):
        journal.write(prediction(number))
        if number % 50 == 0:
            assert journal.flush(5.0)
            assert journal.written == number
    journal.stop()
    assert_contiguous(lines(tmp_path))


def test_lines_of_several_threads_are_each_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, max_file_bytes=64 * KIB, max_total_bytes=4096 * KIB)
    journal.start()

    def write(thread: int) -> None:
        for number in range(400):
            journal.write(prediction(number, f"thread {thread}"))

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.stop(5.0)
    found = lines(tmp_path)
    assert len(found) + journal.lost >= 1600
    assert_contiguous(found)
    for name in range(4):
        windows = [
            line.fields["window"] for line in found if line.fields.get("label") == f"thread {name}"
        ]
        assert windows == sorted(windows, key=lambda window: int(str(window)))


def test_write_survives_what_is_no_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Foreign(Event, frozen=True, tag="foreign"):
        value: object

    journal = Journal(tmp_path)
    journal.open()
    journal.write(Foreign(object()))
    with caplog.at_level(logging.WARNING):
        journal.step()
    assert journal.lost == 1
    (line,) = lines(tmp_path)
    fault = line.typed()
    assert isinstance(fault, Fault)
    assert fault.lines_lost == 1
    assert "Foreign" in fault.message
    journal.stop()


@pytest.mark.parametrize(
    ("file_bytes", "total_bytes_", "what"), [(1, 10, "max_file"), (16384, 20000, "twice")]
)
def test_bounds_that_cannot_hold_are_refused(
    tmp_path: Path, file_bytes: int, total_bytes_: int, what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        Journal(tmp_path, max_file_bytes=file_bytes, max_total_bytes=total_bytes_)


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.start()
    journal.write(prediction(0))
    with pytest.raises(JournalLockedError, match="another edge-daemon"):
        Journal(tmp_path).open()
    program = (
        "import sys; from pathlib import Path\n"
        "from edge_daemon.journal.writer import Journal\n"
        "Journal(Path(sys.argv[1])).start()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "another edge-daemon writes its journal here" in ran.stderr
    assert journal.stop()
    successor = Journal(tmp_path)
    successor.start()
    assert successor.stop()
    assert_contiguous(lines(tmp_path))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(
    sizes=st.lists(st.integers(0, 14 * KIB), min_size=1, max_size=60),
    every=st.integers(1, 20),
    file_kib=st.integers(16, 40),
    spare_kib=st.integers(0, 60),
)
def test_the_bound_on_all_files_holds_at_any_time(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    every: int,
    file_kib: int,
    spare_kib: int,
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    bound = (2 * file_kib + spare_kib) * KIB
    journal = Journal(directory, max_file_bytes=file_kib * KIB, max_total_bytes=bound)
    journal.open()
    for number, size in enumerate(sizes):
        # Short texts in great number, as an event's long ones are shortened.
        journal.write(
            Stop("é", 0, 0, 0, 0, 0, 0, {"k" * 10 + str(n): 1.0 for n in range(size // 20)}, 0, 0)
        )
        if number % every == 0:
            journal.step()
            assert total_bytes(directory) <= bound
    journal.stop()
    assert total_bytes(directory) <= bound
    for path in directory.iterdir():
        assert path.stat().st_size <= file_kib * KIB
    found = lines(directory)
    assert found[-1].seq == len(sizes) - 1 == journal.written
    assert_contiguous(found, found[0].seq)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    others = {
        "journal-notes.jsonl": "mine",
        "journal-1.jsonl": "mine",
        "journal.jsonl.bak": "mine",
        "z.txt": "mine",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ACTIVE).write_text("# a list of things to do\n- water the plants\n")
    (tmp_path / "journal-000000000001.jsonl").mkdir()
    journal = Journal(tmp_path, max_file_bytes=16 * KIB, max_total_bytes=32 * KIB)
    journal.open()
    for number in range(400):
        journal.write(prediction(number))
        journal.step()
    journal.stop()
    for name, text in others.items():
        assert (tmp_path / name).read_text() == text
    assert (tmp_path / "journal-000000000001.jsonl").is_dir()
    assert "water" in (tmp_path / f"{ACTIVE}.unreadable-0").read_text()
    found = lines(tmp_path)
    assert_contiguous(found, found[0].seq)
    assert len(list(tmp_path.glob("journal-0*.jsonl"))) == 2


def test_a_larger_file_of_an_older_config_is_rotated_and_then_pruned(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.open()
    for number in range(1000):
        journal.write(prediction(number))
    journal.stop()
    assert total_bytes(tmp_path) > 200 * KIB
    smaller = Journal(tmp_path, max_file_bytes=16 * KIB, max_total_bytes=32 * KIB)
    smaller.open()
    smaller.write(prediction(1000))
    smaller.stop()
    assert total_bytes(tmp_path) <= 32 * KIB
    assert_contiguous(lines(tmp_path), 1000)


def test_bounds_change_while_it_runs(tmp_path: Path) -> None:
    journal = Journal(tmp_path, buffer_lines=2000)
    journal.open()
    for number in range(1000):
        journal.write(prediction(number))
    journal.step()
    with pytest.raises(ValueError, match="twice"):
        journal.set_bounds(16 * KIB, 16 * KIB, 10)
    journal.set_bounds(16 * KIB, 64 * KIB, 10)
    for number in range(1000, 1020):
        journal.write(prediction(number))
    assert journal.waiting == 10
    journal.stop()
    assert total_bytes(tmp_path) <= 64 * KIB
    assert journal.lost == 10


@pytest.mark.parametrize(("file_kib", "total_kib"), [(32, 64), (16, 80)])
def test_a_bound_that_is_lowered_frees_room_at_once(
    tmp_path: Path, file_kib: int, total_kib: int
) -> None:
    journal = Journal(tmp_path, max_file_bytes=32 * KIB, max_total_bytes=512 * KIB)
    journal.open()
    while total_bytes(tmp_path) < 192 * KIB or (tmp_path / ACTIVE).stat().st_size < 24 * KIB:
        journal.write(prediction(0))
        journal.step()
    last = journal.written
    journal.set_bounds(file_kib * KIB, total_kib * KIB, 100)
    journal.step()
    assert 32 * KIB < total_bytes(tmp_path) <= total_kib * KIB
    assert lines(tmp_path)[-1].seq == last
    journal.stop()


def test_a_buffer_that_shrinks_during_a_long_write_ends_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.open()
    for number in range(2000):
        journal.write(prediction(number))
    append = JournalFiles.append
    calls = 0

    def reload_meanwhile(self: JournalFiles, batch: Sequence[Waiting]) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            journal.set_bounds(64 * KIB, 1024 * KIB, 16)
            journal.write(Reload(applied=("journal.buffer_lines",)))
        return append(self, batch)

    monkeypatch.setattr(JournalFiles, "append", reload_meanwhile)
    worker = threading.Thread(target=journal.step, daemon=True)
    worker.start()
    worker.join(10.0)
    assert not worker.is_alive()
    assert (journal.waiting, journal.error) == (0, None)
    found = lines(tmp_path)
    assert len(found) + journal.lost == 2000 + 1 + 1  # the reload and the fault
    assert [line.event for line in found[-2:]] == ["reload", "fault"]
    journal.stop()
