"""The journal's own rotation under a reader that follows the name, with no logrotate anywhere."""

import json
from pathlib import Path

import pytest

from tests.systemd.guest import wait_until
from tests.systemd.service import JOURNAL, PATIENCE_S, UNIT, Service

SEEN = "/srv/seen.jsonl"

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
    often = "--sleep-interval=0.1 --max-unchanged-stats=1"
    follow = f"exec tail --quiet {often} --lines=+1 -F {JOURNAL}/journal.jsonl >{SEEN}"
    with service.guest.running("sh", "-c", follow):
        service.start()
        assert wait_until(lambda: len(rotated(folder)) >= 2, PATIENCE_S)
        service.systemctl("stop", UNIT)
        seen = service.guest.root / SEEN.lstrip("/")
        assert wait_until(lambda: '"event":"stop"' in seen.read_text(), PATIENCE_S)
    numbers = [json.loads(line)["seq"] for line in seen.read_text().splitlines()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) == sum(len(path.read_text().splitlines()) for path in folder.iterdir())
    assert all(path.stat().st_size <= 2**20 for path in rotated(folder))


def rotated(folder: Path) -> list[Path]:
    """Return the journal's files that are full."""
    return list(folder.glob("journal-*.jsonl"))
