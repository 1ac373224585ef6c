"""What `explain` says, from the newest lines of a journal and clocks of the test's."""

from datetime import UTC
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_daemon.governor.arrival import NO_SOUND
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.margin import Margin
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import ReadingEvent, Start, Stop, TierChange
from edge_daemon.journal.reader import newest_first
from edge_daemon.review.explanation import Explanation, explanation, sentences
from edge_daemon.review.present import Clocks, NothingToExplainError, present
from edge_daemon.tier import Tier
from tests.governor.sysroot import seconds
from tests.journal import samples
from tests.review.test_opening import BOOT_S, Pages

WALL_S = 1_773_964_795.0  # Thursday 19 March 2026, 23:59:55 UTC, at mono 0
NEED = Margin(Tier.MEDIUM, "foreign_load", 0.66, 0.6, 0.7)
BUSY = "foreign CPU load is 72 %, at or above the 70 % where medium ends"
HOLDS = Decision(
    Tier.LOW,
    Tier.LOW,
    "cpu",
    "cpu_holds",
    "foreign CPU load is 66 %, medium begins at 60 %",
    next_up_ns=seconds(20),
    needs=(NEED,),
    wait_s=20.0,
)
NEEDS = "A move up needs: foreign CPU load is 66 % and must be at most 60 % for medium."
START = samples.EVENTS[0]
assert isinstance(START, Start)
START = replace(START, tier=Tier.CRITICAL)


def reading(at_s: float, tier: Tier, decision: Decision | None, **fields: object) -> ReadingEvent:
    time_ns = seconds(at_s + BOOT_S) - 40_000  # a reading is a little older than its line
    if decision is not None:
        wait_ns = decision.next_up_ns
        up_ns = None if wait_ns is None else time_ns + wait_ns
        decision = replace(decision, time_ns=time_ns, next_up_ns=up_ns)
    found = replace(Reading(time_ns, cpu_foreign=0.66), **fields)
    return ReadingEvent(tier, found, Headroom(0.22, 1.0, 1.0, 0.81), decision)


def change(
    at_s: float, before: Tier, after: Tier, reason: str = BUSY, rule: str = "cpu_limit"
) -> TierChange:
    return TierChange(
        from_=before,
        to=after,
        resource="cpu",
        rule=rule,
        reason=reason,
        reading=Reading(seconds(at_s + BOOT_S) - 100_000_000),
        decided_mono_ns=seconds(at_s) - 99_000_000,
        next_change_s=40.0,
    )


def told(
    directory: Path, at_s: float, *, boot_id: str = "one", slept_s: float = 0.0
) -> tuple[Explanation, list[str]]:
    """Return the explanation, as data and as sentences, at a time of the monotonic clock."""
    now_s = WALL_S + at_s + slept_s
    clocks = Clocks(now_s, seconds(at_s), seconds(at_s + BOOT_S + slept_s), boot_id)
    found = explanation(present(newest_first(directory)), clocks, silent_s=100.0)
    return found, list(sentences(found, now_s, UTC))


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    made = Pages(tmp_path)
    made.at(10, START)
    return made


def test_a_tier_that_was_driven_down_and_is_held_there(pages: Pages, tmp_path: Path) -> None:
    pages.at(20, reading(20, Tier.MEDIUM, None))
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(222, reading(222, Tier.LOW, HOLDS))
    pages.at(225, samples.prediction(4))
    pages.close()
    found, text = told(tmp_path, 230)
    assert text == [
        f"low since 00:00:25 (3 min 20 s), moved down from medium: {BUSY}.",
        f"{NEEDS} Earliest, if that came true now and stayed so: 00:04:05, in 20 s.",
        "As of 8 s ago. Headroom by the published bands: cpu 22 %, memory 100 %, energy 100 %, "
        "thermal 81 %.",
    ]
    assert (found.life, found.tier, found.wanted) == ("running", Tier.LOW, Tier.LOW)
    assert found.age_s == pytest.approx(5.0, abs=0.01)
    assert found.next_up_s == pytest.approx(WALL_S + 250, abs=0.01)
    assert found.change is not None
    assert found.change.from_ is Tier.MEDIUM


