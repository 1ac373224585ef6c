import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_daemon import exitcode

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "edge-daemon.service"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    return unit["Service"]


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    # verify wants the command to exist, and here it is not installed.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/edge-daemon/bin/edge-daemon", "/bin/true"))
    verified = run("systemd-analyze", "verify", copy)
    assert (verified.returncode, verified.stderr) == (0, "")


@needs_systemd
def test_the_unit_is_hardened() -> None:
    scored = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", UNIT)
    assert scored.returncode == 0, scored.stdout


def test_one_that_hangs_now_and_then_never_runs_out_of_attempts() -> None:
    text = UNIT.read_text()
    every_s, burst, watchdog_s, restart_s = (
        int(re.findall(rf"^{key}=(\d+)$", text, re.MULTILINE)[0])
        for key in ("StartLimitIntervalSec", "StartLimitBurst", "WatchdogSec", "RestartSec")
    )
    assert every_s / (watchdog_s + restart_s) < burst
    # One that ends at once does.
    assert every_s / (restart_s + 5) > burst


def test_the_network_is_let_in_by_the_drop_in_alone(service: configparser.SectionProxy) -> None:
    assert service["RestrictAddressFamilies"] == "AF_UNIX"
    assert service["IPAddressDeny"] == "any"
    assert "IPAddressAllow" not in service
    allowed = (SYSTEMD / "network-camera.conf").read_text()
    assert "RestrictAddressFamilies=AF_INET AF_INET6\n" in allowed


def test_a_wrong_configuration_is_not_retried(service: configparser.SectionProxy) -> None:
    assert service["RestartPreventExitStatus"] == str(exitcode.CONFIG)
    assert service["Restart"] == "on-failure"


def test_devices_are_limited_to_cameras_and_microphones() -> None:
    lines = UNIT.read_text().splitlines()
    allowed = {line.split("=")[1].split()[0] for line in lines if line.startswith("DeviceAllow=")}
    assert allowed == {"char-video4linux", "char-media", "char-dma_heap", "char-alsa"}
    assert "DevicePolicy=closed" in lines


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers here")
def test_the_user_is_made(tmp_path: Path, service: configparser.SectionProxy) -> None:
    (tmp_path / "etc").mkdir()
    drop_in = tmp_path / "etc" / "sysusers.d" / "edge-daemon.conf"
    drop_in.parent.mkdir()
    shutil.copy(SYSTEMD / "edge-daemon.sysusers", drop_in)
    made = run("systemd-sysusers", f"--root={tmp_path}", "edge-daemon.conf")
    assert made.returncode == 0, made.stderr
    users = (tmp_path / "etc" / "passwd").read_text()
    assert f"{service['User']}:" in users


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shell_scripts_are_clean() -> None:
    scripts = [*SYSTEMD.glob("*.sh"), *(SYSTEMD.parent / "tools").glob("*.sh")]
    assert len(scripts) >= 4
    checked = run("shellcheck", "--external-sources", *scripts, SYSTEMD.parent / ".ci" / "run")
    assert checked.returncode == 0, checked.stdout
