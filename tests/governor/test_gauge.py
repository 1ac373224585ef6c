import errno
import os
import threading
from pathlib import Path

import msgspec
import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.battery import Charge
from edge_daemon.governor.command import Command
from edge_daemon.governor.gauge import (
    CommandGauge,
    FileGauge,
    GaugeConfig,
    Told,
    gauge,
    gauge_problems,
    told,
)
from edge_daemon.governor.probes import Probes
from edge_daemon.worker import Worker
from tests.governor.sysroot import board, seconds
from tests.governor.test_command import wait_for

S = 1_000_000_000


def put(path: Path, text: str, mtime_s: int) -> None:
    """Write a file and its time: two writes of a test may fall into one tick of the kernel's."""
    path.write_text(text)
    os.utime(path, (mtime_s, mtime_s))


class Script:
    """A command gauge on a script that the test rewrites, with a clock that the test moves."""

    def __init__(self, tmp_path: Path, body: str, *, max_age_s: float = 60.0) -> None:
        self.path = tmp_path / "ups-charge"
        self.clock = VirtualClock()
        self.becomes(body)
        command = Command([str(self.path)], 10.0)
        self.gauge = CommandGauge(command, 10.0, max_age_s, self.clock)

    def becomes(self, body: str) -> None:
        self.path.write_text(f"#!/bin/sh\n{body}\n")
        self.path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("73", Told(73.0)),
        ("73%\n", Told(73.0)),
        (" 73.5 % \r\n", Told(73.5)),
        ("0", Told(0.0)),
        ("100", Told(100.0)),
        ('{"percent": 73}', Told(73.0)),
        ('{"percent": 73, "charging": false}', Told(73.0, charging=False)),
        (
            '{"percent": 9.5, "on_mains": true, "power_w": -3.2, "energy_wh": 9, "runtime_s": 9}',
            Told(9.5, on_mains=True, power_w=-3.2, energy_wh=9.0, runtime_s=9.0),
        ),
    ],
)
def test_what_a_gauge_may_say(text: str, expected: Told) -> None:
    assert told(text.encode(), "the gauge") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "full",
        "101",
        "255",
        "-1",
        "1e2",
        "73 74",
        "٧٣",
        "battery: 73",
        "{}",
        "[73]",
        "null",
        "NaN",
        '{"percent": "73"}',
        '{"percent": 101}',
        '{"percent": null}',
        '{"percent": NaN}',
        '{"percent": 73, "chargin": false}',
        '{"percent": 73, "power_w": "3"}',
        '{"percent": 73, "energy_wh": -1}',
        '{"percent": 73',
        "7" * 4096,
    ],
)
def test_what_is_no_charge_is_an_error_that_shows_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"ups says '.*neither a percentage nor a JSON object"):
        told(text.encode(), "ups")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("73", Charge(0.73, None)),
        ('{"percent": 73, "charging": true, "power_w": 5}', Charge(0.73, True)),
        ('{"percent": 73, "charging": false}', Charge(0.73, False)),
        ('{"percent": 100, "charging": false, "on_mains": true}', Charge(1.0, True)),
        (
            '{"percent": 73, "charging": false, "power_w": -4, "energy_wh": 20}',
            Charge(0.73, False, 20.0, 4.0, 18_000.0),
        ),
        (
            '{"percent": 73, "charging": false, "power_w": 4, "energy_wh": 20, "runtime_s": 60}',
            Charge(0.73, False, 20.0, 4.0, 60.0),
        ),
        ('{"percent": 73, "power_w": 0, "energy_wh": 20}', Charge(0.73, None, 20.0)),
        ('{"percent": 73, "charging": true, "energy_wh": 20}', Charge(0.73, True, 20.0)),
    ],
)
def test_the_charge_from_what_a_gauge_says(tmp_path: Path, text: str, expected: Charge) -> None:
    put(tmp_path / "charge", text, 0)
    assert FileGauge(tmp_path / "charge", 60.0).read(0) == expected


