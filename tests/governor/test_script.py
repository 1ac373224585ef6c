import json
from pathlib import Path

import pytest
from msgspec import to_builtins

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.script import Row, ScriptedProbes, TraceError, read_trace, scripted
from edge_daemon.tier import Tier
from tests.governor.sysroot import seconds

TRACE = """\
{"at_s": 0, "cpu_foreign": 0.2, "memory_available_mib": 400, "temperature_c": 48}

{"at_s": 4.5, "cpu_foreign": 0.56, "throttled": ["throttled"]}
{"at_s": 9, "temperature_c": null, "failed": {"temperature": "EIO"}}
{"at_s": 12, "temperature_c": 50.5, "failed": {}}
"""


def trace(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text(text)
    return path


def at(probes: ScriptedProbes, clock: VirtualClock, at_s: float) -> Reading:
    clock.advance_to(seconds(at_s))
    return probes.read()


def test_each_row_holds_until_the_next_and_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    clock = VirtualClock()
    probes = ScriptedProbes(read_trace(trace(tmp_path, TRACE)), clock)
    first = at(probes, clock, 0)
    assert (first.cpu_foreign, first.memory_available_mib, first.temperature_c) == (0.2, 400, 48)
    assert at(probes, clock, 4.4).cpu_foreign == 0.2
    second = at(probes, clock, 4.5)
    assert (second.cpu_foreign, second.temperature_c) == (0.56, 48)
    assert second.throttled == ("throttled",)
    third = at(probes, clock, 9.1)
    assert third.temperature_c is None
    assert third.failed == {"temperature": "EIO"}
    last = at(probes, clock, 1000)
    assert (last.cpu_foreign, last.temperature_c, last.failed) == (0.56, 50.5, {})
    assert last.time_ns == seconds(1000)


def test_what_no_row_names_is_absent(tmp_path: Path) -> None:
    probes = ScriptedProbes(read_trace(trace(tmp_path, TRACE)), VirtualClock())
    assert probes.read().absent == ("battery",)


def test_the_trace_begins_at_the_first_reading(tmp_path: Path) -> None:
    clock = VirtualClock(seconds(777))
    probes = ScriptedProbes(read_trace(trace(tmp_path, TRACE)), clock)
    assert at(probes, clock, 800).cpu_foreign == 0.2
    assert at(probes, clock, 804).cpu_foreign == 0.2
    assert at(probes, clock, 805).cpu_foreign == 0.56


def test_a_loop_begins_again_at_the_last_row(tmp_path: Path) -> None:
    clock = VirtualClock()
    probes = ScriptedProbes(read_trace(trace(tmp_path, TRACE)), clock, loop=True)
    seen = [at(probes, clock, at_s).cpu_foreign for at_s in (0, 11, 12, 16, 17, 24)]
    assert seen == [0.2, 0.56, 0.2, 0.2, 0.56, 0.2]


def test_a_loop_needs_a_length() -> None:
    with pytest.raises(TraceError, match="second row"):
        ScriptedProbes([Row(at_s=0.0)], VirtualClock(), loop=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"at_s": 0, "cpu_foreign": 20}', "trace.jsonl:2: cpu_foreign: Expected `float` <= 1.0"),
        ('{"at_s": 0, "cpu": 0.2}', "trace.jsonl:2: .*unknown field `cpu`; the fields are at_s"),
        ('{"at_s": 0, "temperature_c": "hot"}', "trace.jsonl:2: temperature_c: Expected"),
        ('{"at_s": 0, "temperature_c": 48000}', "trace.jsonl:2: temperature_c: "),
        ('{"at_s": 0, ', "trace.jsonl:2: .*each line is one JSON object"),
        ('{"cpu_foreign": 0.2}', "trace.jsonl:2: .*missing required field `at_s`"),
        ('{"at_s": 3}', "trace.jsonl:2: at_s is 3; the first row must be at 0"),
        ('{"at_s": 0}\n{"at_s": 0}', "trace.jsonl:3: at_s is 0, not after the row before"),
        ("[1, 2]", "trace.jsonl:2: Expected `object`"),
        ("", "trace.jsonl: has no rows"),
    ],
)
def test_what_is_wrong_names_file_line_and_field(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        read_trace(trace(tmp_path, f"\n{line}\n"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"none\.jsonl: No such file"):
        read_trace(tmp_path / "none.jsonl")


def test_a_row_may_name_whatever_a_reading_has(tmp_path: Path) -> None:
    assert set(Row.__struct_fields__) - {"at_s"} == set(Reading.__struct_fields__) - {
        "time_ns",
        "absent",
    }
    reading = Reading(
        time_ns=0,
        cpu_foreign=0.4,
        cpu_own=0.1,
        cpu_pressure=0.2,
        cores=2.5,
        memory_available_mib=200.0,
        memory_pressure=0.01,
        temperature_c=61.5,
        temperature_zone="cpu-thermal",
        temperature_limit_c=80.0,
        temperature_critical_c=110.0,
        battery_fraction=0.5,
        on_mains=False,
        power_w=4.5,
        runtime_s=7200.0,
        cycle_ms=21.5,
        cycle_tier=Tier.MEDIUM,
        cycles=9,
        late=1,
        throttled=("throttled",),
        failed={"battery": "EIO"},
        failed_s={"battery": 2.5},
    )
    row = {name: value for name, value in to_builtins(reading).items() if name != "time_ns"}
    path = trace(tmp_path, json.dumps({"at_s": 0, **row}))
    assert scripted(read_trace(path)) == [reading]


def test_the_demos_trace_is_right() -> None:
    demo = Path(__file__).resolve().parents[2] / "edge_daemon/demo/trace.jsonl"
    assert len(read_trace(demo)) > 2
