"""The daemon on a network camera and a microphone that PortAudio knows, both with faults."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_daemon import exitcode
from edge_daemon.cli import main
from edge_daemon.demo import CLIP
from tests.capture.mjpeg import Show, mjpeg_server
from tests.capture.pulse import PulseServer, pulse_server
from tests.capture.test_hang import film
from tests.daemon.running import (
    DATA,
    STANDSTILL_S,
    Fields,
    lines,
    longest_gap_s,
    of,
    running,
    write_config,
)


@pytest.fixture(scope="module")
def shown() -> Show:
    """The clip's pictures that show its first digit, with a camera's noise: none equals another."""
    capture = cv2.VideoCapture(str(CLIP.video))
    pictures: list[np.ndarray] = []
    while (read := capture.read())[0] and len(pictures) < 30:
        pictures.append(read[1])
    capture.release()
    pictures = pictures[10:28]  # 0.7 s to 1.9 s

    def show(number: int) -> np.ndarray:
        image = pictures[number % len(pictures)]
        noise = np.random.default_rng(number).integers(-3, 4, image.shape, dtype=np.int16)
        noisy: np.ndarray = np.clip(image + noise, 0, 255).astype(np.uint8)
        return noisy

    return show


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[PulseServer]:
    runtime = tmp_path / "pulse"
    runtime.mkdir()
    with pulse_server(runtime) as server:
        yield server


def config_for(folder: Path, url: str, audio: str, limits: dict[str, float] | None = None) -> Path:
    return write_config(
        folder / "config.yaml",
        video={"source": "camera", "device": url},
        audio={"source": audio},
        window={"period_ms": 50},
        capture={"stall_s": 1.0, "retry_first_s": 0.05, "retry_max_s": 0.5},
        governor={"readings": str(DATA / "traces" / "calm.jsonl"), "limits": limits or {}},
    )


def test_a_camera_that_freezes_repeats_itself_and_comes_back(
    tmp_path: Path, shown: Show, valid: Callable[[list[Fields]], None]
) -> None:
    with mjpeg_server(30, shown) as camera:
        config = config_for(tmp_path, camera.url, "none")
        with running(config, tmp_path / "journal") as daemon:
            seen = daemon.wait_for_event("prediction", label="4")
            for mode in ("stall", "repeat", "drop"):
                camera.mode = mode
                lost = daemon.wait_for(
                    lambda line: line["event"] == "capture"
                    and line["previous"] == "healthy"
                    and line["state"] in ("stalled", "reconnecting"),
                    after=seen["seq"],
                )
                camera.mode = "ok"
                back = daemon.wait_for_event("capture", after=lost["seq"], state="healthy")
                assert back["detail"].startswith("recovered after")
                seen = daemon.wait_for_event("prediction", after=back["seq"], label="4")
            assert daemon.stop() == exitcode.OK
    found = lines(tmp_path / "journal")
    valid(found)
    assert of("capture", found)[-1]["reconnects"] >= 1  # stalls end by themselves


def test_a_camera_whose_driver_wedges_comes_back_without_a_restart(
    tmp_path: Path, valid: Callable[[list[Fields]], None]
) -> None:
    pipe = tmp_path / "camera.y4m"
    os.mkfifo(pipe)
    config = config_for(tmp_path, f"file://{pipe}", "none")  # FFmpeg's file protocol has no timeout
    with film(pipe) as first, running(config, tmp_path / "journal") as daemon:
        seen = daemon.wait_for_event("prediction")
        first.send_signal(signal.SIGSTOP)
        daemon.wait_for(
            lambda line: line["event"] == "capture" and "left behind" in line["detail"],
            after=seen["seq"],
        )
        daemon.process.send_signal(signal.SIGHUP)
        alive = daemon.wait_for_event("reload", after=seen["seq"])  # nothing else hangs
        # The new attempt hangs as well: nobody but the stopped program writes into the pipe.
        first.kill()
        with film(pipe):
            back = daemon.wait_for_event("capture", after=alive["seq"], state="healthy")
            assert "recovered after" in back["detail"]
            daemon.wait_for_event("prediction", after=back["seq"])
            assert daemon.stop() == exitcode.OK
    valid(lines(tmp_path / "journal"))


@pytest.mark.pulseaudio
def test_it_sees_and_hears_and_goes_on_seeing_when_the_sound_dies(
    tmp_path: Path, shown: Show, pulse: PulseServer
) -> None:
    with mjpeg_server(30, shown) as camera:
        config = config_for(tmp_path, camera.url, "microphone")
        journal = tmp_path / "journal"
        with running(config, journal, environ=pulse.environment) as daemon:
            daemon.wait_for_event("capture", source="audio", state="healthy")
            player = pulse.play(CLIP.audio)
            both = daemon.wait_for_event("prediction", image=True, audio=True)
            assert both["skew_ms"] is not None
            assert both["tier"] == "high"
            player.kill()
            player.wait()
            pulse.kill()
            lost = daemon.wait_for_event(
                "capture", after=both["seq"], source="audio", previous="healthy"
            )
            later = daemon.wait_for_event(
                "prediction", after=lost["seq"] + 20, image=True, audio=False
            )
            pulse.start()
            back = daemon.wait_for_event(
                "capture", after=later["seq"], source="audio", state="healthy"
            )
            assert back["reconnects"] >= 1
            assert daemon.stop() == exitcode.OK
    found = lines(journal)
    predictions = of("prediction", found)
    assert [line["window"] for line in predictions] == list(range(len(predictions)))
    seen = [line for line in predictions if line["image"] and line["seq"] >= both["seq"]]
    assert longest_gap_s(seen) <= STANDSTILL_S  # seeing never stopped
    assert of("stop", found)[0]["late_max_s"] <= STANDSTILL_S


@pytest.mark.pulseaudio
def test_it_goes_on_with_what_is_left_and_takes_back_what_returns(
    tmp_path: Path,
    shown: Show,
    pulse: PulseServer,
    valid: Callable[[list[Fields]], None],
) -> None:
    journal, record = tmp_path / "journal", tmp_path / "readings.jsonl"
    arguments = ("--record", record)
    limits = {"poll_min_s": 0.1, "poll_max_s": 0.1, "up_after_s": 0.5}
    with mjpeg_server(30, shown) as camera:
        config = config_for(tmp_path, camera.url, "microphone", limits)
        with running(config, journal, *arguments, environ=pulse.environment) as daemon:

            def moved(to: str, rule: str, after: Fields) -> Fields:
                change = daemon.wait_for_event("tier_change", after=after["seq"], to=to)
                assert change["rule"] == rule, change
                return change

            def predicted(after: Fields, **fields: Any) -> Fields:
                return daemon.wait_for_event("prediction", after=after["seq"] + 5, **fields)

            def lost(kind: str, after: Fields) -> Fields:
                return daemon.wait_for_event(
                    "capture", after=after["seq"], source=kind, previous="healthy"
                )

            hears = daemon.wait_for_event("capture", source="audio", state="healthy")
            whole = predicted(hears, tier="high", image=True)

            pulse.kill()
            deaf = moved("low", "no_sound", whole)
            assert deaf["resource"] == "sound"
            seen = predicted(deaf, tier="low", image=True)
            pulse.start()
            partial = moved("medium", "recovered", seen)
            assert partial["reason"].endswith("sound arrives again")
            again = moved("high", "recovered", partial)

            camera.mode = "drop"
            heard = predicted(lost("video", again), image=False)
            assert heard["tier"] == "high"
            pulse.kill()
            nothing = daemon.wait_for(
                lambda line: line["event"] == "reading" and line["decision"]["rule"] == "no_input",
                after=heard["seq"],
            )
            assert nothing["tier"] == "high"

            camera.mode = "ok"
            deaf = moved("low", "no_sound", nothing)
            seen = predicted(deaf, tier="low", image=True)
            camera.mode = "drop"
            nothing = lost("video", seen)
            pulse.start()
            hears = moved("medium", "no_picture", nothing)
            assert hears["reason"].startswith("no picture arrives, and low does not listen; medium")
            last = moved("high", "recovered", hears)
            camera.mode = "ok"
            back = daemon.wait_for_event(
                "capture", after=last["seq"], source="video", state="healthy"
            )
            predicted(back, tier="high", image=True)
            assert daemon.stop() == exitcode.OK
    found = lines(journal)
    valid(found)
    numbers = [line["window"] for line in of("prediction", found)]
    assert numbers == list(range(len(numbers)))
    assert of("stop", found)[0]["late_max_s"] <= STANDSTILL_S  # nor when there was nothing to cut
    changes = [line for line in of("tier_change", found) if line["seq"] > whole["seq"]]
    assert {line["resource"] for line in changes} == {"sound", "picture"}
    assert main(["replay-governor", str(record), "--check"]) == exitcode.OK
