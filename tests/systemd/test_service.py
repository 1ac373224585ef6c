"""The service under a real systemd: started, confined, refused, given up, stopped."""

import re

import pytest

from tests.systemd.guest import Guest, wait_until
from tests.systemd.service import COMMAND, CONFIG, JOURNAL, PATIENCE_S, STATE, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]


def as_user(guest: Guest, user: str, *command: str) -> bool:
    """Whether a command succeeds for a user."""
    return guest.run("runuser", "-u", user, "--", *command).returncode == 0


def test_it_is_ready_once_it_runs_and_says_what_it_does(service: Service) -> None:
    service.configure(tier="low")
    service.start()
    assert service.show("ActiveState") == "active"
    assert service.wait_for("start")["pid"] == service.pid
    service.wait_for("prediction", tier="low")
    said = re.compile(r"tier low \(pinned\), \d+\.\d windows/s, video healthy, audio healthy")
    assert wait_until(lambda: bool(said.fullmatch(service.show("StatusText"))), PATIENCE_S)


def test_it_runs_without_privileges(service: Service) -> None:
    service.start()
    status = service.guest.read(f"/proc/{service.pid}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapBnd"], 16) == 0
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")
    user = service.guest.run("id", "-u", "edge-daemon").stdout.strip()
    assert fields["Uid"].split() == [user] * 4
    mounts = service.guest.read(f"/proc/{service.pid}/mounts")
    options = {line.split()[1]: line.split()[3].split(",")[0] for line in mounts.splitlines()}
    assert options["/"] == "ro"
    ours = {path: first for path, first in options.items() if "edge-daemon" in path}
    assert ours == {JOURNAL: "rw", STATE: "rw"}


def test_the_journal_is_for_its_group_alone(service: Service) -> None:
    service.start()
    service.wait_for("prediction")
    guest = service.guest
    file = f"{JOURNAL}/journal.jsonl"
    rights = guest.run("stat", "-c", "%A %U:%G", JOURNAL, STATE, file).stdout.split("\n")[:3]
    ours = "edge-daemon:edge-daemon"
    assert rights == [f"drwxr-x--- {ours}", f"drwxr-x--- {ours}", f"-rw-r----- {ours}"]
    guest.run("useradd", "watcher")
    try:
        assert not as_user(guest, "watcher", "cat", file)
        guest.run("usermod", "--append", "--groups", "edge-daemon", "watcher")
        assert as_user(guest, "watcher", "cat", file)
        assert as_user(guest, "watcher", COMMAND, "explain")
        assert not as_user(guest, "watcher", "touch", f"{JOURNAL}/mine")
    finally:
        guest.run("userdel", "watcher")


def test_under_a_dynamic_user_nobody_but_root_could_read_the_journal(service: Service) -> None:
    # Why the unit has a user of its own: devices would do, the journal would not.
    name = "edge-roaming"
    service.drop_in("50-dynamic", f"[Service]\nDynamicUser=yes\nUser={name}\nGroup={name}\n")
    service.start()
    service.wait_for("prediction")
    guest = service.guest
    status = guest.read(f"/proc/{service.pid}/status")
    groups = set(re.findall(r"^Groups:\t(.*)", status, re.MULTILINE)[0].split())
    devices = guest.run("getent", "group", "video", "audio").stdout.splitlines()
    assert {line.split(":")[2] for line in devices} <= groups
    file = f"{JOURNAL}/journal.jsonl"
    mine = guest.run("stat", "-L", "-c", "%U %G", file).stdout.split()
    assert mine == [name, name]
    read = ["setpriv", "--reuid=nobody", f"--regid={name}", "--clear-groups", "cat", file]
    assert "Permission denied" in guest.run(*read).stderr
    assert guest.run("stat", "-c", "%A", "/var/log/private").stdout.strip() == "drwx------"


def test_a_wrong_configuration_is_final(service: Service) -> None:
    service.guest.write(CONFIG, "video: {rate_hz: fast}\n")
    assert service.guest.run("systemctl", "start", UNIT).returncode != 0
    assert (service.show("ActiveState"), service.show("ExecMainStatus")) == ("failed", "78")
    assert service.show("NRestarts") == "0"
    assert f"{CONFIG}:1: video.rate_hz must be a number" in service.log()


def test_one_that_fails_at_every_start_is_given_up(service: Service) -> None:
    service.drop_in("50-soon", "[Unit]\nStartLimitBurst=3\n[Service]\nRestartSec=0\n")
    service.guest.run("install", "-d", "-o", "edge-daemon", "-g", "edge-daemon", JOURNAL)
    hold = ("flock", "--no-fork", JOURNAL, "sh", "-c", "echo held; exec sleep infinity")
    with service.guest.running(*hold) as told:
        assert told.readline() == "held\n"
        service.guest.run("systemctl", "start", UNIT)
        assert wait_until(lambda: service.show("ActiveState") == "failed", PATIENCE_S)
        assert (service.show("ExecMainStatus"), service.show("NRestarts")) == ("75", "3")
        assert "Start request repeated too quickly" in service.log()
    service.systemctl("reset-failed", UNIT)
    service.start()


def test_it_stops_in_order(service: Service) -> None:
    service.start()
    service.wait_for("prediction")
    service.systemctl("stop", UNIT)
    assert service.show("Result") == "success"
    (stop,) = service.lines("stop")
    assert stop["reason"] == "SIGTERM"
    assert stop["windows"] == len(service.lines("prediction"))
