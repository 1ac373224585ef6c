"""The commands as a user calls them, through `main`, on real files and sample boards."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from edge_daemon import exitcode
from edge_daemon.cli import COMMANDS, main
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


def test_check_opens_bundle_journal_and_devices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(
        tmp_path / "config.yaml", **SYNTHETIC, journal={"directory": str(tmp_path / "new")}
    )
    assert main(["check", "--config", str(config)]) == exitcode.OK
    out = capsys.readouterr().out
    assert "4 models" in out
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
