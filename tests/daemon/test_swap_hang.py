"""A model whose file cannot be read for now, in a running daemon whose governor wants that tier."""

import shutil
import signal
from pathlib import Path

import pytest

from edge_daemon import exitcode
from edge_daemon.inference.swap_watch import HANG_S
from edge_daemon.resources import shipped_bundle
from tests.daemon.notified import Notified
from tests.daemon.running import DATA, PATIENCE_S, Fields, Running, lines, of, running, write_config
from tests.inference.leased import Lease, leased


def run_the_tier_that_was_journalled(found: list[Fields]) -> None:
    """Check that each prediction is of the tier that was last taken over."""
    tier = found[0]["tier"]
    for line in found:
        if line["event"] == "tier_change":
            assert line["from"] == tier
            tier = line["to"]
        if line["event"] == "prediction":
            assert line["tier"] == tier


def wait_until_read(lease: Lease, daemon: Running) -> None:
    """Wait until the daemon tries to read the file, which hangs from then on."""
    seq = -1
    while not lease.asked_for:
        seq = daemon.wait_for_event("prediction", after=seq)["seq"]


@pytest.mark.slow
def test_a_model_that_cannot_be_read_costs_its_tier_and_nothing_else(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(shipped_bundle(), tmp_path / "bundle"))
    config = tmp_path / "config.yaml"

    def configure(**tier: str) -> None:
        write_config(
            config,
            bundle=str(bundle),
            video={"source": "synthetic"},
            audio={"source": "synthetic"},
            window={"period_ms": 50},
            governor={
                "readings": str(DATA / "traces" / "calm.jsonl"),
                "limits": {"poll_min_s": 0.1, "poll_max_s": 0.1, "up_after_s": 0.2},
            },
            **tier,
        )

    configure(tier="low")
    with (
        Notified(tmp_path / "notify") as systemd,
        running(config, tmp_path / "journal", environ=systemd.environ) as daemon,
    ):
        daemon.wait_for_event("prediction", tier="low")
        with leased(bundle / "medium.tflite") as medium:
            configure()
            daemon.process.send_signal(signal.SIGHUP)  # the governor may choose now
            wait_until_read(medium, daemon)
            # It has asked for the tier after that by now, which waits for the same thread.
            systemd.hear(lambda line: "tier low (high is wanted and not ready yet)" in line)
            # Down to `critical` at once, whatever hangs.
            configure(tier="critical")
            daemon.process.send_signal(signal.SIGHUP)
            down = daemon.wait_for_event("tier_change", to="critical")
            daemon.wait_for_event("prediction", after=down["seq"], tier="critical")
            assert of("fault", lines(tmp_path / "journal")) == []
            configure()
            daemon.process.send_signal(signal.SIGHUP)
            fault = daemon.wait_for_event("fault", after=down["seq"], within_s=HANG_S + PATIENCE_S)
            assert fault["part"] == "swap"
            assert fault["message"].startswith("medium is not ready after 30 s")
            assert f"{bundle}/medium.tflite" in fault["message"]
            # A fresh thread prepares what can be read, while the other still hangs.
            up = daemon.wait_for_event("tier_change", after=fault["seq"], to="high")
            daemon.wait_for_event("prediction", after=up["seq"], tier="high")
        assert daemon.stop() == exitcode.OK
    found = lines(tmp_path / "journal")
    run_the_tier_that_was_journalled(found)
    assert len(of("fault", found)) == 1
    assert "left behind:" not in daemon.log.read_text()
