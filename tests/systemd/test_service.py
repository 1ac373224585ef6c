"""The service under a real systemd: started, hardened, reloaded, hung, misconfigured, stopped."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.guest import Guest, GuestError, wait_until

CHECKOUT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"  # one that the service's user may run, unlike one below /root
CONFIG = "/etc/edge-daemon/config.yaml"
JOURNAL = "/var/log/edge-daemon/journal.jsonl"
SYNTHETIC = "video: {source: synthetic}\naudio: {source: synthetic}\n"

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(shutil.which("systemd-nspawn") is None, reason="needs systemd-container"),
]


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Guest]:
    """A machine on which the service is installed and runs on synthetic sources."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    if not Path(PYTHON).exists() or subprocess.check_output(version, text=True).strip() != ours:
        pytest.skip(f"{PYTHON} is not Python {ours}, which the dependencies here are built for")
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    binds = {"/srv/checkout": CHECKOUT, "/srv/wheel": wheel.parent, "/srv/packages": packages}
    directory = tmp_path_factory.mktemp("guest")
    try:
        started = Guest(directory, binds).__enter__()
    except GuestError as error:
        pytest.skip(str(error))
    try:
        install(started, wheel.name)
        yield started
    finally:
        started.__exit__()


def install(guest: Guest, wheel: str) -> None:
    settings = [f"WHEEL=/srv/wheel/{wheel}", "PIP_ARGS=--no-deps --no-index", f"PYTHON={PYTHON}"]
    # The dependencies are those of this interpreter; all else is as an operator does it.
    guest.write("/etc/edge-daemon/config.yaml", SYNTHETIC)
    done = guest.run("env", *settings, "/srv/checkout/systemd/install.sh")
    assert done.returncode == 0, done.stderr
    assert "systemctl enable --now edge-daemon" in done.stdout
    packages = guest.run("sh", "-c", "echo /opt/edge-daemon/lib/python3*/site-packages").stdout
    guest.write(f"{packages.strip()}/dependencies.pth", "/srv/packages\n")
    # The shipped times are for boards; a test need not wait for them.
    guest.write(
        "/etc/systemd/system/edge-daemon.service.d/quick.conf",
        "[Service]\nWatchdogSec=3\nRestartSec=200ms\n",
    )
    guest.run("systemctl", "daemon-reload")


@pytest.fixture
def running(guest: Guest) -> Guest:
    """The guest with a freshly started service."""
    guest.write(CONFIG, SYNTHETIC)
    guest.run("systemctl", "reset-failed", "edge-daemon")
    started = guest.run("systemctl", "restart", "edge-daemon")
    assert started.returncode == 0, guest.run("journalctl", "-u", "edge-daemon").stdout
    return guest


def show(guest: Guest, name: str) -> str:
    return guest.run("systemctl", "show", "-p", name, "--value", "edge-daemon").stdout.strip()


def events(guest: Guest, kind: str) -> list[dict[str, object]]:
    lines = guest.read(JOURNAL).splitlines()
    return [found for found in map(json.loads, lines) if found["event"] == kind]


def test_it_runs_without_privileges(running: Guest) -> None:
    assert wait_until(lambda: bool(events(running, "prediction")), 20)
    status = running.read(f"/proc/{show(running, 'MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapBnd"], 16) == 0
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    user = running.run("id", "-u", "edge-daemon").stdout.strip()
    assert fields["Uid"].split() == [user] * 4
    assert running.run("stat", "-c", "%A %U", JOURNAL).stdout.strip() == "-rw-r----- edge-daemon"


def test_a_reload_with_a_wrong_file_leaves_it_running(running: Guest) -> None:
    before = len(events(running, "reload"))
    pid = show(running, "MainPID")
    running.write(CONFIG, f"{SYNTHETIC}vidoe: {{}}\n")
    running.run("systemctl", "reload", "edge-daemon")
    assert wait_until(lambda: len(events(running, "reload")) > before, 10)
    assert f"{CONFIG}:3: vidoe is not a key" in str(events(running, "reload")[-1]["error"])
    assert (show(running, "ActiveState"), show(running, "MainPID")) == ("active", pid)


def test_a_hung_daemon_is_restarted(running: Guest) -> None:
    pid = show(running, "MainPID")
    running.run("systemctl", "kill", "--signal=STOP", "edge-daemon")
    assert wait_until(
        lambda: show(running, "ActiveState") == "active" and show(running, "MainPID") != pid, 30
    )
    log = running.run("journalctl", "-u", "edge-daemon").stdout
    assert "Watchdog timeout" in log
    assert "Fatal Python error: Aborted" in log  # and where every thread was


def test_a_wrong_configuration_is_final(running: Guest) -> None:
    running.write(CONFIG, "video: {rate_hz: fast}\n")
    assert running.run("systemctl", "restart", "edge-daemon").returncode != 0
    assert (show(running, "ActiveState"), show(running, "ExecMainStatus")) == ("failed", "78")
    log = running.run("journalctl", "-u", "edge-daemon").stdout
    assert f"{CONFIG}:1: video.rate_hz must be a number" in log


def test_it_stops_in_order_and_leaves_nothing_behind(running: Guest) -> None:
    stopped = running.run("systemctl", "stop", "edge-daemon")
    assert stopped.returncode == 0
    assert show(running, "Result") == "success"
    assert json.loads(running.read(JOURNAL).splitlines()[-1])["event"] == "stop"
    removed = running.run("/srv/checkout/systemd/uninstall.sh", "--purge")
    assert removed.returncode == 0, removed.stderr
    left = (
        "ls -d /opt/edge-daemon* /etc/edge-daemon /var/log/edge-daemon; getent passwd edge-daemon"
    )
    assert running.run("sh", "-c", left).stdout == ""