def test_what_has_not_come_true_has_its_wait_before_it_still(pages: Pages, tmp_path: Path) -> None:
    """The newest reading may be a minute old: the wait cannot have begun by then."""
    rationed = replace(HOLDS, next_up_ns=seconds(60))
    pages.at(35, reading(35, Tier.LOW, rationed))
    pages.close()
    for at_s, left_s in ((40, 55.0), (74, 21.0), (80, 20.0), (134, 20.0)):
        found, _ = told(tmp_path, at_s)
        assert found.next_up_in_s == pytest.approx(left_s, abs=0.01)
        assert found.next_up_s == pytest.approx(WALL_S + at_s + left_s, abs=0.01)


def test_a_move_up_in_sight_is_told_with_its_time(pages: Pages, tmp_path: Path) -> None:
    waits = Decision(
        Tier.LOW,
        Tier.LOW,
        "cpu",
        "waiting",
        "medium is allowed, 25 s to wait: 2 moves up did not last",
        next_up_ns=seconds(25),
        awaits=("medium stays allowed",),
    )
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, waits))
    pages.close()
    found, text = told(tmp_path, 60)
    assert text[1] == (
        "Now: medium is allowed, 25 s to wait: 2 moves up did not last (rule waiting)."
    )
    assert text[2] == "Earliest move up: 00:01:09, in 15 s, if medium stays allowed."
    assert found.next_up_in_s == pytest.approx(15.0, abs=0.01)
    assert found.next_up_s == pytest.approx(WALL_S + 75, abs=0.01)
    assert told(tmp_path, 80)[1][2] == "Earliest move up: now, if medium stays allowed."


def test_what_a_move_up_waits_for_is_told_beside_what_it_needs(
    pages: Pages, tmp_path: Path
) -> None:
    lost = replace(HOLDS, rule="unknown", reason="temperature is not known: EIO")
    awaits = ("temperature can be read again", "sound arrives")
    pages.at(30, reading(30, Tier.LOW, replace(lost, awaits=awaits, needs=())))
    pages.at(50, reading(50, Tier.LOW, replace(lost, awaits=awaits)))
    pages.close()
    waits = "waits until temperature can be read again and sound arrives."
    then = "Earliest, if that came true now and stayed so: 00:01:05, in 20 s."
    assert told(tmp_path, 50)[1][1:3] == [
        "Now: temperature is not known: EIO (rule unknown).",
        f"{NEEDS} It also {waits} {then}",
    ]


@pytest.mark.parametrize("wait_s", [0.0, 20.0])
def test_what_a_move_up_waits_for_is_told_alone(
    pages: Pages, tmp_path: Path, wait_s: float
) -> None:
    silent = Decision(
        Tier.LOW,
        Tier.LOW,
        "sound",
        "no_sound",
        NO_SOUND,
        next_up_ns=seconds(wait_s),
        awaits=("sound arrives",),
        wait_s=wait_s,
    )
    pages.at(30, reading(30, Tier.LOW, silent))
    pages.close()
    assert told(tmp_path, 50)[1][2] == (
        "A move up waits until sound arrives. Earliest, if that came true now and stayed so: "
        "00:01:05, in 20 s."
        if wait_s
        else "Earliest move up: now, if sound arrives."
    )


def test_a_line_of_an_earlier_version_is_told_without_a_time(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, reading(30, Tier.LOW, replace(HOLDS, next_up_ns=None, wait_s=0.0)))
    pages.close()
    found, text = told(tmp_path, 50)
    assert (found.next_up_s, text[1]) == (None, NEEDS)


