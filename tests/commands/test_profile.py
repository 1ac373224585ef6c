"""`edge-daemon profile` as a user calls it; measured for real, on the small bundle."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.commands import profile as command
from edge_daemon.config import load_config
from edge_daemon.demo import DIRECTORY as DEMO
from edge_daemon.governor.profile import PUBLISHED
from edge_daemon.governor.profilefile import choose_profile, read_profile
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.profiling.costs import Measured
from edge_daemon.profiling.plan import QUICK
from edge_daemon.profiling.stage import ProfilingError
from edge_daemon.tier import TIERS, Tier
from tests.daemon.running import write_config
from tests.governor.sysroot import board, copy_of, write
from tests.inference.scenes import BARS

PI = "Raspberry Pi 5 Model B Rev 1.0"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of the test's own."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "edge-daemon"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.yaml", bundle=str(BARS))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks at a sample board's counters are the same, however far apart."""
    monkeypatch.setattr(command, "_LOOK_S", 0.01)


def test_it_measures_prints_and_keeps_what_the_daemon_then_finds(
    config: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = board("rpi5")
    arguments = ["profile", "--config", str(config), "--sysroot", str(root)]
    assert main([*arguments, "--quick", "--anyway"]) == exitcode.OK
    out, err = capsys.readouterr()
    (path,) = state.iterdir()
    assert path.name.startswith("profile-bars-")
    assert path.name.endswith("-raspberry-pi-5-model-b-rev-1-0.json")
    assert f"kept in {path}; it counts from the daemon's next start" in err
    assert "accuracy: the bundle's manifest does not say" in err
    assert "power: neither" in err
    assert "\x1b" not in out + err

    profile = read_profile(path)
    bundle = load_bundle(BARS)
    assert profile.measured
    assert (profile.bundle, profile.bundle_sha256) == ("bars 1.0.0", bundle.sha256)
    assert (profile.board, profile.period_ms, profile.threads) == (PI, 100, 1)
    assert profile.slowed == pytest.approx(1500 / 2400)
    assert list(profile.tiers) == list(TIERS)
    assert profile.tiers[Tier.HIGH].memory_mib > 0
    assert profile.tiers[Tier.CRITICAL].memory_mib == 0
    assert profile.tiers[Tier.CRITICAL].prepare_ms == 0
    rows = [line for line in out.splitlines() if line.startswith("| ")]
    assert [row.split()[1] for row in rows] == ["tier", *reversed(TIERS)]

    wanted = load_config(config, os.environ).governor.profile
    chosen = choose_profile(wanted, bundle.sha256, PI)
    assert (chosen.profile, chosen.path) == (profile, path)

    main(["doctor", "--config", str(config), "--sysroot", str(root)])
    assert "measured within the last day" in capsys.readouterr().out


def test_json_goes_to_standard_output_and_the_file_where_it_is_told(
    config: Path,
    state: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shorter = replace(QUICK, pace_ms=5.0, rounds=1, windows=2, busy_windows=2)
    monkeypatch.setattr("edge_daemon.profiling.plan.QUICK", shorter)
    wanted = tmp_path / "new" / "here.json"
    arguments = ["profile", "--config", str(config), "--sysroot", str(board("rpi4"))]
    assert main([*arguments, "--quick", "--anyway", "--json", "--out", str(wanted)]) == exitcode.OK
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(wanted.read_text())
    assert not state.exists()
    assert stat.S_IMODE(wanted.stat().st_mode) == 0o644
    assert f"set governor.profile to {wanted}" in err


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "4"},
            "the firmware slows the board (throttled)",
        ),
        ({"sys/class/thermal/thermal_zone0/temp": "79500"}, "let it cool"),
    ],
)
def test_a_board_that_is_held_back_is_not_measured(
    files: dict[str, str],
    says: str,
    config: Path,
    state: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = write(copy_of("rpi5", tmp_path), files)
    arguments = ["profile", "--config", str(config), "--sysroot", str(root)]
    assert main(arguments) == exitcode.TROUBLE
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "--anyway" in err
    assert not state.exists()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    ("place", "says"),
    [
        (lambda tmp_path: tmp_path, "is a directory: name a file with --out"),
        (lambda tmp_path: tmp_path / "config.yaml" / "file", "may not be written to: run `sudo"),
        (lambda tmp_path: Path("/proc/1/no/file"), "may not be written to: run `sudo"),
    ],
)
def test_where_nothing_can_be_kept_nothing_is_measured(
    place: Callable[[Path], Path],
    says: str,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["profile", "--config", str(config), "--anyway", "--out", str(place(tmp_path))]
    assert main(arguments) == exitcode.TROUBLE
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err


def test_a_profile_that_is_named_and_broken_is_one_line_of_the_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    config = write_config(
        tmp_path / "config.yaml", bundle=str(BARS), governor={"profile": "broken.json"}
    )
    assert main(["doctor", "--config", str(config)]) == exitcode.TROUBLE
    found = "".join(capsys.readouterr().out.split())  # it is wrapped
    assert f"failprofileofthetiers{broken}:(wholefile):" in found


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("anyway", [False, True])
def test_what_a_busy_board_spoilt_is_shown_and_kept_only_on_demand(
    anyway: bool,
    config: Path,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoilt = Measured(PUBLISHED, (), ("other programs keep 50% of the cores busy",))
    monkeypatch.setattr(
        "edge_daemon.profiling.costs.measure_profile", lambda *given, **named: spoilt
    )
    arguments = ["profile", "--config", str(config), "--sysroot", str(board("rpi4"))]
    code = main([*arguments, *(["--anyway"] if anyway else [])])
    out, err = capsys.readouterr()
    assert out.count("\n| ") == 5
    if anyway:
        assert code == exitcode.OK
        assert len(list(state.iterdir())) == 1
    else:
        assert code == exitcode.TROUBLE
        assert "meanwhile other programs keep 50% of the cores busy" in err
        assert "--anyway" in err
        assert not state.exists()


@pytest.mark.usefixtures("short")
def test_a_tier_that_does_not_work_is_told_in_one_line(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*given: object, **named: object) -> Measured:
        raise ProfilingError("high could not be made ready: no memory")

    monkeypatch.setattr("edge_daemon.profiling.costs.measure_profile", fails)
    arguments = ["profile", "--config", str(config), "--sysroot", str(board("rpi4"))]
    assert main(arguments) == exitcode.TROUBLE
    said = capsys.readouterr().err.splitlines()
    assert said[-2:] == [
        "edge-daemon: high could not be made ready: no memory",
        "edge-daemon: not measured",
    ]


def test_the_demonstration_is_the_same_on_a_board_that_was_measured() -> None:
    demo = load_config(DEMO / "config.yaml", os.environ)
    assert demo.governor.profile == "published"
