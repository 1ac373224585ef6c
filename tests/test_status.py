from edge_daemon.governor.decision import Decision
from edge_daemon.status import Status
from edge_daemon.tier import Tier

SECOND_NS = 1_000_000_000
LOW = Decision(Tier.LOW, Tier.LOW, "cpu", "cpu_holds", "foreign CPU load is 72 %")
HIGH = Decision(Tier.HIGH, Tier.HIGH, "", "top", "nothing is scarce")


def text(status: Status, at_s: float, windows: int, **changed: object) -> str:
    values: dict[str, object] = {
        "tier": Tier.LOW,
        "pinned": False,
        "decision": LOW,
        "feeds": {"video": "healthy", "audio": "reconnecting"},
        "disk": None,
        **changed,
    }
    return status.text(round(at_s * SECOND_NS), windows=windows, **values)  # type: ignore[arg-type]


def test_it_says_what_runs_and_why_and_how_fast() -> None:
    status = Status(10 * SECOND_NS)
    assert text(status, 12.0, 20) == (
        "tier low (foreign CPU load is 72 %), 10.0 windows/s, video healthy, audio reconnecting"
    )


def test_the_rate_is_that_since_the_last_line() -> None:
    status = Status(0)
    text(status, 2.0, 40)
    assert "5.0 windows/s" in text(status, 4.0, 50)
    assert "0.0 windows/s" in text(status, 6.0, 50)


def test_it_is_due_every_two_seconds() -> None:
    status = Status(0)
    assert not status.due(SECOND_NS)
    assert status.due(2 * SECOND_NS)
    text(status, 3.0, 1)
    assert not status.due(4 * SECOND_NS)
    assert status.due(5 * SECOND_NS)


def test_the_highest_tier_and_a_pinned_one_need_no_reason() -> None:
    assert text(Status(0), 1.0, 0, tier=Tier.HIGH, decision=HIGH).startswith("tier high, ")
    assert text(Status(0), 1.0, 0, pinned=True).startswith("tier low (pinned), ")
    assert text(Status(0), 1.0, 0, decision=None).startswith("tier low, ")


def test_a_tier_that_is_not_ready_yet_is_not_what_runs() -> None:
    assert text(Status(0), 1.0, 0, tier=Tier.CRITICAL).startswith(
        "tier critical (low is wanted and not ready yet), "
    )


def test_the_highest_tier_too_says_that_it_waits() -> None:
    waits = Decision(Tier.HIGH, Tier.HIGH, "", "no_input", "waiting for the camera")
    assert text(Status(0), 1.0, 0, tier=Tier.HIGH, decision=waits).startswith(
        "tier high (waiting for the camera), 0.0 windows/s"
    )


def test_a_disk_that_fails_is_named() -> None:
    shown = text(Status(0), 1.0, 0, disk="[Errno 28] No space left on device")
    assert shown.endswith("audio reconnecting, journal waits: [Errno 28] No space left on device")