def test_time_asleep_counts_for_the_tier_but_not_as_silence(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    found, _ = told(tmp_path, 60, slept_s=7200)
    assert found.for_s == pytest.approx(7230, abs=0.01)
    assert found.read_s == pytest.approx(7210, abs=0.2)
    assert found.life == "running"
    assert found.age_s == pytest.approx(10.0)


def test_a_wall_clock_that_jumped_changes_no_duration(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    clocks = Clocks(WALL_S + 1e7, seconds(60), seconds(60 + BOOT_S), "one")
    found = explanation(present(newest_first(tmp_path)), clocks, 100.0)
    assert found.for_s == pytest.approx(30.0, abs=0.2)
    assert found.life == "running"


def test_a_tier_that_is_asked_for_and_not_ready(pages: Pages, tmp_path: Path) -> None:
    pages.at(20, change(20, Tier.CRITICAL, Tier.HIGH, "every resource lets it in", "start"))
    down = Decision(Tier.LOW, Tier.HIGH, "cpu", "cpu_limit", BUSY, needs=(NEED,))
    pages.at(30, reading(30, Tier.LOW, down))
    pages.close()
    found, text = told(tmp_path, 31)
    assert (found.tier, found.wanted) == (Tier.HIGH, Tier.LOW)
    assert text[0] == "high since 00:00:15 (11 s), where it started: every resource lets it in."
    assert text[1] == "low has been asked for and is being prepared."
    assert text[2] == f"Now: {BUSY} (rule cpu_limit)."


def test_a_reading_older_than_the_change_asks_for_nothing(pages: Pages, tmp_path: Path) -> None:
    pages.at(20, reading(20, Tier.HIGH, None))
    pages.at(30, change(30, Tier.HIGH, Tier.LOW))
    pages.close()
    found, _ = told(tmp_path, 31)
    assert (found.tier, found.wanted, found.pinned) == (Tier.LOW, Tier.LOW, False)


def test_a_change_later_than_the_newest_reading_says_what_a_move_up_takes(
    pages: Pages, tmp_path: Path
) -> None:
    pending = Decision(Tier.HIGH, Tier.HIGH, "cpu", "cpu_pending", f"{BUSY}: reading 1 of 2")
    pages.at(29, reading(29, Tier.HIGH, pending))
    pages.at(30, replace(change(30, Tier.HIGH, Tier.LOW), needs=(NEED,), wait_s=40.0))
    pages.close()
    found, text = told(tmp_path, 31)
    assert text[1] == f"{NEEDS} Earliest, if that came true now and stayed so: 00:01:06, in 40 s."
    assert found.decision is not None
    assert (found.decision.tier, found.decision.rule) == (Tier.LOW, "cpu_limit")
    pages.at(30.5, reading(30.5, Tier.LOW, HOLDS))
    pages.close()
    assert told(tmp_path, 31)[0].next_up_in_s == pytest.approx(20.0)


def test_at_the_top_there_is_nothing_to_need(pages: Pages, tmp_path: Path) -> None:
    pages.at(20, change(20, Tier.MEDIUM, Tier.HIGH, "high has been allowed", "recovered"))
    top = Decision(Tier.HIGH, Tier.HIGH, "", "top", "nothing asks for less than high")
    pages.at(30, reading(30, Tier.HIGH, top))
    pages.close()
    _, text = told(tmp_path, 31)
    assert text[0].endswith("moved up from medium: high has been allowed.")
    assert text[1] == "Now: nothing asks for less than high (rule top)."
    assert len(text) == 3


@pytest.mark.parametrize("how", ["start", "change", "reload"])
def test_a_pinned_tier(tmp_path: Path, how: str) -> None:
    pages = Pages(tmp_path)
    pages.at(10, replace(START, pinned=how == "start"))
    tier = Tier.CRITICAL if how == "start" else Tier.LOW
    if how != "start":
        rule = "pinned" if how == "change" else "cpu_limit"
        pages.at(20, change(20, Tier.CRITICAL, Tier.LOW, "low is pinned", rule))
    pages.at(30, reading(30, tier, None))
    pages.close()
    found, text = told(tmp_path, 31)
    assert found.pinned
    assert text[0].endswith(", pinned by the configuration or the command line.")
    assert text[0].startswith(f"{tier} since ")
    assert len(text) == 2


def test_what_cannot_be_read_and_what_is_not_there(pages: Pages, tmp_path: Path) -> None:
    event = reading(
        20,
        Tier.CRITICAL,
        None,
        failed={"temperature": "EIO"},
        throttled=("under-voltage", "throttled"),
        absent=("battery",),
    )
    pages.at(20, event)
    pages.close()
    found, text = told(tmp_path, 21)
    assert not found.pinned
    assert text[:4] == [
        "critical since 00:00:05 (11 s), the tier that it began in.",
        "Cannot be read: temperature: EIO.",
        "The firmware reports under-voltage and throttled.",
        "Not on this board, and so no constraint: battery.",
    ]


def test_what_does_not_arrive_is_said_once(pages: Pages, tmp_path: Path) -> None:
    pages.at(20, reading(20, Tier.LOW, HOLDS, sound=False, picture=True))
    silent = Decision(Tier.LOW, Tier.LOW, "sound", "no_sound", NO_SOUND)
    pages.at(30, reading(30, Tier.LOW, silent, sound=False))
    pages.close()
    _, text = told(tmp_path, 31)
    assert f"Now: {NO_SOUND} (rule no_sound)." in text
    assert "No sound arrives." not in text


@pytest.mark.parametrize("gone", ["sound", "picture"])
def test_what_does_not_arrive_is_said_where_something_else_binds(
    pages: Pages, tmp_path: Path, gone: str
) -> None:
    pages.at(20, reading(20, Tier.LOW, HOLDS, **{"sound": True, "picture": True, gone: False}))
    pages.close()
    _, text = told(tmp_path, 21)
    assert [line for line in text if "arrives" in line] == [f"No {gone} arrives."]


def test_a_daemon_that_stopped(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.at(90, Stop("SIGTERM", 80, 0, 0, 0, 0, 0, {}, 0, 0))
    pages.close()
    found, text = told(tmp_path, 690)
    assert found.life == "stopped"
    assert text[0].startswith("low ran since 00:00:25 (1 min 00 s until then), moved down")
    assert text[1] == NEEDS  # with no time: nothing waits any more
    assert text[-1].startswith("The daemon stopped at 00:01:25, 10 min 00 s ago: SIGTERM. Headroom")


def test_a_daemon_that_fell_silent(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    assert told(tmp_path, 149)[0].life == "running"
    found, text = told(tmp_path, 151)
    assert found.life == "silent"
    assert text[-1].startswith("The daemon has written nothing for 1 min 41 s: it was killed")


def test_lines_of_another_boot_are_no_sign_of_life(pages: Pages, tmp_path: Path) -> None:
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    found, _ = told(tmp_path, 51, boot_id="two")
    assert found.life == "silent"
    assert found.age_s == pytest.approx(1.0)


def test_a_run_in_lockstep_is_dated_by_the_wall_clock(tmp_path: Path) -> None:
    """Its clock begins at 0, whatever the real one says."""
    pages = Pages(tmp_path, ahead_s=0.0)
    pages.at(0.1, START)
    pages.reading(0.2, Tier.HIGH, "start")
    pages.at(20, Stop("end of replay", 20, 0, 0, 0, 0, 0, {}, 0, 0))
    pages.close()
    clocks = Clocks(WALL_S + 50, seconds(9_000_000), seconds(9_000_000), "one")
    found = explanation(present(newest_first(tmp_path)), clocks, 100.0)
    assert found.life == "stopped"
    assert found.age_s == pytest.approx(30.0)


def test_only_the_newest_run_is_explained(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.at(60, Stop("SIGTERM", 50, 0, 0, 0, 0, 0, {}, 0, 0))
    pages.at(70, START)
    pages.close()
    found, text = told(tmp_path, 75)
    assert (found.life, found.tier, found.change) == ("running", Tier.CRITICAL, None)
    assert text == ["critical since 00:01:05 (5 s), the tier that it began in.", ""][:1] + text[1:]
    other = Pages(tmp_path, "two")
    other.at(3, samples.prediction(1))
    other.close()
    with pytest.raises(NothingToExplainError):
        told(tmp_path, 5, boot_id="two")


def test_a_run_whose_start_is_gone_is_explained_by_what_is_left(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    found, text = told(tmp_path, 55)
    assert found.tier is Tier.LOW
    assert found.since_s == pytest.approx(WALL_S + 50)
    assert text[0].startswith("low since 00:00:45")


def test_no_more_is_read_than_is_needed(pages: Pages, tmp_path: Path) -> None:
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(50, reading(50, Tier.LOW, HOLDS))
    pages.close()
    lines = newest_first(tmp_path)
    present(lines)
    assert next(lines).event == "start"


def test_a_date_is_told_unless_it_is_todays(pages: Pages, tmp_path: Path) -> None:
    pages.clock.advance_to(0)
    pages.at(30, change(30, Tier.MEDIUM, Tier.LOW))
    pages.at(200_000, reading(200_000, Tier.LOW, HOLDS))
    pages.close()
    assert told(tmp_path, 200_001)[1][0].startswith("low since Fri 20 Mar 00:00:25 (55 h 32 min)")


@pytest.mark.parametrize("text", ["", '{"seq":1,"event":"eclipse","boot_id":"x","mono_ns":1}\n'])
def test_nothing_to_explain(tmp_path: Path, text: str) -> None:
    (tmp_path / "journal.jsonl").write_text(text)
    with pytest.raises(NothingToExplainError, match="which tier runs"):
        present(newest_first(tmp_path))
