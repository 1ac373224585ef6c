from pathlib import Path

from edge_daemon.config import Config, apply_live, diff, parse_config
from edge_daemon.config.schema import keys


def config(text: str) -> Config:
    return parse_config(text.encode(), Path("/etc/config.yaml"), {"HOME": "/home/pi"})


def test_equal_configurations_do_not_differ() -> None:
    assert diff(config(""), config("log: {level: info}")) == ([], [])


def test_live_changes_are_told_from_those_that_need_a_restart() -> None:
    old = config("")
    new = config(
        "tier: low\nbundle: /mine\nprediction: {threshold: 0.9}\nlog: {level: debug}\n"
        "video: {rate_hz: 30}\njournal: {directory: /data, max_file_mib: 4}\n"
    )
    change = diff(old, new)
    assert change.live == [
        "tier",
        "prediction.threshold",
        "journal.max_file_mib",
        "log.level",
    ]
    assert change.restart == ["bundle", "video.rate_hz", "journal.directory"]


def test_only_live_changes_are_applied() -> None:
    old = config("window: {period_ms: 50}")
    new = config(
        "tier: low\nbundle: /mine\nvideo: {rate_hz: 30}\n"
        "governor: {limits: {cpu: {high_enter: 0.2}}}\n"
    )
    applied = apply_live(old, new)
    assert applied.tier == "low"
    assert applied.window.period_ms == 100
    assert applied.governor.limits.cpu.high_enter == 0.2
    assert applied.bundle == old.bundle
    assert applied.video == old.video
    assert diff(applied, new) == ([], diff(old, new).restart)


def test_what_sighup_can_change() -> None:
    sections = {key.name.partition(".")[0] for key in keys(Config()) if key.live}
    assert sections == {"tier", "window", "prediction", "governor", "journal", "log"}
