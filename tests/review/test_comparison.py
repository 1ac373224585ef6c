from datetime import UTC

import pytest

from edge_daemon.governor.decision import Decision
from edge_daemon.review.comparison import UNWATCHED_NS, Comparison, compare
from edge_daemon.review.report import SHOWN, report
from edge_daemon.review.rerun import Replayed
from edge_daemon.tier import Tier
from tests.governor.sysroot import seconds

WALL_MS = 1_773_964_795_007
TIERS = {"c": Tier.CRITICAL, "l": Tier.LOW, "m": Tier.MEDIUM, "h": Tier.HIGH, "-": None}


def polls(recorded: str, replayed: str, run: int = 1, every_s: float = 2.0) -> list[Replayed]:
    """Return polls of tiers by their first letters; `-` is not known."""
    found = []
    for number, (was, now) in enumerate(zip(recorded, replayed, strict=True)):
        tier = TIERS[now]
        assert tier is not None
        time_ns = seconds(1000 + number * every_s)
        decision = Decision(tier, tier, "cpu", f"now_{number}", f"reason {number}")
        wall_ms = WALL_MS + round(number * every_s * 1000)
        found.append(Replayed(run, time_ns, wall_ms, TIERS[was], f"was_{number}", decision))
    return found


def text(found: Comparison, **arguments: bool) -> str:
    return "\n".join(report(found, zone=UTC, **arguments))


def test_what_agrees_has_no_differences() -> None:
    found = compare(polls("hhmml", "hhmml"))
    assert (found.polls, found.compared, found.differing, found.differences) == (5, 5, 0, [])
    assert found.watched_s == 8.0
    assert found.recorded == found.replayed
    assert found.recorded.tier_s[Tier.HIGH] == found.recorded.tier_s[Tier.MEDIUM] == 4.0
    assert found.recorded.switches == 2
    assert found.per_hour(found.recorded) == 2 * 3600 / 8
    assert found.longest is None
    assert "none differs from what was recorded" in text(found)


def test_a_stretch_lasts_until_the_next_poll_that_is_no_part_of_it() -> None:
    found = compare(polls("hllmmm", "hhhhlm"))
    first, second, third = found.differences
    assert (first.recorded, first.replayed, first.polls, first.lasts_s) == ("low", "high", 2, 4.0)
    assert (first.rule, first.replayed_rule, first.reason) == ("was_1", "now_1", "reason 1")
    assert (first.time_ns, first.wall_ms) == (seconds(1002), WALL_MS + 2000)
    assert (second.recorded, second.replayed, second.lasts_s) == ("medium", "high", 2.0)
    assert (third.recorded, third.replayed, third.lasts_s) == ("medium", "low", 2.0)
    assert found.longest is first
    assert found.differing == 4
    assert (found.recorded.switches, found.replayed.switches) == (2, 2)


def test_nothing_is_counted_from_one_run_to_the_next() -> None:
    found = compare([*polls("hh", "hl"), *polls("ll", "hl", run=2)])
    assert found.runs == 2
    assert found.watched_s == 4.0
    assert (found.recorded.switches, found.replayed.switches) == (0, 2)
    assert [one.run for one in found.differences] == [1, 2]
    assert [one.lasts_s for one in found.differences] == [0.0, 2.0]
    alike = compare([*polls("h", "l"), *polls("h", "l", run=2)])
    assert [(one.run, one.polls) for one in alike.differences] == [(1, 1), (2, 1)]


@pytest.mark.parametrize(("gap_s", "watched_s"), [(180.0, 180.0), (200.0, 0.0), (-5.0, 0.0)])
def test_a_gap_that_nobody_watched_is_no_time_in_any_tier(gap_s: float, watched_s: float) -> None:
    found = compare(polls("hl", "hh", every_s=gap_s))
    assert found.watched_s == watched_s
    assert found.replayed.tier_s[Tier.HIGH] == watched_s
    assert found.recorded.switches == 1
    assert seconds(180) < UNWATCHED_NS < seconds(200)


def test_a_trace_without_decisions_is_replayed_only() -> None:
    found = compare(polls("----", "hhmm"))
    assert (found.compared, found.differing) == (0, 0)
    assert sum(found.recorded.tier_s.values()) == 0.0
    said = text(found)
    assert "none was recorded to compare with" in said
    assert " recorded " not in said.splitlines()[0]


def test_no_poll_at_all_is_no_division_by_zero() -> None:
    found = compare([])
    assert found.per_hour(found.replayed) == 0.0
    assert "0 decisions" in text(found)


def test_the_report_says_when_what_and_why() -> None:
    said = text(compare(polls("hllmmm", "hhhhlm")))
    assert said.splitlines()[0] == (
        "Thu 19 Mar 23:59:57  for 4.0 s: recorded low (was_1), replayed high (now_1)"
    )
    assert said.splitlines()[1] == "      reason 1"
    assert "6 decisions replayed over 10.0 s: 4 of 6 compared differ (66.7 %), in 3" in said
    assert "the longest of 4.0 s" in said
    assert "switches an hour       720.0     720.0" in said
    assert "time in high          20.0 %    80.0 %" in said


def test_only_the_first_differences_are_shown_unless_all_are_wanted() -> None:
    found = compare(polls("hl" * 60, "ml" * 60))
    assert len(found.differences) == 60
    assert f"… and {60 - SHOWN} more (--all)" in text(found)
    assert text(found).count("recorded high") == SHOWN
    assert text(found, everything=True).count("recorded high") == 60
    assert "--all" not in text(found, everything=True)
