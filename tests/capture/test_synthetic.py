import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.capture.synthetic import (
    BURST_S,
    BURST_START_S,
    Scene,
    SyntheticAudio,
    SyntheticVideo,
)
from edge_daemon.clock import VirtualClock

S = 1_000_000_000
RATE_HZ = 8000


def look(scene: Scene, count: int) -> list[Frame]:
    video = SyntheticVideo(scene, rate_hz=10.0)
    video.open()
    frames = [video.read() for _ in range(count)]
    video.close()
    return frames


def listen(scene: Scene, seconds: float) -> tuple[NDArray[np.float32], list[Chunk]]:
    audio = SyntheticAudio(scene, RATE_HZ)
    audio.open()
    chunks = [audio.read() for _ in range(round(50 * seconds))]
    audio.close()
    return np.concatenate([chunk.samples for chunk in chunks]), chunks


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    def run(seed: int) -> tuple[bytes, bytes, list[str | None]]:
        scene = Scene(seed=seed, every_s=0.5, clock=VirtualClock(3 * S))
        frames = look(scene, 20)
        sound, _ = listen(scene, 2.0)
        return (
            b"".join(frame.image.tobytes() for frame in frames),
            sound.tobytes(),
            [frame.label for frame in frames],
        )

    assert run(1) == run(1)
    for mine, theirs in zip(run(1), run(2), strict=True):
        assert mine != theirs


def test_times_count_from_the_shared_start() -> None:
    clock = VirtualClock(3 * S)
    scene = Scene(clock=clock)
    frames = look(scene, 3)
    clock.advance_to(9 * S)  # the microphone opens later, and is in step nonetheless
    _, chunks = listen(scene, 0.1)
    assert [frame.captured_ns for frame in frames] == [3 * S, 3 * S + S // 10, 3 * S + S // 5]
    assert chunks[0].captured_ns == 3 * S + 159 * S // RATE_HZ
    assert chunks[4].captured_ns == 3 * S + 799 * S // RATE_HZ


def test_the_label_changes_every_turn() -> None:
    scene = Scene(labels=("0", "1", "2", "3"), every_s=1.0, seed=5, clock=VirtualClock())
    labels = [frame.label for frame in look(scene, 100)]
    turns = [labels[start : start + 10] for start in range(0, 100, 10)]
    assert all(len(set(turn)) == 1 for turn in turns)
    assert set(labels) == {"0", "1", "2", "3"}


def test_pictures_are_dark_ink_on_bright_paper_with_noise() -> None:
    frames = look(Scene(clock=VirtualClock()), 2)
    image = frames[0].image
    assert image.shape == (240, 320)
    assert image.dtype == np.uint8
    corners = [image[:20, :20], image[-20:, :20], image[:20, -20:], image[-20:, -20:]]
    assert min(corner.mean() for corner in corners) > 120
    ink = np.mean(image < 100)
    assert 0.01 < ink < 0.3
    assert not np.array_equal(frames[0].image, frames[1].image), "a sensor is never quite still"


def test_each_turn_sounds_its_label_s_tone() -> None:
    scene = Scene(every_s=1.0, seed=2, clock=VirtualClock())
    sound, _ = listen(scene, 4.0)
    for turn in range(4):
        start = round((turn + BURST_START_S) * RATE_HZ)
        burst = sound[start : start + round(BURST_S * RATE_HZ)]
        peak_hz = np.argmax(np.abs(np.fft.rfft(burst))) / BURST_S
        assert peak_hz == pytest.approx(scene.tone_hz(turn), abs=2.5)
        pause = sound[start + round(0.5 * RATE_HZ) : start + round(0.85 * RATE_HZ)]
        assert np.abs(pause).max() < 0.05 < np.abs(burst).max()
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize("every_s", [0.0, -1.0])
def test_refuses_turns_without_length(every_s: float) -> None:
    with pytest.raises(ValueError, match="every_s"):
        Scene(every_s=every_s)
