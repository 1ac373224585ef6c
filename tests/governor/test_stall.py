import os
from pathlib import Path

import pytest

from edge_daemon.governor.kernelfile import text_of
from edge_daemon.governor.stall import StallProbe
from tests.governor.sysroot import board, seconds, write

CPU = "proc/pressure/cpu"
MEMORY = "proc/pressure/memory"


def pressure(some_us: int, full_us: int) -> str:
    lines = (("some", some_us), ("full", full_us))
    return "".join(
        f"{kind} avg10=99.00 avg60=99.00 avg300=99.00 total={total}\n" for kind, total in lines
    )


def started(tmp_path: Path, kind: str = "some") -> StallProbe:
    """Return a probe that has read totals of 1 s and 0.5 s at time 0."""
    write(tmp_path, {CPU: pressure(1_000_000, 500_000)})
    probe = StallProbe(tmp_path, "cpu", kind)
    assert probe.read(0) is None
    return probe


def test_the_share_is_what_the_total_grew_by_and_not_the_average(tmp_path: Path) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: pressure(1_300_000, 500_000)})
    assert probe.read(seconds(1.0)) == pytest.approx(0.3)
    write(tmp_path, {CPU: pressure(1_300_000, 500_000)})
    assert probe.read(seconds(3.0)) == 0.0
    write(tmp_path, {CPU: pressure(2_300_000, 500_000)})
    assert probe.read(seconds(7.0)) == pytest.approx(0.25)


def test_some_and_full_are_lines_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {MEMORY: pressure(0, 0)})
    some, full = (StallProbe(tmp_path, "memory", kind) for kind in ("some", "full"))
    for probe in (some, full):
        probe.read(0)
    write(tmp_path, {MEMORY: pressure(600_000, 200_000)})
    assert some.read(seconds(1.0)) == pytest.approx(0.6)
    assert full.read(seconds(1.0)) == pytest.approx(0.2)


def test_more_than_all_of_the_time_is_all_of_it(tmp_path: Path) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: pressure(2_100_000, 0)})
    assert probe.read(seconds(1.0)) == 1.0


def test_sooner_than_a_fifth_of_a_second_it_is_the_last_one(tmp_path: Path) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: pressure(1_500_000, 0)})
    assert probe.read(seconds(0.1)) is None
    assert probe.read(seconds(1.0)) == pytest.approx(0.5)
    write(tmp_path, {CPU: pressure(1_600_000, 0)})
    assert probe.read(seconds(1.1)) == pytest.approx(0.5)
    assert probe.read(seconds(1.2)) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["rpi4", "container", "broken"])
def test_a_kernel_without_it_has_no_pressure(name: str) -> None:
    probe = StallProbe(board(name), "cpu", "some")
    assert [probe.read(seconds(at_s)) for at_s in (0.0, 1.0)] == [None, None]


def test_a_pi_5_started_with_psi_1_has_it() -> None:
    probe = StallProbe(board("rpi5"), "memory", "full")
    assert probe.read(0) is None
    assert probe.read(seconds(1.0)) == 0.0


def test_it_is_found_when_it_comes_and_lost_when_it_goes(tmp_path: Path) -> None:
    probe = StallProbe(tmp_path, "cpu", "some")
    write(tmp_path, {CPU: pressure(0, 0)})
    assert [probe.read(seconds(at_s)) for at_s in (0.0, 1.0)] == [None, None]
    probe.scan()
    assert [probe.read(seconds(at_s)) for at_s in (2.0, 3.0)] == [None, 0.0]
    probe.close()
    (tmp_path / CPU).unlink()
    assert [probe.read(seconds(at_s)) for at_s in (4.0, 5.0)] == [None, None]


def test_a_file_that_is_there_and_cannot_be_read_is_left_alone_until_the_next_scan(
    tmp_path: Path,
) -> None:
    # As where it is switched off and reading gives EOPNOTSUPP; here it is EIO.
    (tmp_path / CPU).parent.mkdir(parents=True)
    (tmp_path / CPU).symlink_to("/proc/self/mem")
    probe = StallProbe(tmp_path, "cpu", "some")
    assert probe.read(0) is None
    (tmp_path / CPU).unlink()
    write(tmp_path, {CPU: pressure(0, 0)})
    assert [probe.read(seconds(at_s)) for at_s in (1.0, 2.0)] == [None, None]
    probe.scan()
    assert [probe.read(seconds(at_s)) for at_s in (3.0, 4.0)] == [None, 0.0]


def test_a_file_that_may_not_be_read_is_no_pressure(tmp_path: Path) -> None:
    write(tmp_path, {CPU: pressure(0, 0)})
    (tmp_path / CPU).chmod(0)
    if os.access(tmp_path / CPU, os.R_OK):
        pytest.skip("root may read everything")
    assert StallProbe(tmp_path, "cpu", "some").read(0) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "some avg10=0.00 total=\n",
        "some avg10=0.00 total=many\n",
        "some avg10=0.00\nfull avg10=0.00 total=7\n",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=12",
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n",
        "total=1500000\n",
    ],
)
def test_a_malformed_or_partial_file_is_no_pressure_and_the_next_good_ones_are(
    tmp_path: Path, text: str
) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: text})
    assert probe.read(seconds(1.0)) is None
    write(tmp_path, {CPU: pressure(2_000_000, 0)})
    assert probe.read(seconds(2.0)) is None
    write(tmp_path, {CPU: pressure(2_500_000, 0)})
    assert probe.read(seconds(3.0)) == pytest.approx(0.5)


def test_a_total_that_goes_backwards_is_no_pressure(tmp_path: Path) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: pressure(900_000, 0)})
    assert probe.read(seconds(1.0)) is None
    write(tmp_path, {CPU: pressure(1_000_000, 0)})
    assert probe.read(seconds(2.0)) == pytest.approx(0.1)


@pytest.mark.parametrize("at_s", [0.0, -1.0])
def test_no_time_or_a_clock_that_jumps_back_is_no_pressure(tmp_path: Path, at_s: float) -> None:
    probe = started(tmp_path)
    write(tmp_path, {CPU: pressure(1_100_000, 0)})
    assert probe.read(seconds(at_s)) is None
    write(tmp_path, {CPU: pressure(1_600_000, 0)})
    assert probe.read(seconds(at_s + 1.0)) == pytest.approx(0.5)


def test_after_a_suspend_the_span_before_does_not_count(tmp_path: Path) -> None:
    probe = started(tmp_path)
    probe.reset()
    write(tmp_path, {CPU: pressure(1_900_000, 0)})
    assert probe.read(seconds(3600.0)) is None
    write(tmp_path, {CPU: pressure(2_000_000, 0)})
    assert probe.read(seconds(3601.0)) == pytest.approx(0.1)


def test_the_real_kernel_counts_waits() -> None:
    if text_of(Path("/proc/pressure/cpu")) is None:
        pytest.skip("this kernel does not tell")
    probe = StallProbe(Path("/"), "cpu", "some")
    assert probe.read(0) is None
    share = probe.read(seconds(3600.0))
    probe.close()
    assert share is not None
    assert 0.0 <= share < 0.1  # a few ms at most have passed
