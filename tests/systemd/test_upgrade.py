"""Installed, brought up to date while it runs, taken back, removed: on a machine of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.conftest import booted
from tests.systemd.service import CONFIG, JOURNAL, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]

ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
SYSTEMS_OWN = ("var/log/journal", "var/lib/systemd", "var/cache", "run", "tmp", "root")
BACKUPS = {f"etc/{name}-" for name in ACCOUNTS} | {"etc/.pwd.lock"}


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A machine that has never seen the service."""
    with booted(wheel, tmp_path_factory.mktemp("fresh")) as guest:
        yield Service(guest, wheel.name)


def written(service: Service) -> set[str]:
    """Return the files and links that were written on the machine, but for systemd's own."""
    layer = service.guest.written
    names = {
        str(path.relative_to(layer))
        for path in layer.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    return {name for name in names if not name.startswith(SYSTEMS_OWN)} - BACKUPS


def accounts(service: Service) -> list[str]:
    return sorted(line for name in ACCOUNTS for line in service.guest.read(f"/etc/{name}").split())


def slot(service: Service) -> str:
    return service.guest.run("readlink", "/opt/edge-daemon").stdout.strip()


def test_from_the_first_installation_to_the_last_file(fresh: Service) -> None:
    service, guest = fresh, fresh.guest
    before, users = written(service), accounts(service)

    assert "systemctl enable --now edge-daemon" in service.make("install")
    service.configure()
    service.systemctl("enable", "--now", UNIT)
    service.wait_for("prediction")
    assert (slot(service), service.show("UnitFileState")) == ("edge-daemon.a", "enabled")
    verified = guest.run("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}")
    assert (verified.returncode, verified.stderr) == (0, "")
    checked = guest.run("runuser", "-u", "edge-daemon", "--", "edge-daemon", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr

    # While it runs: the edited configuration and the journal stay, the program is exchanged.
    pid, edited = service.pid, guest.read(CONFIG)
    assert "restarted" in service.make("install")
    assert slot(service) == "edge-daemon.b"
    assert service.restarted(pid)
    second = service.wait_for("start", pid=service.pid)
    command = guest.read(f"/proc/{service.pid}/cmdline")
    assert command.startswith("/opt/edge-daemon.b/bin/python")
    assert guest.read(CONFIG) == edited
    assert [line["reason"] for line in service.lines("stop")] == ["SIGTERM"]
    service.wait_for("prediction", after=second["seq"])

    # Back, with the unit of the version that comes back.
    pid = service.pid
    older = "/opt/edge-daemon.a/share/edge-daemon/edge-daemon.service"
    guest.run("sed", "-i", "s/^Nice=2/Nice=3/", older)
    back = guest.run("/srv/checkout/systemd/install.sh", "--rollback")
    assert back.returncode == 0, back.stderr
    assert slot(service) == "edge-daemon.a"
    assert service.restarted(pid)
    assert service.show("Nice") == "3"
    third = service.wait_for("start", pid=service.pid)
    service.wait_for("prediction", after=third["seq"])
    numbers = [line["seq"] for kind in ("start", "prediction") for line in service.lines(kind)]
    assert len(numbers) == len(set(numbers))

    # Gone, but for what is the operator's; and then that too.
    said = service.make("uninstall")
    assert "kept where they exist" in said
    assert guest.run("systemctl", "cat", UNIT).returncode != 0
    left = written(service) - before
    assert {name for name in left if not name.startswith("etc/edge-daemon/")} == {
        *(f"etc/{name}" for name in ACCOUNTS[:4]),
        f"{JOURNAL.lstrip('/')}/journal.jsonl",
    }
    assert accounts(service) != users
    service.make("uninstall", "PURGE=1")
    assert written(service) - before <= {f"etc/{name}" for name in ACCOUNTS}
    assert accounts(service) == users
    find = ("find", "/etc", "/opt", "/usr/local", "/var", "/run", "-name", "*edge-daemon*")
    assert guest.run(*find).stdout == ""