def test_a_file_that_is_not_written_any_more_has_no_charge(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    put(path, "73", 0)
    file = FileGauge(path, 60.0)
    assert file.read(seconds(100)) == Charge(0.73, None)
    assert file.read(seconds(160)) == Charge(0.73, None)
    with pytest.raises(ValueError, match=r"charge has not been written for 61 s: see whether"):
        file.read(seconds(161))


def test_a_file_that_is_written_anew_is_fresh_whatever_its_time_says(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    file = FileGauge(path, 60.0)
    for at_s, mtime_s in ((0, 2_000_000_000), (50, 5), (100, 4_000_000_000)):
        put(path, "73", mtime_s)
        assert file.read(seconds(at_s)) == Charge(0.73, None)
    assert file.read(seconds(160)) == Charge(0.73, None)
    with pytest.raises(ValueError, match="has not been written"):
        file.read(seconds(161))


def test_a_file_that_is_replaced_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    put(path, "73", 7)
    file = FileGauge(path, 60.0)
    file.read(0)
    put(tmp_path / "new", "72", 7)
    (tmp_path / "new").rename(path)
    assert file.read(seconds(50)) == Charge(0.72, None)
    assert file.read(seconds(100)) == Charge(0.72, None)


def test_a_link_is_followed_to_wherever_it_leads_now(tmp_path: Path) -> None:
    put(tmp_path / "first", "73", 0)
    put(tmp_path / "second", "20", 0)
    link = tmp_path / "charge"
    link.symlink_to(tmp_path / "first")
    file = FileGauge(link, 60.0)
    assert file.read(0) == Charge(0.73, None)
    link.unlink()
    link.symlink_to(tmp_path / "second")
    assert file.read(seconds(1)) == Charge(0.2, None)


def test_a_file_that_is_missing_is_an_error_until_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    file = FileGauge(path, 60.0)
    assert file.present
    with pytest.raises(FileNotFoundError, match="charge"):
        file.read(0)
    put(path, "73", 0)
    assert file.read(seconds(1)) == Charge(0.73, None)


def test_a_file_that_is_caught_empty_is_an_error_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    put(path, "", 0)
    file = FileGauge(path, 60.0)
    for _ in range(2):
        with pytest.raises(ValueError, match="charge is empty"):
            file.read(0)
    put(path, "73", 1)
    assert file.read(seconds(1)) == Charge(0.73, None)


def test_a_pipe_or_a_directory_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ValueError, match="is no regular file"):
            FileGauge(path, 60.0).read(0)


def test_the_mean_power_of_a_file_counts_each_write_once(tmp_path: Path) -> None:
    path = tmp_path / "charge"
    file = FileGauge(path, 60.0)
    put(path, '{"percent": 50, "charging": false, "power_w": 2, "energy_wh": 10}', 0)
    for at_s in range(50):
        file.read(seconds(at_s))
    put(path, '{"percent": 50, "charging": false, "power_w": 4, "energy_wh": 10}', 1)
    charge = file.read(seconds(50))
    assert charge.power_w == 4.0
    assert charge.runtime_s is not None
    assert 9_000 < charge.runtime_s < 11_000  # 10 Wh at most at 4 W, as the first stood for 5 s


def test_a_command_has_no_charge_before_it_ran(tmp_path: Path) -> None:
    script = Script(tmp_path, "echo 73")
    assert script.gauge.present
    assert script.gauge.read(0) is None
    script.gauge.refresh()
    assert script.gauge.read(0) == Charge(0.73, None)


def test_a_command_that_never_worked_is_an_error_at_once(tmp_path: Path) -> None:
    script = Script(tmp_path, "echo no chip >&2; exit 1")
    script.gauge.refresh()
    with pytest.raises(ValueError, match=r"ups-charge failed with exit code 1: no chip"):
        script.gauge.read(0)


@pytest.mark.parametrize("body", ["exit 1", "echo garbage", "kill -9 $$"])
def test_the_last_charge_counts_until_it_is_too_old(tmp_path: Path, body: str) -> None:
    script = Script(tmp_path, "echo 73")
    script.gauge.refresh()
    script.becomes(body)
    script.gauge.refresh()
    assert script.gauge.read(seconds(60)) == Charge(0.73, None)
    with pytest.raises(ValueError, match="ups-charge"):
        script.gauge.read(seconds(61))
    script.becomes("echo 72")
    script.clock.advance_to(seconds(61))
    script.gauge.refresh()
    assert script.gauge.read(seconds(61)) == Charge(0.72, None)


def test_a_command_that_does_not_come_back_is_an_error_when_its_charge_is_too_old(
    tmp_path: Path,
) -> None:
    script = Script(tmp_path, "echo 73")
    script.gauge.refresh()
    with pytest.raises(ValueError, match="ups-charge has not said anything since"):
        script.gauge.read(seconds(61))


def test_a_command_is_run_again_soon_after_the_board_slept(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = "echo ran >> $1; echo 73"
    boot = VirtualClock(1000 * S)
    command = Command(["/bin/sh", "-c", script, "sh", str(runs)], 10.0)
    one = CommandGauge(command, 300.0, 330.0, boot)
    worker = Worker("gauge", one.run)
    worker.start()
    wait_for(lambda: one.read(boot()) is not None)
    boot.advance_to(boot() + 3600 * S)  # asleep, with the worker in its wait
    with pytest.raises(ValueError, match="has not said anything since"):
        one.read(boot())
    wait_for(lambda: len(runs.read_text().split()) == 2)
    wait_for(lambda: _reads(one, boot()))
    assert worker.stop(10.0)


def _reads(one: CommandGauge, now_ns: int) -> bool:
    try:
        return one.read(now_ns) is not None
    except ValueError:
        return False


def _descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("at", [1, 2])
def test_a_board_out_of_descriptors_costs_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls: list[str] = []
    make = os.memfd_create

    def refuse(name: str, flags: int) -> int:
        calls.append(name)
        if len(calls) == at:
            raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))
        return make(name, flags)

    monkeypatch.setattr(os, "memfd_create", refuse)
    one = CommandGauge(Command(["/bin/echo", "73"], 10.0), 1.0, 5.0, VirtualClock(S))
    before = _descriptors()
    one.refresh()
    with pytest.raises(ValueError, match=r"/bin/echo cannot be started: .*Too many open files"):
        one.read(S)
    assert _descriptors() == before
    one.refresh()
    assert one.read(S) is not None


