"""Signals, faults and supervision of a daemon that runs in real time."""

import hashlib
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edge_daemon import exitcode
from edge_daemon.resources import shipped_bundle
from tests.daemon.running import DATA, Fields, lines, of, running, write_config

SYNTHETIC: dict[str, object] = {
    "video": {"source": "synthetic"},
    "audio": {"source": "synthetic"},
    "window": {"period_ms": 30},
    "governor": {"readings": str(DATA / "traces" / "calm.jsonl")},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.yaml", **SYNTHETIC)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_a_summary(
    config: Path, tmp_path: Path, how: signal.Signals, valid: Callable[[list[Fields]], None]
) -> None:
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction")
        asked_s = time.monotonic()
        assert daemon.stop(how) == exitcode.OK
        assert time.monotonic() - asked_s < 10  # 2 s are promised; this machine may be busy
    found = lines(tmp_path / "journal")
    valid(found)
    assert found[-1]["event"] == "stop"
    assert found[-1]["reason"] == how.name
    assert found[-1]["predictions"] == len(of("prediction", found))


def test_killed_at_any_time_it_goes_on_where_it_was(config: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    seq = -1
    for round_ in range(4):
        with running(config, journal) as daemon:
            started = daemon.wait_for_event("start", after=seq)
            daemon.wait_for_event("prediction", after=started["seq"] + 7 * round_)
            assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
        seq = lines(journal)[-1]["seq"]
    with running(config, journal) as daemon:
        daemon.wait_for_event("prediction", after=seq)
        assert daemon.stop() == exitcode.OK
    found = lines(journal)
    assert [line["seq"] for line in found] == list(range(len(found)))
    assert len(of("start", found)) == 5
    assert len(of("stop", found)) == 1


def test_a_torn_line_is_cut_off_and_reported(config: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with running(config, journal) as daemon:
        daemon.wait_for_event("prediction")
        daemon.stop(signal.SIGKILL)
    with (journal / "journal.jsonl").open("ab") as file:
        file.write(b'{"schema":1,"ts":"2026-')
    before = len(lines_or_torn(journal))
    with running(config, journal) as daemon:
        start = daemon.wait_for_event("start", after=before - 1)
        assert start["repaired_bytes"] == 23
        daemon.stop()
    found = lines(journal)
    assert [line["seq"] for line in found] == list(range(len(found)))


def lines_or_torn(journal: Path) -> list[bytes]:
    return (journal / "journal.jsonl").read_bytes().split(b"\n")[:-1]


def test_sighup_puts_live_keys_into_force_and_names_the_others(
    config: Path, tmp_path: Path
) -> None:
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction", tier="high")
        write_config(
            config,
            **{**SYNTHETIC, "tier": "low", "video": {"source": "synthetic", "rate_hz": 5}},
        )
        daemon.process.send_signal(signal.SIGHUP)
        reload = daemon.wait_for_event("reload")
        assert reload["applied"] == ["tier"]
        assert reload["restart"] == ["video.rate_hz"]
        assert reload["error"] is None
        change = daemon.wait_for_event("tier_change", after=reload["seq"], to="low")
        assert change["resource"] == "pin"
        daemon.wait_for_event("prediction", after=change["seq"], tier="low")


def test_a_bad_new_config_leaves_the_old_one_running(config: Path, tmp_path: Path) -> None:
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction")
        config.write_text("window: {period_ms: 30}\nvideo: {source: synthetic, rat_hz: 3}\n")
        daemon.process.send_signal(signal.SIGHUP)
        reload = daemon.wait_for_event("reload")
        assert reload["applied"] == []
        assert f"{config}:2: video.rat_hz is not a key; did you mean" in reload["error"]
        daemon.wait_for_event("prediction", after=reload["seq"] + 5)
        assert daemon.stop() == exitcode.OK


def test_a_reload_changes_how_often_and_how_sure(config: Path, tmp_path: Path) -> None:
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for(lambda line: line.get("label") not in (None, "unknown"))
        write_config(
            config,
            **{**SYNTHETIC, "window": {"period_ms": 300}, "prediction": {"threshold": 1.0}},
        )
        daemon.process.send_signal(signal.SIGHUP)
        reload = daemon.wait_for_event("reload")
        assert reload["applied"] == ["window.period_ms", "prediction.threshold"]
        daemon.wait_for_event("prediction", after=reload["seq"] + 7)
        assert daemon.stop() == exitcode.OK
    later = [
        line
        for line in of("prediction", lines(tmp_path / "journal"))
        if line["seq"] > reload["seq"] + 2
    ]
    assert {line["label"] for line in later if line["confidence"] < 1.0} <= {"unknown"}
    apart_ms = [(b["mono_ns"] - a["mono_ns"]) / 1e6 for a, b in pairwise(later)]
    assert max(apart_ms) > 200


def test_a_reload_turns_reuse_off_and_on(config: Path, tmp_path: Path) -> None:
    with running(config, tmp_path / "journal") as daemon:
        seq = daemon.wait_for_event("prediction", reused=True)["seq"]
        reloaded = []
        for enabled in (False, True):
            window = {"period_ms": 30, "reuse": {"enabled": enabled}}
            write_config(config, **{**SYNTHETIC, "window": window})
            daemon.process.send_signal(signal.SIGHUP)
            reload = daemon.wait_for_event("reload", after=seq)
            assert reload["applied"] == ["window.reuse.enabled"]
            reloaded.append(reload["seq"])
            seq = daemon.wait_for_event("prediction", after=reload["seq"] + 20)["seq"]
        daemon.wait_for_event("prediction", after=seq, reused=True)
        assert daemon.stop() == exitcode.OK
    off, on = reloaded
    between = [
        line["reused"]
        for line in of("prediction", lines(tmp_path / "journal"))
        # What was under way while the settings changed may still be of the old ones.
        if off + 1 < line["seq"] < on - 1
    ]
    assert len(between) > 15
    assert not any(between)


def test_a_storm_of_reloads_hurts_nothing(config: Path, tmp_path: Path) -> None:
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction")
        for _ in range(200):
            daemon.process.send_signal(signal.SIGHUP)
        reload = daemon.wait_for_event("reload")
        daemon.wait_for_event("prediction", after=reload["seq"] + 10)
        assert daemon.stop() == exitcode.OK


DEAF: dict[str, object] = {
    **SYNTHETIC,
    "audio": {"source": "microphone", "device": "no such microphone"},
    "capture": {"retry_first_s": 0.05, "retry_max_s": 0.1},
}


def test_a_missing_microphone_leaves_the_picture(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.yaml", **DEAF)
    with running(config, tmp_path / "journal") as daemon:
        capture = daemon.wait_for_event("capture", source="audio", state="failed")
        assert "no such microphone" in capture["name"]
        # Begun there or, where the governor looked before the microphone had failed, fallen to.
        low = daemon.wait_for_event("tier_change", to="low", resource="sound")
        later = max(capture["seq"], low["seq"])
        seen = daemon.wait_for_event("prediction", after=later + 5)
        assert (seen["tier"], seen["image"], seen["audio"]) == ("low", True, False)
        assert daemon.stop() == exitcode.OK


def test_a_tier_that_listens_answers_without_a_microphone_too(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.yaml", **DEAF, tier="high")
    with running(config, tmp_path / "journal") as daemon:
        capture = daemon.wait_for_event("capture", source="audio", state="failed")
        seen = daemon.wait_for_event("prediction", after=capture["seq"], tier="high")
        assert (seen["image"], seen["audio"]) == (True, False)
        assert daemon.stop() == exitcode.OK


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Yield the socket that systemd would listen on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        yield listener


def test_systemd_hears_of_every_step(config: Path, tmp_path: Path, systemd: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "4000000"}
    heard: list[str] = []

    def hear(wanted: str) -> str:
        while True:
            heard.extend(systemd.recv(4096).decode().splitlines())
            for message in heard:
                if message.startswith(wanted):
                    heard.clear()
                    return message

    with running(config, tmp_path / "journal", environ=environ) as daemon:
        hear("READY=1")
        hear("WATCHDOG=1")
        hear("STATUS=tier high")
        daemon.process.send_signal(signal.SIGHUP)
        hear("RELOADING=1")
        hear("READY=1")
        daemon.process.send_signal(signal.SIGTERM)
        hear("STOPPING=1")


def test_the_watchdog_is_not_fed_while_the_picture_hangs_unreported(
    tmp_path: Path, systemd: socket.socket
) -> None:
    """A camera that delivers nothing, and has not been noticed yet, is no progress."""
    fifo = tmp_path / "video.y4m"
    os.mkfifo(fifo)  # opening it hangs until somebody writes
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "camera", "device": f"file://{fifo}"},
        audio={"source": "none"},
        capture={"stall_s": 600},
    )
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with running(config, tmp_path / "journal", environ=environ) as daemon:
        heard = ""
        while "READY=1" not in heard:
            heard = systemd.recv(4096).decode()
        systemd.settimeout(2.5)
        for _ in range(3):  # STATUS lines go on, WATCHDOG must not come
            try:
                assert "WATCHDOG" not in systemd.recv(4096).decode()
            except TimeoutError:
                break
        asked_s = time.monotonic()
        daemon.stop()
        assert time.monotonic() - asked_s < 10
        assert lines(tmp_path / "journal")[-1]["event"] == "stop"


def test_a_journal_that_cannot_be_written_stops_nothing(
    tmp_path: Path, systemd: socket.socket
) -> None:
    (tmp_path / "file").write_text("where a directory is needed")
    config = write_config(tmp_path / "config.yaml", **SYNTHETIC)
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with running(config, tmp_path / "file" / "journal", environ=environ) as daemon:
        rates: list[float] = []
        fed = 0
        while len(rates) < 3:
            for message in systemd.recv(4096).decode().splitlines():
                fed += message == "WATCHDOG=1"
                if message.startswith("STATUS=tier high"):
                    rates.append(float(message.split(", ")[1].split()[0]))
        assert min(rates[1:]) > 5  # windows a second, of 33
        assert fed > 0
        assert daemon.stop() == exitcode.OK
        assert "the disk fails, lines wait" in daemon.log.read_text()
    assert (tmp_path / "file").read_text() == "where a directory is needed"


def test_a_tier_that_cannot_be_loaded_leaves_the_running_one(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(shipped_bundle(), bundle)
    trace = tmp_path / "trace.jsonl"
    trace.write_text(
        '{"at_s": 0, "cpu_foreign": 0.95, "memory_available_mib": 800}\n'
        '{"at_s": 1.5, "cpu_foreign": 0.05}\n'
    )
    config = write_config(
        tmp_path / "config.yaml",
        **{
            **SYNTHETIC,
            "bundle": str(bundle),
            "governor": {
                "readings": str(trace),
                "limits": {"poll_min_s": 0.1, "poll_max_s": 0.1, "up_after_s": 0.2},
            },
        },
    )
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("prediction", tier="critical")
        (bundle / "low.tflite").unlink()
        fault = daemon.wait_for_event("fault", part="swap")
        assert "low.tflite" in fault["message"]
        daemon.wait_for_event("prediction", after=fault["seq"] + 5, tier="critical")
        assert daemon.stop() == exitcode.OK


def test_a_malformed_model_is_refused_at_the_start(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(shipped_bundle(), bundle)
    model = (bundle / "low.tflite").read_bytes()
    (bundle / "low.tflite").write_bytes(broken := model[: len(model) // 2])
    manifest = (bundle / "bundle.yaml").read_text()
    manifest = manifest.replace(
        hashlib.sha256(model).hexdigest(), hashlib.sha256(broken).hexdigest()
    )
    manifest = manifest.replace(f"bytes: {len(model)}", f"bytes: {len(broken)}")
    (bundle / "bundle.yaml").write_text(manifest)
    config = write_config(tmp_path / "config.yaml", **{**SYNTHETIC, "bundle": str(bundle)})
    with running(config, tmp_path / "journal") as daemon:
        assert daemon.process.wait(30) == exitcode.CONFIG
    assert "low.tflite" in daemon.log.read_text()


def test_a_read_that_hangs_is_seen_from_outside(tmp_path: Path) -> None:
    fifo = tmp_path / "video.y4m"
    os.mkfifo(fifo)
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "camera", "device": f"file://{fifo}"},
        audio={"source": "none"},
        capture={"stall_s": 0.4},
    )
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("capture", source="video", state="stalled")
        assert daemon.stop() == exitcode.OK


def test_a_microphone_alone_is_enough_for_the_watchdog_in_a_tier_that_does_not_listen(
    tmp_path: Path, systemd: socket.socket
) -> None:
    config = write_config(
        tmp_path / "config.yaml", **{**SYNTHETIC, "video": {"source": "none"}, "tier": "low"}
    )
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with running(config, tmp_path / "journal", environ=environ) as daemon:
        daemon.wait_for_event("tier_change", to="low")
        heard = [systemd.recv(4096).decode() for _ in range(6)]
        assert "WATCHDOG=1" in heard[3:]
        assert daemon.stop() == exitcode.OK


def test_two_daemons_do_not_share_a_journal(config: Path, tmp_path: Path) -> None:
    with running(config, tmp_path / "journal") as first:
        first.wait_for_event("prediction")
        with running(config, tmp_path / "journal") as second:
            assert second.process.wait(30) == exitcode.BUSY
        assert "another" in second.log.read_text()
        assert first.stop() == exitcode.OK
    assert len(of("start", lines(tmp_path / "journal"))) == 1


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"vidoe": {}}, "vidoe is not a key; did you mean video?"),
        ({"bundle": "/nowhere"}, "/nowhere/bundle.yaml: not found"),
        ({"governor": {"readings": "/nowhere.jsonl"}}, "/nowhere.jsonl: No such file"),
    ],
)
def test_wrong_input_is_refused_before_anything_starts(
    tmp_path: Path, sections: dict[str, object], said: str
) -> None:
    config = write_config(tmp_path / "config.yaml", **{**SYNTHETIC, **sections})
    with running(config, tmp_path / "journal") as daemon:
        assert daemon.process.wait(30) == exitcode.CONFIG
    assert said in daemon.log.read_text()
    assert not (tmp_path / "journal").exists()
