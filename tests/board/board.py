"""A virtual board under test: its journal, and its daemon as an operator sees it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tools.board.machine import Machine

PATIENCE_S = 120.0
"""How long anything may take on an emulated board on a busy machine before a test gives up."""

JOURNAL = "/var/log/edge-daemon/journal.jsonl"
CONFIG = "/etc/edge-daemon/config.yaml"

Fields = dict[str, Any]


class Board:
    """A machine with the daemon as its service.

    Args:
        machine: under way.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.line = machine.line
        self._lines: list[Fields] = []
        self._bytes = 0

    def lines(self) -> list[Fields]:
        """Return all lines of the journal so far; one that is no JSON fails the test."""
        missing = f"[ ! -e {JOURNAL} ]"  # not before the daemon's first start
        fresh = self.line.check(f"{missing} || tail --bytes=+{self._bytes + 1} {JOURNAL}")
        whole = fresh[: fresh.rfind("\n") + 1]
        self._bytes += len(whole.encode())
        self._lines += [json.loads(line) for line in whole.splitlines()]
        return self._lines

    def mark(self) -> int:
        """Return the number of the newest line."""
        return int(self.lines()[-1]["seq"])

    def wait_for(
        self, event: str, wanted: Callable[[Fields], object] = bool, *, after: int = -1
    ) -> Fields:
        """Return the first line of a kind above a number for which `wanted` holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for line in self.lines():
                if line["seq"] > after and line["event"] == event and wanted(line):
                    return line
            time.sleep(0.2)
        ends = "\n".join(json.dumps(line)[:300] for line in self._lines[-8:])
        log = self.line.run("journalctl --unit edge-daemon --lines 20 --no-pager").output
        raise AssertionError(f"no such {event} line; the journal ends:\n{ends}\nlog:\n{log}")

    def wait_for_sight(self, *, after: int) -> Fields:
        """Return the first prediction above a number that a picture took part in."""
        return self.wait_for("prediction", lambda line: line["image"], after=after)

    def wait_for_hearing(self, *, after: int) -> Fields:
        """Return the first prediction above a number that a sound took part in."""
        return self.wait_for("prediction", lambda line: line["audio"], after=after)

    def wait_for_tier(self, tier: str, *, after: int) -> Fields:
        """Return the change to a tier."""
        return self.wait_for("tier_change", lambda line: line["to"] == tier, after=after)

    def wait_for_source(self, source: str, *states: str, after: int) -> Fields:
        """Return the line that says that a source is in one of some states."""
        return self.wait_for(
            "capture",
            lambda line: line["source"] == source and line["state"] in states,
            after=after,
        )

    def settle(self) -> int:
        """Wait until `high` sees and hears from now on; return the number of the newest line.

        It goes by the journal: what the service says of its state may be seconds old.
        """
        self.wait_for(
            "prediction",
            lambda line: line["tier"] == "high" and line["image"] and line["audio"],
            after=self.mark(),
        )
        return self.mark()

    def configure(self, section: str, **values: object) -> Fields:
        """Change a section of the configuration; return the daemon's new `start` line."""
        config = yaml.safe_load(self.line.check(f"cat {CONFIG}"))
        config[section] |= values
        self.line.write(CONFIG, yaml.safe_dump(config))
        return self.restart()

    def drop_in(self, name: str, text: str) -> None:
        """Add to the service's unit, until the board is gone."""
        directory = "/run/systemd/system/edge-daemon.service.d"
        self.line.check(f"mkdir -p {directory}")
        self.line.write(f"{directory}/{name}.conf", text)
        self.line.check("systemctl daemon-reload")

    def restart(self) -> Fields:
        """Start the service anew; return the daemon's `start` line."""
        mark = self.mark()
        log = "journalctl --unit edge-daemon --lines 20 --no-pager"
        self.line.check(f"systemctl restart edge-daemon || {{ {log}; false; }}", PATIENCE_S)
        return self.wait_for("start", after=mark)

    def process(self) -> Fields:
        """Return what the kernel says of the daemon's process, by the names of its lines."""
        status = self.line.check(f"cat /proc/{self.show('MainPID')}/status")
        return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    def sensors(self, **values: int) -> None:
        """Set what the board's own sensors say: `temperature_mc=83000`, `mains=0`, ..."""
        for name, value in values.items():
            self.line.write(f"/sys/module/board_sensors/parameters/{name}", str(value))

    def show(self, name: str) -> str:
        """Return a property of the service."""
        return self.line.check(f"systemctl show --property {name} --value edge-daemon").strip()

    def save_journal(self, directory: Path) -> None:
        """Copy the journal's text to a directory here."""
        text = self.line.check(f"cat {JOURNAL}")
        (directory / "journal.jsonl").write_text(text, encoding="utf-8")
