import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_daemon.governor.limits import Limits
from edge_daemon.governor.profile import Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.record import Header, Poll, Settings
from edge_daemon.tier import TIERS, Tier
from tests.tools.simulation.made import BOARD, Noting, flat, played
from tools.simulation.recording import RecordingError, read_recording, surroundings


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_holds_from_row_to_row(tmp_path: Path) -> None:
    path = written(
        tmp_path / "lab.csv",
        "at_s,cpu_foreign,memory_available_mib,ambient_c,on_mains,battery_wh\n"
        "0,0.2,300,21,true,5\n"
        "10,1.5,,30,false,\n"
        "20,0,100,30,true,\n",
    )
    trace = read_recording(path, BOARD)
    assert (trace.name, trace.steps, trace.battery_wh) == ("lab ×1", 80, 5.0)
    assert set(trace.foreign[:40]) == {0.2} and set(trace.foreign[40:]) == {1.5}
    assert set(trace.neighbours_mib[:40]) == {BOARD.ram_mib - 300.0}
    assert set(trace.neighbours_mib[40:]) == {0.0}
    assert trace.on_mains.tolist() == [True] * 40 + [False] * 40
    assert trace.ambient_c[39:41].tolist() == [21.0, 30.0]
    assert (trace.cooling == 1.0).all() and (trace.slowdown == 1.0).all()


def test_a_table_in_json_lines_is_the_same(tmp_path: Path) -> None:
    rows = [{"at_s": 0, "cpu_foreign": 0.2}, {"at_s": 5, "cpu_foreign": 0.4}]
    lines = "\n".join(map(json.dumps, rows))
    trace = read_recording(written(tmp_path / "a.jsonl", lines), BOARD)
    assert trace.steps == 20 and (trace.foreign == 0.2).all()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "at_s,cpu\n0,1\n", "cpu"),
        ("a.csv", "at_s,cpu_foreign\n0,much\n", ":2: .*cpu_foreign"),
        ("a.csv", "at_s,cpu_foreign\n0,0.5,1\n", "more cells"),
        ("a.csv", "at_s,cpu_foreign\n0,0.5\n", "two are needed"),
        ("a.csv", "at_s,cpu_foreign\n1,0.5\n2,1\n", "must begin with 0"),
        ("a.csv", "at_s,cpu_foreign\n0,0.5\n2,1\n2,1\n", "in the order"),
        ("a.csv", "at_s,cpu_foreign\n0,-0.5\n2,1\n", "cannot be"),
        ("a.csv", "at_s,cpu_foreign\n0,nan\n2,1\n", "cannot be"),
        ("a.csv", "at_s,cpu_foreign\n0,1\n99999,1\n", "longer than"),
        ("a.jsonl", "nonsense\n", ":1: is no JSON"),
        ("a.jsonl", "[1]\n", ":1: is no JSON"),
        ("a.jsonl", '{"reading": {"time_ns": 0}, "tier": "huge"}\n', "no reading"),
        ("a.jsonl", '{"event": "start"}\n', "has 0 rows"),
    ],
)
def test_what_is_wrong_is_said(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, text)
    with pytest.raises(RecordingError, match=said) as raised:
        read_recording(path, BOARD)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        read_recording(tmp_path / "nowhere.csv", BOARD)


def test_what_surrounded_the_board_is_found_again() -> None:
    """Simulate, then take the daemon's own effect off what its sensors said."""
    steps = round(1200 / 0.25)
    foreign = np.where(np.arange(steps) % 800 < 400, 0.2, 0.5)
    trace = flat(duration_s=1200.0, foreign=foreign, noise=0.0)
    watched = Noting([Tier.LOW] * 300 + [Tier.HIGH])
    run = played(trace, watched, BOARD.without_stalls())
    ran = [TIERS[run.tier[step]] for step in run.polled]
    rows = list(surroundings(list(zip(watched.readings, ran, strict=True)), BOARD))[400:]
    for row in rows:
        assert row.memory_available_mib == pytest.approx(324.0, abs=0.2)
    ambient_c = np.array([row.ambient_c for row in rows])
    assert ambient_c == pytest.approx(25.0, abs=1.5)
    assert ambient_c.mean() == pytest.approx(25.0, abs=0.6)
    loads = np.array([row.cpu_foreign for row in rows])
    own = BOARD.own_load(Tier.HIGH)
    assert np.quantile(loads, [0.25, 0.75]) == pytest.approx([0.2, 0.5], abs=0.1 * own + 0.02)


def test_a_recording_of_the_daemon_is_read(tmp_path: Path) -> None:
    profile: Profile = BOARD.profile()
    lines: list[object] = [
        Header(1, "1.0", "board", "bundle", "", Tier.CRITICAL),
        Settings(profile, Limits()),
    ]
    for second in range(5):
        reading = Reading(
            time_ns=round((100 + second) * 1e9),
            cpu_foreign=0.5,
            cpu_own=0.1,
            memory_available_mib=200.0,
            temperature_c=60.0,
        )
        lines.append(Poll(0, reading, Tier.HIGH, Tier.LOW, "recovered"))
    text = "\n".join(msgspec.json.encode(line).decode() for line in lines)
    trace = read_recording(written(tmp_path / "run.jsonl", text), BOARD)
    assert trace.steps == 16
    assert trace.foreign[0] == pytest.approx(0.5)
    assert trace.neighbours_mib[0] == pytest.approx(BOARD.ram_mib - 230.0)  # `low` ran
    rise_c = BOARD.idle_rise_c + sum(BOARD.gains_c) * 0.6 * BOARD.clock_ghz
    assert trace.ambient_c[0] == pytest.approx(60.0 - rise_c)


def test_full_cores_in_which_something_waits_were_asked_for_more() -> None:
    full = Reading(time_ns=0, cpu_foreign=0.9, cpu_own=0.1, cpu_pressure=0.9)
    calm = Reading(time_ns=1_000_000_000, cpu_foreign=0.9, cpu_own=0.1, cpu_pressure=0.1)
    slow = Reading(time_ns=2_000_000_000, cpu_foreign=0.5, throttled=("throttled",))
    rows = list(surroundings([(each, Tier.LOW) for each in (full, calm, slow)], BOARD))
    assert [row.cpu_foreign for row in rows] == pytest.approx([1.0, 0.9, 0.5 * BOARD.clocks[-1]])
