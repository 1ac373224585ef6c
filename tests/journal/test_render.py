import re
import unicodedata
from datetime import UTC

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.journal.events import Capture, ClockEvent, Event, Fault, Prediction, TierChange
from edge_daemon.journal.line import Stamp
from edge_daemon.journal.render import Renderer
from edge_daemon.tier import Tier
from tests.journal import samples

WALL_NS = 1_773_964_795_007_000_000


def fields(event: Event) -> dict[str, object]:
    _, head, body = Stamp("boot", wall_clock=lambda: WALL_NS)(event)
    return msgspec.json.decode(b"%b%d%b" % (head, 5, body), type=dict[str, object])


def plain(event: Event, width: int = 80) -> list[str]:
    return Renderer(width=width, zone=UTC)(fields(event)).split("\n")


def test_a_prediction_is_one_line() -> None:
    (line,) = plain(samples.EVENTS[1])
    assert line == ("23:59:55.007  high        seven     ✓ █████████░  93% picture sound  38.2 ms")


def test_a_wide_terminal_shows_more_of_it() -> None:
    (line,) = plain(samples.EVENTS[1], 120)
    assert line.endswith("38.2 ms   2.3 ms        3")


@pytest.mark.parametrize(
    ("label", "truth", "mark"),
    [
        ("seven", "seven", "✓"),
        ("seven", "one", "✗"),
        ("unknown", "", "✓"),
        ("unknown", "one", "·"),
        ("seven", None, " "),
    ],
)
def test_a_truth_is_compared(label: str, truth: str | None, mark: str) -> None:
    event = msgspec.structs.replace(samples.prediction(0), label=label, truth=truth)
    assert plain(event)[0][36] == mark


def test_an_unsure_answer_is_shown_as_a_question() -> None:
    event = Prediction(0, Tier.LOW, "unknown", 0.31, "three", image=True, audio=False)
    assert "three?      ███░░░░░░░  31%" in plain(event)[0]


def test_a_tier_change_shows_its_way_and_its_reason() -> None:
    lines = plain(samples.EVENTS[2])
    assert lines[0] == (
        "23:59:55.007  ▼ low       from high: other processes keep 72 % of the cpu busy"
    )
    assert " ".join(line.strip() for line in lines[1:]).endswith(
        "gap 0.2 ms · prepared in 41.2 ms · not up again for 20 s"
    )
    up = TierChange(from_=Tier.LOW, to=Tier.HIGH, resource="cpu", rule="r", reason="calm")
    assert "▲ high" in plain(up)[0]


def test_a_reading_ends_with_the_scarcest_resource() -> None:
    line = fields(samples.EVENTS[3])
    shown = Renderer(width=200, zone=UTC)
    line["decision"] = line["tier"] = None
    assert shown(line).endswith("on battery · under-voltage · headroom 0% (energy)")
    line["headroom"] = {"cpu": 1.0, "memory": 0.4217, "energy": 1.0, "thermal": 0.9}
    assert shown(line).endswith("under-voltage · headroom 42% (memory)")
    line["headroom"] = dict.fromkeys(("cpu", "memory", "energy", "thermal"), 1.0)
    assert shown(line).endswith("under-voltage · headroom 100%")
    del line["headroom"]  # a line of an earlier version
    assert shown(line).endswith("on battery · under-voltage")


def test_a_reading_shows_what_does_not_arrive() -> None:
    line = fields(samples.EVENTS[3])
    assert isinstance(line["reading"], dict)
    line["reading"].update(sound=False, picture=True)
    shown = Renderer(width=200, zone=UTC)(line)
    assert "on battery · no sound · under-voltage" in shown
    assert "picture" not in shown


def test_a_remark_on_a_source_that_works_is_no_change_of_its_state() -> None:
    event = Capture("audio", "microphone", "healthy", "healthy", "digital silence for 60 s: muted?")
    assert plain(event)[0].endswith("audio       healthy: microphone")
    assert plain(event)[1].strip() == "digital silence for 60 s: muted?"
    changed = msgspec.structs.replace(event, previous="stalled")
    assert plain(changed)[0].endswith("audio       healthy, was stalled: microphone")


def test_a_reading_says_why_the_tier_runs_and_what_a_move_up_needs() -> None:
    text = " ".join(line.strip() for line in plain(samples.EVENTS[3]))
    assert "low: foreign CPU load is 72 %, medium begins at 60 %" in text
    assert text.endswith(
        "↑ foreign CPU load is 72 % and must be at most 60 % for medium; distance to the thermal "
        "limit is 8.8 °C and must be at least 10.0 °C for medium"
    )


def test_what_a_move_up_needs_is_not_said_twice() -> None:
    line = fields(samples.EVENTS[3])
    assert isinstance(line["decision"], dict)
    line["decision"]["needs"] = line["decision"]["needs"][:1]
    shown = Renderer(width=200, zone=UTC)(line)
    assert "low: foreign CPU load is 72 %, medium begins at 60 %" in shown
    assert "↑" not in shown
    line["decision"] |= {"next_up_ns": line["decision"]["time_ns"] + 20 * 10**9, "wait_s": 10.0}
    assert Renderer(width=200, zone=UTC)(line).endswith("↑ then 20 s at least")


