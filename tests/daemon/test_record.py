"""`run --record` and `replay-governor`: a real daemon's decisions, decided again to the last."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.clock import monotonic_ns
from edge_daemon.demo import CLIP
from tests.daemon.running import PATIENCE_S, command, lines, of, running, write_config

ROWS = [
    {"at_s": 0.0, "cpu_foreign": 0.1, "memory_available_mib": 400, "temperature_c": 45},
    {"at_s": 1.0, "cpu_foreign": 0.6},
    {"at_s": 2.0, "temperature_c": 75.5},
    {"at_s": 3.0, "memory_available_mib": 10},
    {"at_s": 4.0, "cpu_foreign": 0.1, "memory_available_mib": 400, "temperature_c": 45},
]
LIMITS = {"poll_min_s": 0.1, "poll_max_s": 0.2, "up_after_s": 0.5, "ups_per_hour": 3600}


def write_trace(folder: Path, stretch: float = 1.0) -> Path:
    path = folder / "trace.jsonl"
    rows = [{**row, "at_s": row["at_s"] * stretch} for row in ROWS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def call(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


def replayed(*arguments: str | Path) -> dict[str, Any]:
    code, out = call("replay-governor", "--json", "--check", *arguments)
    found: dict[str, Any] = json.loads(out)
    assert code == (1 if found["differing"] else 0)
    return found


def test_a_run_in_lockstep_is_decided_again(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "replay"},
        audio={"source": "replay"},
        replay={"video": str(CLIP.video), "audio": str(CLIP.audio), "pace": "lockstep"},
        governor={
            "readings": str(write_trace(tmp_path, stretch=3.0)),
            "reading_every_s": 5,
            "limits": LIMITS,
        },
    )
    night = tmp_path / "night.jsonl"
    code, out = call("run", "--config", config, "--journal", tmp_path / "j", "--record", night)
    assert code == 0, out
    changes = of("tier_change", lines(tmp_path / "j"))
    assert len(changes) >= 6
    found = replayed(night)
    assert (found["differing"], found["bad_lines"]) == (0, 0)
    assert found["polls"] > 80
    # The start is no switch; every other tier change of the journal is one.
    assert found["recorded"]["switches"] == found["replayed"]["switches"] == len(changes) - 1
    assert replayed(night, "--config", config)["differing"] == 0
    other = write_config(tmp_path / "other.yaml", governor={"limits": {**LIMITS, "down_polls": 9}})
    assert replayed(night, "--config", other)["differing"] > 5


def test_the_journal_of_the_same_run_is_close(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "replay"},
        audio={"source": "replay"},
        replay={"video": str(CLIP.video), "audio": str(CLIP.audio), "pace": "lockstep"},
        governor={"readings": str(write_trace(tmp_path, stretch=3.0)), "limits": LIMITS},
    )
    code, out = call("run", "--config", config, "--journal", tmp_path / "j")
    assert code == 0, out
    found = replayed(tmp_path / "j", "--config", config)
    assert found["kind"] == "journal"
    assert found["compared"] > 40
    assert found["longest"] is None or found["longest"]["lasts_s"] <= 5.0
    shares = [
        [course["tier_s"][tier] / found["watched_s"] for tier in ("low", "medium", "high")]
        for course in (found["recorded"], found["replayed"])
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.15)


def test_a_live_run_is_decided_again_across_a_reload_and_a_kill(tmp_path: Path) -> None:
    trace = write_trace(tmp_path)
    sections: dict[str, Any] = {
        "video": {"source": "synthetic"},
        "audio": {"source": "synthetic"},
        "governor": {"readings": str(trace), "limits": LIMITS},
    }
    config = write_config(tmp_path / "config.yaml", **sections)
    night = tmp_path / "night.jsonl"
    with running(config, tmp_path / "j", "--record", night) as daemon:
        daemon.wait_for_event("tier_change", to="medium")
        sections["governor"]["limits"] = {**LIMITS, "down_polls": 3}
        write_config(config, **sections)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_event("reload", error=None)
        code, out = call("explain", tmp_path / "j", "--json")
        assert code == 0, out
        told = json.loads(out)
        assert told["life"] == "running"
        assert told["tier"] in ("critical", "low", "medium", "high")
        back = daemon.wait_for(
            lambda line: (line["event"], line.get("from"), line.get("to"))
            == ("tier_change", "medium", "high")
        )
        assert daemon.stop() == 0
    found = replayed(night)
    assert (found["differing"], found["bad_lines"], found["runs"]) == (0, 0, 1)
    assert found["replayed"]["tier_s"]["critical"] > 0
    kinds = [json.loads(line)["line"] for line in night.read_text().splitlines()]
    assert kinds.count("settings") == 2
    assert back["needs"] == []

    with running(config, tmp_path / "j", "--record", night) as daemon:
        daemon.wait_for_event("tier_change", to="medium", after=back["seq"])
        waited_ns = monotonic_ns() + int(PATIENCE_S * 1e9)
        size = night.stat().st_size
        while night.stat().st_size == size and monotonic_ns() < waited_ns:
            time.sleep(0.05)  # until some of the second run is on the disk
        daemon.process.kill()
        daemon.process.wait(PATIENCE_S)
    night.write_bytes(night.read_bytes()[:-20])
    found = replayed(night)
    assert (found["differing"], found["bad_lines"], found["runs"]) == (0, 1, 2)


def test_a_full_recording_is_a_fault_and_the_daemon_goes_on(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "synthetic"},
        audio={"source": "synthetic"},
        governor={"readings": str(write_trace(tmp_path)), "limits": LIMITS},
    )
    night = tmp_path / "night.jsonl"
    code, out = call(
        "run", "-c", config, "--journal", tmp_path / "j", "--record", night, "--record-mib", "0"
    )
    assert code == 2
    assert "no size in MiB" in out
    with running(config, tmp_path / "j", "--record", night) as daemon:
        daemon.wait_for_event("prediction")
        assert daemon.stop() == 0
    # One run has filled the file; the next one finds no room.
    last = night.read_bytes().splitlines(keepends=True)[-1]
    with night.open("ab") as file:
        file.write(last * (2**20 // len(last)))
    size = night.stat().st_size
    with running(config, tmp_path / "j", "--record", night, "--record-mib", "1") as daemon:
        fault = daemon.wait_for_event("fault", part="record")
        assert "--record-mib" in fault["message"]
        daemon.wait_for_event("prediction", after=fault["seq"])
        assert daemon.stop() == 0
    assert night.stat().st_size == size


def test_a_file_that_is_no_recording_is_refused_before_anything_starts(tmp_path: Path) -> None:
    precious = write_config(tmp_path / "config.yaml", video={"source": "synthetic"})
    before = precious.read_text()
    code, out = call("run", "--config", precious, "--journal", tmp_path / "j", "--record", precious)
    assert code == 78
    assert "holds something else than a recording" in out
    assert "Traceback" not in out
    assert precious.read_text() == before
