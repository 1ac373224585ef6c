"""Models that have no answer to sound alone, in a running daemon whose camera goes and comes."""

import shutil
from collections.abc import Callable
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.resources import shipped_bundle
from tests.capture.mjpeg import mjpeg_server
from tests.daemon.notified import Notified
from tests.daemon.running import DATA, Fields, lines, of, running, write_config


def needing_a_picture(folder: Path) -> Path:
    """Return a copy of the shipped bundle whose manifest says that its models need a picture."""
    bundle = Path(shutil.copytree(shipped_bundle(), folder / "bundle"))
    manifest = bundle / "bundle.yaml"
    text = manifest.read_text(encoding="utf-8")
    said = text.replace("    inputs:\n", "    inputs:\n      needs_image: true\n")
    assert said.count("needs_image") == 4
    manifest.write_text(said, encoding="utf-8")
    return bundle


def test_without_a_camera_it_waits_and_says_so_and_goes_on_when_it_is_back(
    tmp_path: Path, valid: Callable[[list[Fields]], None]
) -> None:
    with mjpeg_server(30) as camera, Notified(tmp_path / "notify") as systemd:
        config = write_config(
            tmp_path / "config.yaml",
            bundle=str(needing_a_picture(tmp_path)),
            video={"source": "camera", "device": camera.url},
            audio={"source": "synthetic"},
            window={"period_ms": 50},
            capture={"stall_s": 1.0, "retry_first_s": 0.05, "retry_max_s": 0.2},
            governor={"readings": str(DATA / "traces" / "calm.jsonl")},
        )
        with running(config, tmp_path / "journal", environ=systemd.environ) as daemon:
            seen = daemon.wait_for_event("prediction", tier="high", image=True, audio=True)
            camera.mode = "drop"
            lost = daemon.wait_for(
                lambda line: line["event"] == "capture" and line["previous"] == "healthy",
                after=seen["seq"],
            )
            assert lost["source"] == "video"
            waits = daemon.wait_for(
                lambda line: line["event"] == "reading" and line["decision"]["rule"] == "no_input",
                after=lost["seq"],
            )
            assert "waiting for the camera" in waits["decision"]["reason"]
            assert waits["reading"]["picture"] is False
            status = systemd.hear(lambda line: "waiting for" in line and " 0.0 windows/s" in line)
            assert status.startswith("STATUS=tier high (")
            assert status.endswith("audio healthy")
            systemd.hear(lambda line: line == "WATCHDOG=1")  # a restart would not bring it back
            camera.mode = "ok"
            back = daemon.wait_for_event(
                "capture", source="video", state="healthy", after=lost["seq"]
            )
            daemon.wait_for_event(
                "prediction", after=back["seq"] + 5, tier="high", image=True, audio=True
            )
            systemd.hear(lambda line: line.startswith("STATUS=tier high, "))
            assert daemon.stop() == exitcode.OK
    found = lines(tmp_path / "journal")
    valid(found)
    assert all(line["image"] for line in of("prediction", found)), "never by the sound alone"
    assert {line["to"] for line in of("tier_change", found)} == {"high"}, "no tier pays for it"
