"""A daemon that is stopped, that sleeps and whose clock is set: what its journal says of it."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_daemon import exitcode
from tests.daemon.running import DATA, Fields, lines, longest_gap_s, of, running, write_config
from tools.drills.clock import ShiftedClock
from tools.drills.needs import SkipError

STANDS_S = 1.0


@pytest.fixture
def clock(tmp_path: Path) -> ShiftedClock:
    try:
        return ShiftedClock(tmp_path)
    except SkipError as error:
        pytest.skip(str(error))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(
        tmp_path / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "none"},
        window={"period_ms": 50},
        governor={"readings": str(DATA / "traces" / "calm.jsonl")},
    )


def test_windows_that_never_began_are_counted_though_no_number_is_missing(
    tmp_path: Path, config: Path
) -> None:
    journal = tmp_path / "journal"
    with running(config, journal) as daemon:
        before = daemon.wait_for_event("prediction")
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(STANDS_S)
        daemon.process.send_signal(signal.SIGCONT)
        daemon.wait_for_event("prediction", after=before["seq"] + 10)
        assert daemon.stop() == exitcode.OK
    predictions = of("prediction", lines(journal))
    assert [line["window"] for line in predictions] == list(range(len(predictions)))
    assert longest_gap_s(predictions) >= STANDS_S
    (stop,) = of("stop", lines(journal))
    assert stop["late_max_s"] >= STANDS_S - 0.1  # less the window before and the one after
    assert stop["late_windows"] >= (STANDS_S - 0.1) / 0.05


def test_a_sleep_and_a_step_are_told_each_by_its_length(
    tmp_path: Path, config: Path, clock: ShiftedClock, valid: Callable[[list[Fields]], None]
) -> None:
    journal = tmp_path / "journal"
    with running(config, journal, environ=clock.environ) as daemon:
        daemon.wait_for_event("prediction")
        clock.shift(wall_s=3600.0, boot_s=3600.0)
        slept = daemon.wait_for_event("clock")
        clock.shift(wall_s=3600.0 - 86_400.0, boot_s=3600.0)
        stepped = daemon.wait_for_event("clock", after=slept["seq"])
        daemon.wait_for_event("prediction", after=stepped["seq"] + 5)
        assert daemon.stop() == exitcode.OK
    found = lines(journal)
    valid(found)
    assert of("clock", found) == [slept, stepped]
    assert (slept["change"], stepped["change"]) == ("suspend", "step")
    assert slept["by_s"] == pytest.approx(3600.0, abs=0.1)
    assert stepped["by_s"] == pytest.approx(-86_400.0, abs=0.1)
    assert stepped["to"] < slept["from"] < slept["to"] <= stepped["from"]