def test_no_reading_waits_for_a_command(tmp_path: Path) -> None:
    started, release = tmp_path / "started", tmp_path / "release"
    script = Script(
        tmp_path, f"echo 73; touch {started}; until [ -e {release} ]; do sleep 0.01; done"
    )
    stop = threading.Event()
    worker = threading.Thread(target=script.gauge.run, args=(stop,), daemon=True)
    worker.start()
    try:
        assert wait_for(started.exists)
        assert script.gauge.read(0) is None
        release.touch()
        assert wait_for(lambda: script.gauge.read(0) is not None)
        assert script.gauge.read(0) == Charge(0.73, None)
    finally:
        stop.set()
        worker.join(10.0)
    assert not worker.is_alive()


def test_a_gauge_stands_in_for_the_batteries_of_the_kernel(tmp_path: Path) -> None:
    put(tmp_path / "charge", '{"percent": 21, "charging": false, "power_w": 3.5}', 0)
    config = GaugeConfig(file=tmp_path / "charge")
    for name in ("rpi4", "laptop"):
        probes = Probes(board(name), battery=gauge(config))
        reading = probes.read()
        probes.close()
        assert (reading.battery_fraction, reading.on_mains, reading.power_w) == (0.21, False, 3.5)
        assert "battery" not in reading.absent


def test_a_gauge_that_fails_is_a_battery_that_cannot_be_read(tmp_path: Path) -> None:
    probes = Probes(board("rpi4"), battery=gauge(GaugeConfig(file=tmp_path / "charge")))
    reading = probes.read()
    probes.close()
    assert "battery" in reading.failed
    assert reading.battery_fraction is None


def test_the_gauge_of_a_configuration(tmp_path: Path) -> None:
    assert gauge(GaugeConfig()) is None
    assert isinstance(gauge(GaugeConfig(file=tmp_path)), FileGauge)
    made = gauge(GaugeConfig(command=("echo", "64")), VirtualClock())
    assert isinstance(made, CommandGauge)
    made.refresh()
    assert made.read(0) == Charge(0.64, None)


UPS = ("ups", "--percent")


@pytest.mark.parametrize(
    ("config", "key", "remedy"),
    [
        (GaugeConfig(file=Path("/run/ups"), command=UPS), "file", "leave one of them out"),
        (
            GaugeConfig(command=UPS, every_s=50, timeout_s=20),
            "max_age_s",
            "must be at least every_s + timeout_s (70)",
        ),
    ],
)
def test_what_is_wrong_between_the_keys(config: GaugeConfig, key: str, remedy: str) -> None:
    problems = gauge_problems(config)
    assert [name for name, _ in problems] == [key]
    assert remedy in problems[0][1]


def test_what_is_right_between_the_keys() -> None:
    assert gauge_problems(GaugeConfig()) == []
    assert gauge_problems(GaugeConfig(command=UPS, every_s=50, timeout_s=10)) == []
    assert gauge_problems(GaugeConfig(file=Path("/run/ups"), every_s=50, timeout_s=20)) == []


@pytest.mark.parametrize(
    "config",
    [
        '{"command": "ups --percent"}',
        '{"command": [""]}',
        '{"every_s": 0}',
        '{"timeout_s": 1000}',
        '{"path": "/run/ups"}',
    ],
)
def test_what_a_configuration_may_not_say(config: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(config, type=GaugeConfig)
