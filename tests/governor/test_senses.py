from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from edge_daemon.governor.governor import Governor, Order
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.script import ScriptedProbes, read_trace
from edge_daemon.governor.senses import Senses
from edge_daemon.journal.events import Event, ReadingEvent
from edge_daemon.tier import Tier

READING = Reading(time_ns=1, cpu_foreign=0.2)


@pytest.mark.parametrize("sound", [None, True, False])
@pytest.mark.parametrize("picture", [None, True, False])
def test_a_reading_is_told_what_arrives(sound: bool | None, picture: bool | None) -> None:
    found = Senses(lambda: sound, lambda: picture).complete(READING)
    assert (found.sound, found.picture) == (sound, picture)
    assert msgspec.structs.replace(found, sound=None, picture=None) == READING
    again = msgspec.json.decode(msgspec.json.encode(found), type=Reading)
    assert again == found


def test_a_trace_may_say_it(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text('{"at_s": 0, "sound": false}\n{"at_s": 1, "picture": true}\n')
    now_ns = 0
    probes = ScriptedProbes(read_trace(path), lambda: now_ns)
    assert (probes.read().sound, probes.read().picture) == (False, None)
    now_ns = 2_000_000_000
    assert (probes.read().sound, probes.read().picture) == (False, True)


class Desk:
    """Swap, journal and clock of a governor."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.asked: list[tuple[Tier, str]] = []
        self.readings: list[ReadingEvent] = []

    def request(self, tier: Tier, order: Order) -> None:
        self.asked.append((tier, order.decision.rule))

    def write(self, event: Event) -> None:
        assert isinstance(event, ReadingEvent)
        self.readings.append(event)


def test_the_governor_asks_at_every_poll_and_journals_a_change_within_seconds() -> None:
    desk = Desk()
    heard: bool | None = None
    trace = Path(__file__).resolve().parents[1] / "data/traces/calm.jsonl"
    governor = Governor(
        ScriptedProbes(read_trace(trace), lambda: desk.now_ns),
        Limits(),
        desk,
        desk,
        clock=lambda: desk.now_ns,
        senses=Senses(lambda: heard, lambda: True),
    )

    def poll(times: int) -> None:
        for _ in range(times):
            desk.now_ns += 1_000_000_000
            governor.poll()

    poll(10)
    heard = False
    poll(6)
    heard = True
    poll(25)
    assert desk.asked == [
        (Tier.HIGH, "start"),
        (Tier.LOW, "no_sound"),
        (Tier.MEDIUM, "recovered"),
        (Tier.HIGH, "recovered"),
    ]
    told = [event.reading.sound for event in desk.readings]
    assert [sound for sound, _ in groupby(told)] == [None, False, True]
    assert all(event.reading.picture for event in desk.readings)
