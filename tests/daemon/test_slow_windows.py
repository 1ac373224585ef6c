"""A daemon that is to look now and then only: its windows are further apart than systemd waits."""

import signal
from pathlib import Path

from edge_daemon import exitcode
from tests.daemon.notified import Notified
from tests.daemon.running import lines, of, running, write_config


def test_windows_a_minute_apart_feed_the_watchdog_in_between(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"

    def look_every(period_ms: int) -> None:
        write_config(
            config,
            video={"source": "synthetic"},
            audio={"source": "synthetic"},
            window={"period_ms": period_ms},
        )

    look_every(60_000)
    journal = tmp_path / "journal"
    with Notified(tmp_path / "notify") as systemd:
        environ = {**systemd.environ, "WATCHDOG_USEC": "3000000"}
        with running(config, journal, environ=environ) as daemon:
            systemd.hear(lambda line: line == "READY=1")
            for _ in range(4):
                systemd.hear(lambda line: line == "WATCHDOG=1")
            assert len(of("prediction", lines(journal))) <= 1
            # A shorter period does not wait for the end of the long one.
            look_every(100)
            daemon.process.send_signal(signal.SIGHUP)
            reload = daemon.wait_for_event("reload")
            assert reload["applied"] == ["window.period_ms"]
            daemon.wait_for_event("prediction", after=reload["seq"] + 3)
            assert daemon.stop() == exitcode.OK
