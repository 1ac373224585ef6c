"""A virtual board under test: its journal, and its daemon as an operator sees it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.board.machine import Machine

PATIENCE_S = 120.0
"""How long anything may take on an emulated board on a busy machine before a test gives up."""

JOURNAL = "/var/log/edge-daemon/journal.jsonl"

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
        fresh = self.line.check(f"tail --bytes=+{self._bytes + 1} {JOURNAL}")
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
        """Wait until both sources deliver and `high` runs; return the number of the newest line."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.settled:
            assert time.monotonic() < deadline_s, self.show("StatusText")
            time.sleep(0.5)
        return self.mark()

    @property
    def settled(self) -> bool:
        """Whether the service's status says so."""
        status = self.show("StatusText")
        return all(part in status for part in ("tier high", "video healthy", "audio healthy"))

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
