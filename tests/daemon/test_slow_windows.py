"""A daemon that is to look now and then only: its windows are further apart than systemd waits."""

import signal
from pathlib import Path

import pytest

from edge_daemon import exitcode
from tests.daemon.notified import Notified
from tests.daemon.running import lines, of, running, write_config

SELDOM: dict[str, dict[str, object]] = {
    "windows": {"window": {"period_ms": 60_000}, "video": {"source": "synthetic"}},
    "pictures": {"video": {"source": "synthetic", "rate_hz": 0.1}},
}


@pytest.mark.parametrize("what", SELDOM)
def test_what_comes_seldom_feeds_the_watchdog_in_between(what: str, tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.yaml", audio={"source": "none"}, **SELDOM[what])
    journal = tmp_path / "journal"
    with Notified(tmp_path / "notify") as systemd:
        environ = {**systemd.environ, "WATCHDOG_USEC": "3000000"}
        with running(config, journal, environ=environ) as daemon:
            systemd.hear(lambda line: line == "READY=1")
            for _ in range(4):
                systemd.hear(lambda line: line == "WATCHDOG=1")
            assert len(of("prediction", lines(journal))) <= 1
            assert daemon.stop() == exitcode.OK


def test_a_shorter_period_does_not_wait_for_the_end_of_the_long_one(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"

    def look_every(period_ms: int) -> None:
        write_config(
            config,
            video={"source": "synthetic"},
            audio={"source": "none"},
            window={"period_ms": period_ms},
        )

    look_every(60_000)
    with running(config, tmp_path / "journal") as daemon:
        daemon.wait_for_event("capture", state="healthy")
        look_every(100)
        daemon.process.send_signal(signal.SIGHUP)
        reload = daemon.wait_for_event("reload")
        assert reload["applied"] == ["window.period_ms"]
        daemon.wait_for_event("prediction", after=reload["seq"] + 3)
        assert daemon.stop() == exitcode.OK
