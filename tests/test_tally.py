from edge_daemon.journal.events import Prediction
from edge_daemon.tally import Tally
from edge_daemon.tier import Tier

SECOND = 1_000_000_000


def prediction(label: str, truth: str | None, cycle_ms: float = 1.0) -> Prediction:
    return Prediction(
        window=0,
        tier=Tier.HIGH,
        label=label,
        confidence=0.9,
        best=label,
        image=True,
        audio=True,
        age_ms=40.0,
        cycle_ms=cycle_ms,
        truth=truth,
    )


def test_time_is_booked_to_the_tier_that_ran() -> None:
    tally = Tally(Tier.CRITICAL, now_ns=10 * SECOND)
    tally.swap(Tier.HIGH, 12 * SECOND, gap_ms=0.02)
    tally.swap(Tier.CRITICAL, 15 * SECOND, gap_ms=0.03)
    stop = tally.stop("SIGTERM", 20 * SECOND, dropped_frames=3, lost_samples=4)
    assert stop.tier_s == {"critical": 7.0, "low": 0.0, "medium": 0.0, "high": 3.0}
    assert (stop.swaps, stop.uptime_s) == (2, 10.0)
    assert (stop.dropped_frames, stop.lost_samples) == (3, 4)


def test_answers_are_scored_against_the_truth_where_there_is_one() -> None:
    tally = Tally(Tier.HIGH, 0)
    tally.prediction(prediction("3", "3"))
    tally.prediction(prediction("4", "3"))
    tally.prediction(prediction("unknown", "3"))
    tally.prediction(prediction("unknown", ""))  # nothing was shown, nothing was claimed
    tally.prediction(prediction("5", None))
    stop = tally.stop("end of replay", SECOND, dropped_frames=0, lost_samples=0)
    assert (stop.predictions, stop.scored, stop.correct) == (5, 4, 2)


def test_latencies_are_percentiles_of_all_windows() -> None:
    tally = Tally(Tier.HIGH, 0)
    for cycle_ms in [1.0] * 98 + [50.0] * 2:
        tally.prediction(prediction("1", None, cycle_ms))
    stop = tally.stop("SIGTERM", SECOND, dropped_frames=0, lost_samples=0)
    assert stop.cycle_p50_ms is not None and 0.98 < stop.cycle_p50_ms < 1.02
    assert stop.cycle_p99_ms is not None and 49 < stop.cycle_p99_ms < 51


def test_windows_that_never_began_are_in_the_summary() -> None:
    stop = Tally(Tier.HIGH, 0).stop(
        "SIGTERM",
        SECOND,
        dropped_frames=0,
        lost_samples=0,
        late_windows=81,
        late_max_ns=4_049_600_000,
    )
    assert (stop.late_windows, stop.late_max_s) == (81, 4.05)


def test_a_run_without_windows_has_no_latencies() -> None:
    stop = Tally(Tier.CRITICAL, 0).stop("SIGINT", SECOND, dropped_frames=0, lost_samples=0)
    assert stop.cycle_p50_ms is None
    assert stop.age_p99_ms is None
