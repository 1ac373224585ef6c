"""The journal's own rotation under a reader that follows the name, with no logrotate anywhere."""

import json
from pathlib import Path
from typing import IO

import pytest

from tests.systemd.guest import wait_until
from tests.systemd.service import JOURNAL, PATIENCE_S, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_reader_that_follows_the_name_gets_every_line(service: Service) -> None:
    folder = service.guest.root / JOURNAL.lstrip("/")
    clip = "/srv/checkout/edge_daemon/demo/clip"
    service.configure(
        video={"source": "replay"},
        audio={"source": "replay"},
        # As fast as it goes: hundreds of lines a second instead of ten.
        replay={
            "video": f"{clip}/video.avi",
            "audio": f"{clip}/audio.flac",
            "pace": "lockstep",
            "loop": True,
        },
        journal={"max_file_mib": 1},
    )
    service.guest.run("install", "-d", "-o", "edge-daemon", "-g", "edge-daemon", JOURNAL)
    # On an overlay tail looks, instead of being told; and seldom, by default.
    often = ("--sleep-interval=0.1", "--max-unchanged-stats=1")
    follower = ("tail", "--quiet", *often, "--lines=+1", "-F", f"{JOURNAL}/journal.jsonl")
    with service.guest.running(*follower) as shown:
        seen = _collect(service, shown, folder)
    numbers = [json.loads(line)["seq"] for line in seen]
    assert numbers == list(range(len(numbers)))
    files = sorted(folder.glob("journal-*.jsonl"))
    assert len(files) >= 2
    assert all(file.stat().st_size <= 2**20 for file in files)


def _collect(service: Service, shown: IO[str], folder: Path) -> list[str]:
    """Run until two files are full, and return what the reader saw up to the last line."""
    service.start()
    assert wait_until(lambda: len(list(folder.glob("journal-*.jsonl"))) >= 2, PATIENCE_S)
    service.systemctl("stop", UNIT)
    seen: list[str] = []
    for line in shown:
        seen.append(line)
        if '"event":"stop"' in line:
            return seen
    raise AssertionError("the reader ended before the last line")
