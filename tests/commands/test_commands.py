"""The commands as a user calls them, through `main`, on real files and sample boards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_daemon import exitcode
from edge_daemon.cli import COMMANDS, main
from edge_daemon.commands import check
from edge_daemon.commands.config import commented
from edge_daemon.config import ConfigError, parse_config
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.profilefile import board_name, profile_path, write_profile
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.journal.writer import Journal
from edge_daemon.resources import shipped_bundle
from tests.capture.mjpeg import mjpeg_server
from tests.daemon.running import DATA, command, write_config

SYNTHETIC = {"video": {"source": "synthetic"}, "audio": {"source": "synthetic"}}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"edge-daemon {name}" in capsys.readouterr().out


def test_help_lists_commands_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert "examples:" in out
    for code in (exitcode.OK, exitcode.TROUBLE, exitcode.USAGE, exitcode.BUSY, exitcode.CONFIG):
        assert f"{code:4}  " in out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rnu"])
    assert ended.value.code == exitcode.USAGE
    assert "invalid choice: 'rnu'" in capsys.readouterr().err


def test_config_prints_a_config_that_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config"]) == exitcode.OK
    (tmp_path / "config.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    done = ["check", "--no-devices", "--config", str(tmp_path / "config.yaml")]
    assert main(done) == exitcode.OK


def test_config_refuses_to_print_what_the_shell_has_just_emptied(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    with pytest.raises(ConfigError, match=r"config\.yaml: is empty.*git checkout config\.yaml"):
        commented(tmp_path / "config.yaml")


def test_check_opens_bundle_journal_and_devices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(
        tmp_path / "config.yaml", **SYNTHETIC, journal={"directory": str(tmp_path / "new")}
    )
    assert main(["check", "--config", str(config)]) == exitcode.OK
    out = capsys.readouterr().out
    assert "4 models" in out
    assert "profile  ok  the published table serves, because nothing was measured" in out
    assert "320×240" in out
    assert "samples, level" in out
    assert not (tmp_path / "new").exists()


def test_check_says_what_a_camera_delivers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mjpeg_server(20) as camera:
        config = write_config(
            tmp_path / "config.yaml",
            video={"source": "camera", "device": camera.url, "rate_hz": 10.0},
            audio={"source": "none"},
            journal={"directory": str(tmp_path)},
        )
        assert main(["check", "--config", str(config)]) == exitcode.OK
    line = capsys.readouterr().out.splitlines()[-1]
    assert "160×120" in line
    assert "(FFMPEG); " in line
    rate_hz = float(line.split("(FFMPEG); ")[1].split(" pictures a second")[0])
    assert 1 < rate_hz < 11  # a busy machine delivers fewer
    assert "mean brightness" in line


def test_check_names_each_device_that_does_not_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "camera", "device": str(tmp_path / "video7")},
        audio={"source": "replay"},
        replay={"audio": str(tmp_path / "nothing.wav")},
        journal={"directory": str(tmp_path / "config.yaml" / "below-a-file")},
    )
    assert main(["check", "--config", str(config)]) == exitcode.TROUBLE
    out = capsys.readouterr().out
    assert out.count("trouble") == 3
    assert "video7" in out
    assert "nothing.wav" in out
    assert "is not a directory; set journal.directory" in out


@pytest.mark.parametrize("source", ["camera", "synthetic"])
def test_check_leaves_the_devices_to_a_daemon_that_runs(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "journal"
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": source, "device": str(tmp_path / "video7")},
        audio={"source": "synthetic"},
        journal={"directory": str(journal)},
    )
    daemon = Journal(journal)
    daemon.open()
    try:
        code = main(["check", "--config", str(config)])
        out = capsys.readouterr().out
        assert main(["check", "--no-devices", "--config", str(config)]) == exitcode.OK
    finally:
        daemon.stop()
    if source == "synthetic":  # there are enough of these for all
        assert (code, "samples, level" in out) == (exitcode.OK, True)
    else:
        assert code == exitcode.TROUBLE
        assert "trouble  the daemon runs and holds the devices: stop it first" in out
        assert "video7" not in out
    capsys.readouterr()
    main(["check", "--config", str(config)])
    assert "the daemon runs" not in capsys.readouterr().out


def test_check_refuses_a_profile_as_run_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "state"
    profile = profile_path(directory, "b", load_bundle(shipped_bundle()).sha256, board_name())
    profile.parent.mkdir()
    profile.write_text("{")
    config = write_config(
        tmp_path / "config.yaml",
        **SYNTHETIC,
        journal={"directory": str(tmp_path)},
        governor={"profile": str(profile)},
    )
    check = ["check", "--no-devices", "--config", str(config)]
    assert main(check) == exitcode.CONFIG
    assert str(profile) in capsys.readouterr().err
    write_profile(profile, replace(PUBLISHED, measured=True, made="2026-03-17", bundle="b"))
    assert main(check) == exitcode.OK
    assert "profile  ok  measured 2026-03-17" in capsys.readouterr().out


def test_check_says_that_what_was_measured_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    state = tmp_path / "edge-daemon"
    profile = profile_path(state, "b", load_bundle(shipped_bundle()).sha256, board_name())
    state.mkdir()
    profile.write_text("{")
    config = write_config(tmp_path / "config.yaml", journal={"directory": str(tmp_path)})
    assert main(["check", "--no-devices", "--config", str(config)]) == exitcode.TROUBLE
    assert "profile  trouble  the published table serves, because of" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_check_leaves_the_services_journal_to_the_service(tmp_path: Path) -> None:
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    journal = tmp_path / "journal"
    journal.mkdir(mode=0o750)
    os.chown(journal, 1, 1)
    config = parse_config(f"journal: {{directory: {journal}}}".encode(), tmp_path / "c.yaml", {})
    os.seteuid(65534)
    try:
        found = check.journal_place(config)
    finally:
        os.seteuid(0)
    says = f"{journal} belongs to daemon, who writes it: sudo -u daemon edge-daemon check"
    assert found == ("journal", True, says)


def test_check_gives_up_on_a_camera_that_never_answers(tmp_path: Path) -> None:
    pipe = tmp_path / "camera.y4m"
    os.mkfifo(pipe)  # opening it hangs until somebody writes
    config = write_config(
        tmp_path / "config.yaml",
        video={"source": "camera", "device": f"file://{pipe}"},
        audio={"source": "synthetic"},
        journal={"directory": str(tmp_path)},
    )
    done = subprocess.run(
        command("check", "--timeout", "1.5", "--config", config),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == exitcode.TROUBLE, done.stderr
    video, audio = done.stdout.splitlines()[-2:]
    assert "trouble" in video and "does not answer (1.5 s)" in video
    assert audio.startswith("audio") and "ok" in audio  # the next device is looked at all the same


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_check_takes_a_time_that_can_be(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", f"--timeout={text}"])
    assert f"'{text}' is no number of seconds" in capsys.readouterr().err


def test_a_wrong_config_is_told_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("tier: auto\nwindow: {period_ms: soon}\n")
    assert main(["check", "--config", str(config)]) == exitcode.CONFIG
    assert f"{config}:2: window.period_ms must be" in capsys.readouterr().err


def test_devices_of_a_board(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--sysroot", str(DATA / "sysroot" / "laptop")]) == exitcode.OK
    out = capsys.readouterr().out
    titles = [line for line in out.splitlines() if not line.startswith(" ")]
    assert titles == ["cameras", "microphones", "thermal zones", "batteries"]
    assert "%" in out.partition("batteries")[2]
    assert "°C" in out.partition("thermal zones")[2]


def test_a_picamera2_that_cannot_be_imported_stands_among_the_devices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    assert main(["devices"]) == exitcode.OK
    cameras = capsys.readouterr().out.partition("microphones")[0]
    assert "picamera2 cannot be imported (numpy.dtype size changed)" in cameras


def test_the_doctor_says_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--sysroot", str(DATA / "sysroot" / "rpi5")])
    out = capsys.readouterr().out
    assert "TFLite runtime" in out
    assert "XNNPACK" in out
    assert "→ " in out


def test_bundle_show_tells_what_each_tier_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "show"]) == exitcode.OK
    out = capsys.readouterr().out
    assert "high.tflite" in out
    assert "audio 0.64 s from the onset" in out
    assert "image 14×14" in out


def test_bundle_verify_refuses_a_model_that_was_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in shipped_bundle().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert main(["bundle", "verify", str(tmp_path)]) == exitcode.OK
    model = tmp_path / "low.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"\x7f")
    capsys.readouterr()
    assert main(["bundle", "verify", str(tmp_path)]) == exitcode.CONFIG
    err = capsys.readouterr().err
    assert "low.tflite" in err
    assert "sha256" in err.lower()


def test_bench_prints_tables_and_writes_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    assert main(["bench", "--only", "poll", "--json", str(figures)]) == exitcode.OK
    assert "| poll by a measured profile, p50" in capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert 0 < found["poll"]["reading_us"] <= found["poll"]["table_us"]


def test_bench_finds_out_at_once_that_its_file_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "nowhere" / "figures.json"
    assert main(["bench", "--json", str(figures)]) == exitcode.TROUBLE
    assert capsys.readouterr() == ("", f"edge-daemon: {figures}: No such file or directory\n")


def test_an_unknown_tier_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--tier", "foo"])
    assert ended.value.code == exitcode.USAGE
    err = capsys.readouterr().err
    assert "choose from" in err
    assert "Tier." not in err
    assert [word for word in ("auto", "high", "medium", "low", "critical") if word not in err] == []


def test_output_may_be_cut_short_by_its_reader() -> None:
    with subprocess.Popen(
        command("config"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said


def test_the_demo_visits_all_tiers_and_ends_in_high(tmp_path: Path) -> None:
    done = subprocess.run(
        command("demo", "--lockstep", "--journal", tmp_path / "journal"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C"},  # no terminal, no UTF-8 locale
    )
    assert done.returncode == exitcode.OK, done.stderr
    order = [line.split("──▶ ")[1].split()[0] for line in done.stdout.splitlines() if "──▶" in line]
    assert order == ["high", "medium", "low", "critical", "low", "medium", "high"]
    assert " correct (" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"{tmp_path}/journal/journal.jsonl")
    assert "\x1b" not in done.stdout
