"""Whatever a sensor's file does: held for 5 s, then unknown, back at once, and never a way up."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.policy import decide
from edge_daemon.governor.pressure import unknown
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.state import PolicyState
from edge_daemon.tier import Tier
from tests.governor.driver import Driver
from tests.governor.sysroot import board, copy_of, seconds, write

# A board with every signal, each in one file: what the file is called, and what it tells.
FILES: dict[str, tuple[str, Callable[[Reading], Any]]] = {
    "cpu": ("proc/stat", lambda reading: reading.cpu_foreign),
    "memory": ("proc/meminfo", lambda reading: reading.memory_available_mib),
    "temperature": ("thermal_zone0/temp", lambda reading: reading.temperature_c),
    "battery": ("max17040/capacity", lambda reading: reading.battery_fraction),
    "throttle": ("hwmon1/in0_lcrit_alarm", lambda reading: "throttle" not in reading.failed),
}
ERRORS = ("EAGAIN", "EIO", "ENODEV", "EACCES", "ENODATA", "EINVAL")
ANSWERS = {
    "empty": b"",
    "nan": b"nan\n",
    "text": b"not today\n",
    "binary": b"\xff\x00\xfe",
}
LIMITS = Limits()


def fail(driver: Driver, file: str, fault: str) -> None:
    if fault in ANSWERS:
        driver.answer(file, ANSWERS[fault])
    else:
        driver.fail(file, getattr(errno, fault))


class Board:
    """Probes on a tree, and a clock that the test moves."""

    def __init__(self, root: Path) -> None:
        self.clock = VirtualClock(seconds(1000))
        self.probes = Probes(root, self.clock, awake_clock=self.clock)

    def after(self, time_s: float) -> Reading:
        self.clock.advance_to(self.clock() + seconds(time_s))
        return self.probes.read()


@pytest.fixture
def ups(tmp_path: Path) -> Board:
    root = copy_of("ups", tmp_path)
    (root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()  # the alarm alone tells
    return Board(root)


@pytest.mark.parametrize("fault", [*ERRORS, *ANSWERS])
@pytest.mark.parametrize("signal", FILES)
def test_a_file_that_does_not_tell_is_held_then_unknown_and_back_at_once(
    ups: Board, monkeypatch: pytest.MonkeyPatch, signal: str, fault: str
) -> None:
    file, value = FILES[signal]
    ups.after(1.0)
    whole = ups.after(1.0)
    assert (whole.absent, whole.failed) == ((), {})
    known = value(whole)
    driver = Driver(monkeypatch)
    fail(driver, file, fault)
    if signal != "throttle":  # a flag that cannot be read is neither up nor down
        assert value(ups.after(5.0)) == known
    lost = ups.after(1.0)
    assert not value(lost)
    assert signal in lost.failed
    # EAGAIN is no failure of a zone's before its last value is too old (its part has no power).
    held = signal == "throttle" or (signal, fault) == ("temperature", "EAGAIN")
    assert lost.failed_s[signal] == (1.0 if held else 6.0)
    assert signal not in lost.absent
    driver.heal()
    ups.after(5.0)
    assert ups.after(1.0).failed == {}


@pytest.mark.parametrize("fault", ["EIO", "ENODEV", "EACCES", "nan", "empty"])
@pytest.mark.parametrize("signal", FILES)
def test_nothing_goes_up_on_what_cannot_be_read(
    ups: Board, monkeypatch: pytest.MonkeyPatch, signal: str, fault: str
) -> None:
    driver = Driver(monkeypatch)
    fail(driver, FILES[signal][0], fault)
    state = PolicyState(Tier.LOW)
    for _ in range(60):
        state, _ = decide(state, ups.after(1.0), PUBLISHED, LIMITS)
        assert state.tier is Tier.LOW
    driver.heal()
    for _ in range(60):
        state, _ = decide(state, ups.after(1.0), PUBLISHED, LIMITS)
    assert state.tier is Tier.HIGH


contents = st.one_of(
    st.none(),  # it goes
    st.just(b""),
    st.binary(max_size=80),
    st.integers().map(lambda number: b"%d\n" % number),
    st.integers(min_value=1, max_value=4096).map(lambda length: b"9" * length),
)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of boards that differ much."""
    names = ("ups", "rpi5", "jetson-orin", "laptop", "container")
    return {name: copy_of(name, tmp_path_factory.mktemp("tree")) for name in names}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_content_of_any_file_makes_it_raise_or_say_what_cannot_be(
    trees: dict[str, Path], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(trees)))
    root = trees[name]
    files = sorted(path.relative_to(board(name)) for path in board(name).rglob("*"))
    files = [path for path in files if (board(name) / path).is_file()]
    touched: set[Path] = set()
    readings = Board(root)
    state = PolicyState(Tier.HIGH)
    try:
        for _ in range(data.draw(st.integers(1, 6))):
            for file in data.draw(st.lists(st.sampled_from(files), max_size=8, unique=True)):
                touched.add(file)
                content = data.draw(contents)
                if content is None:
                    (root / file).unlink(missing_ok=True)
                else:
                    (root / file).write_bytes(content)
            reading = readings.after(data.draw(st.sampled_from([0.0, 0.1, 1.0, 6.0, 70.0])))
            check(reading)
            before = state.tier
            state, _ = decide(state, reading, PUBLISHED, LIMITS)
            if unknown(reading, LIMITS) or reading.failed:
                assert state.tier.rank <= before.rank
    finally:
        readings.probes.close()
        for file in touched:
            write(root, {str(file): ""})
            (root / file).write_bytes((board(name) / file).read_bytes())


def check(reading: Reading) -> None:
    """Every value of a reading is one that can be."""
    for share in ("cpu_foreign", "cpu_own", "cpu_pressure", "memory_pressure", "battery_fraction"):
        assert getattr(reading, share) is None or 0.0 <= getattr(reading, share) <= 1.0
    if reading.temperature_c is not None:
        assert -40.0 <= reading.temperature_c <= 150.0
    if reading.memory_available_mib is not None:
        assert reading.memory_available_mib >= 0.0
    for some in (reading.power_w, reading.runtime_s):
        assert some is None or 0.0 < some < 1e7
    assert not set(reading.absent) & set(reading.failed)
    assert set(reading.failed) == set(reading.failed_s)
