"""The service in a guest, as an operator has it: `make install`, systemctl, files."""

import json
from typing import Any

from edge_daemon.journal.reader import read
from tests.systemd import lent
from tests.systemd.guest import Guest, wait_until

UNIT = "edge-daemon.service"
COMMAND = "/usr/local/bin/edge-daemon"
CONFIG = "/etc/edge-daemon/config.yaml"
JOURNAL = "/var/log/edge-daemon"
STATE = "/var/lib/edge-daemon"
PYTHON = "/usr/bin/python3"
"""One that the service's user may run, unlike one below /root."""

PATIENCE_S = 40.0
"""How long anything may take on a busy machine before a test gives up."""

SYNTHETIC = {"video": {"source": "synthetic"}, "audio": {"source": "synthetic"}}

Fields = dict[str, Any]


class Service:
    """The service in a guest.

    Args:
        guest: where; /srv/wheel holds what is installed, and the wheel of `lent`.
        wheel: file name of what is installed.
    """

    def __init__(self, guest: Guest, wheel: str) -> None:
        self.guest = guest
        self._wheel = wheel

    def make(self, target: str, *arguments: str) -> str:
        """Run `make install` or the like as an operator does, and return what it says."""
        pip = f"--no-deps --no-index /srv/wheel/{lent.NAME}"
        settings = (f"WHEEL=/srv/wheel/{self._wheel}", f"PIP_ARGS={pip}", f"PYTHON={PYTHON}")
        done = self.guest.run("env", *settings, "make", "-C", "/srv/checkout", target, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def configure(self, **sections: object) -> None:
        """Write the config: synthetic sources and these sections."""
        self.guest.write(CONFIG, json.dumps({**SYNTHETIC, **sections}))

    def drop_in(self, name: str, text: str) -> None:
        """Change the unit until the next boot."""
        self.guest.write(f"/run/systemd/system/{UNIT}.d/{name}.conf", text)
        self.systemctl("daemon-reload")

    def reset(self) -> None:
        """Stop it and take back what a test has changed."""
        self.guest.run("systemctl", "kill", "--signal=KILL", UNIT)
        self.guest.run("systemctl", "stop", UNIT)
        self.guest.run("systemctl", "reset-failed", UNIT)
        units = [f"{folder}/system/{UNIT}.d" for folder in ("/run/systemd", "/etc/systemd")]
        kept = [JOURNAL, "/var/log/private", STATE, "/var/lib/private/edge-daemon"]
        self.guest.run("rm", "-rf", "/run/systemd/system.control", *units, *kept)
        # The shipped times are for boards; a test need not wait for them.
        self.drop_in("00-quick", "[Service]\nWatchdogSec=3\nRestartSec=200ms\n")
        self.configure()

    def start(self) -> None:
        """Start it; returns once it is ready."""
        started = self.guest.run("systemctl", "start", UNIT)
        assert started.returncode == 0, self.log()

    def systemctl(self, verb: str, *arguments: str) -> str:
        """Run systemctl, which must succeed."""
        done = self.guest.run("systemctl", verb, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def show(self, name: str) -> str:
        """Return a property of the unit."""
        return self.systemctl("show", "-p", name, "--value", UNIT).strip()

    @property
    def pid(self) -> int:
        """The daemon's process, in the guest's numbers; 0 without one."""
        return int(self.show("MainPID"))

    def restarted(self, pid: int) -> bool:
        """Whether it runs as another process than `pid`."""
        return self.show("ActiveState") == "active" and self.pid != pid

    def log(self) -> str:
        """What it and systemd said of it in journald."""
        return self.guest.run("journalctl", "-u", UNIT, "--no-pager").stdout

    def lines(self, event: str) -> list[Fields]:
        """Return the journal's lines of one kind, of all runs since the reset."""
        folder = self.guest.root / JOURNAL.lstrip("/")
        if not folder.is_dir():
            return []
        return [line.fields for line in read(folder) if line.event == event]

    def wait_for(
        self, event: str, *, after: int = -1, within_s: float = PATIENCE_S, **fields: object
    ) -> Fields:
        """Return the first line of a kind, numbered above `after`, whose fields are these."""
        found: list[Fields] = []

        def came() -> bool:
            found[:] = [
                line
                for line in self.lines(event)
                if line["seq"] > after and all(line[name] == fields[name] for name in fields)
            ]
            return bool(found)

        assert wait_until(came, within_s), f"no {event} {fields}:\n{self.log()[-4000:]}"
        return found[0]