def test_a_reading_says_what_a_move_up_awaits_and_how_long_it_takes_then() -> None:
    line = fields(samples.EVENTS[3])
    assert isinstance(line["decision"], dict)
    line["decision"] |= {
        "awaits": ["sound arrives", "temperature can be read again"],
        "next_up_ns": line["decision"]["time_ns"] + 20 * 10**9,
        "wait_s": 20.0,
    }
    assert Renderer(width=400, zone=UTC)(line).endswith(
        "and must be at least 10.0 °C for medium; sound arrives; temperature can be read again, "
        "then 20 s at least"
    )
    line["decision"] |= {"awaits": ["medium stays allowed"], "needs": [], "wait_s": 0.0}
    assert "↑" not in Renderer(width=400, zone=UTC)(line)  # the reason has it


def test_a_tier_change_says_what_a_move_up_needs_and_awaits() -> None:
    lines = plain(samples.EVENTS[2], 120)
    assert lines[-2].strip() == "↑ foreign CPU load is 72 % and must be at most 60 % for medium"
    awaits = msgspec.structs.replace(
        samples.EVENTS[2], needs=(), awaits=("sound arrives",), wait_s=10.0
    )
    assert plain(awaits, 120)[-2].strip() == "↑ sound arrives"
    stays = msgspec.structs.replace(samples.EVENTS[2], needs=(), awaits=("high stays allowed",))
    assert "↑" not in "".join(plain(stays, 120))
    nothing = msgspec.structs.replace(samples.EVENTS[2], needs=())
    assert "↑" not in "".join(plain(nothing, 120))


def test_a_need_of_a_later_version_is_left_out() -> None:
    line = fields(samples.EVENTS[3])
    assert isinstance(line["decision"], dict)
    line["decision"]["needs"][0]["quantity"] = "noise"
    shown = Renderer(width=200, zone=UTC)(line)
    assert "↑ distance to the thermal limit is 8.8 °C" in shown
    line["decision"]["needs"][0] = {"tier": "highest"}
    assert "↑" not in Renderer(width=200, zone=UTC)(line)


def test_a_stop_says_how_many_answers_came_again() -> None:
    stop = samples.EVENTS[-1]
    assert "reused" not in "".join(plain(stop))
    again = msgspec.structs.replace(stop, reused=190)
    assert "937800 predictions · 190 of them reused" in "".join(plain(again, 200))


def test_a_stop_says_how_many_windows_were_late() -> None:
    stop = samples.EVENTS[-1]
    assert "late" not in "".join(plain(stop))
    stood = msgspec.structs.replace(stop, late_windows=81, late_max_s=4.05)
    assert "3 swaps · 81 windows late, by 4.05 s at most ·" in "".join(plain(stood, 200))


def test_the_clocks_say_how_long_and_which_way() -> None:
    at = "2026-03-19T23:59:55.007Z"
    slept = ClockEvent("suspend", 28_440.0, "2026-03-19T16:05:55.007Z", at)
    assert [line[14:].strip() for line in plain(slept)] == [
        "clock       the board slept for 7 h 54 min",
        "from 2026-03-19 16:05:55 · to 2026-03-19 23:59:55",
    ]
    ahead = ClockEvent("step", 3.25, "2026-03-19T23:59:51.757Z", at)
    assert "the wall clock was set 3.2 s ahead" in plain(ahead)[0]
    back = ClockEvent("step", -3600.0, "2026-03-20T00:59:55.007Z", at)
    assert "the wall clock was set 1 h 00 min back" in plain(back)[0]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda event: type(event).__name__)
def test_nothing_is_wider_than_the_terminal(event: Event, width: int) -> None:
    if width == 60 and isinstance(event, Prediction):
        return  # its columns are never broken
    for line in plain(event, width):
        assert len(line) <= width
        assert line == line.rstrip()


@pytest.mark.parametrize("event", samples.EVENTS, ids=lambda event: type(event).__name__)
def test_colour_changes_nothing_but_the_colour(event: Event) -> None:
    coloured = Renderer(width=80, colour=True, zone=UTC)(fields(event))
    assert "\x1b[" in coloured
    without = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert [line.rstrip() for line in without.split("\n")] == plain(event)


def test_a_tier_change_stands_out() -> None:
    assert "\x1b[7;33m▼ low     \x1b[0m" in Renderer(colour=True)(fields(samples.EVENTS[2]))


def test_a_message_cannot_drive_the_terminal() -> None:
    event = Fault("x", "\x1b]0;title\x07\rgone \u202e")
    shown = "".join(plain(event))
    assert not any(unicodedata.category(character).startswith("C") for character in shown)
    assert "\\x1b]0;title\\x07" in shown


def test_an_event_of_a_later_version_is_shown_as_it_is() -> None:
    line = {"ts": "2026-03-19T23:59:55.007Z", "event": "eclipse", "seq": 4, "depth": 0.5}
    assert Renderer(zone=UTC)(line) == "23:59:55.007  eclipse     depth=0.5"


def test_the_day_is_the_local_one() -> None:
    renderer = Renderer(zone=UTC)
    assert renderer.day(fields(samples.EVENTS[0])) == "Thursday 19 March 2026"
    assert renderer.day({"ts": "yesterday"}) == ""
    assert len(renderer.heading("Thursday")) == 80


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(data=st.data(), event=st.sampled_from(samples.EVENTS))
def test_no_value_makes_it_raise(data: st.DataObject, event: Event) -> None:
    line = fields(event)
    for key in data.draw(st.lists(st.sampled_from([key for key in line if key != "event"]))):
        line[key] = data.draw(values)
    assert isinstance(Renderer(colour=True)(line), str)
