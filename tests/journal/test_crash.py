"""A writer that is killed at any point."""

import random
import subprocess
import sys
from pathlib import Path

from edge_daemon.journal.writer import Journal
from tests.journal.samples import assert_contiguous, lines, prediction

WRITER = """
import sys
from pathlib import Path
from edge_daemon.journal.writer import Journal
from tests.journal.samples import prediction
journal = Journal(Path(sys.argv[1]), max_file_bytes=16384, max_total_bytes=16384 * 64)
journal.start()
number = journal.written
while True:
    number += 1
    journal.write(prediction(number, "x" * (number % 97)))
    journal.flush()
    sys.stdout.write(f"{journal.written}\\n")
    sys.stdout.flush()
"""


def test_kill_9_at_random_points_loses_at_most_the_line_being_written(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(30):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                told = process.stdout.readline()
                assert told
            process.kill()
            told_last = int((told + process.stdout.read()).rstrip().splitlines()[-1])
        found = list(_whole(tmp_path))
        assert found[-1] - told_last in (0, 1)
    journal = Journal(tmp_path)
    journal.open()
    journal.write(prediction(0))
    journal.stop()
    assert_contiguous(lines(tmp_path))


def _whole(directory: Path) -> list[int]:
    """Return the numbers on disk as the next run finds them, and insist that none is missing."""
    journal = Journal(directory)
    journal.open()
    journal.stop()
    found = lines(directory)
    assert_contiguous(found)
    return [line.seq for line in found]
