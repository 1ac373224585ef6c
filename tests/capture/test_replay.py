import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from edge_daemon.capture.feed import Feed
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.picture import Region
from edge_daemon.capture.replay import Recording, ReplayAudio, ReplayVideo
from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Chunk, EndOfSourceError, Frame, SourceError
from edge_daemon.clock import VirtualClock, monotonic_ns

S = 1_000_000_000
MODEL_HZ = 8000


def write_video(path: Path, values: Sequence[int], rate_hz: float = 10.0) -> Path:
    """A video whose frames are flat greys."""
    code = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), code, rate_hz, (64, 48))
    assert writer.isOpened()
    for value in values:
        writer.write(np.full((48, 64, 3), value, dtype=np.uint8))
    writer.release()
    return path


def write_images(directory: Path, values: Sequence[int]) -> Path:
    directory.mkdir()
    for number, value in enumerate(values):
        image = np.full((48, 64, 3), value, dtype=np.uint8)
        assert cv2.imwrite(str(directory / f"{number:04d}.png"), image)
    (directory / "notes.txt").write_text("not an image")
    return directory


def tone(frequency_hz: float, rate_hz: int, seconds: float) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def write_sound(path: Path, seconds: float, rate_hz: int = 44_100, channels: int = 2) -> Path:
    mono = tone(440, rate_hz, seconds)
    soundfile.write(path, np.repeat(mono[:, None], channels, axis=1), rate_hz)
    return path


def frames_of(video: ReplayVideo, limit: int = 1000) -> list[Frame]:
    video.open()
    frames: list[Frame] = []
    try:
        while len(frames) < limit:
            frames.append(video.read())
    except EndOfSourceError:
        pass
    video.close()
    return frames


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4"])
def test_a_video_has_its_times(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, range(20, 220, 20))
    recording = Recording(path, None, sample_rate_hz=MODEL_HZ, clock=VirtualClock(5 * S))
    frames = frames_of(ReplayVideo(recording))
    assert [frame.captured_ns for frame in frames] == [5 * S + n * S // 10 for n in range(10)]
    greys = [float(frame.image.mean()) for frame in frames]
    assert greys == pytest.approx(list(range(20, 220, 20)), abs=4)


def test_a_folder_is_played_by_name_at_its_rate(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [10, 20, 30])
    recording = Recording(folder, None, sample_rate_hz=MODEL_HZ, rate_hz=4.0, clock=VirtualClock())
    frames = frames_of(ReplayVideo(recording))
    assert [frame.captured_ns for frame in frames] == [0, S // 4, S // 2]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10, 20, 30]
    assert frames[0].image.shape == (48, 64, 3)


def test_rotation_and_region_apply_as_to_a_camera(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [10])
    recording = Recording(folder, None, sample_rate_hz=MODEL_HZ)
    video = ReplayVideo(recording, rotate_deg=90, region=Region(0, 0, 0.5, 0.25))
    assert frames_of(video)[0].image.shape == (16, 24, 3)


@pytest.mark.parametrize("name", ["clip.wav", "clip.flac"])
def test_sound_is_resampled_mixed_down_and_timed(tmp_path: Path, name: str) -> None:
    path = write_sound(tmp_path / name, 1.0)
    audio = ReplayAudio(Recording(None, path, sample_rate_hz=MODEL_HZ, clock=VirtualClock(7 * S)))
    audio.open()
    samples: list[float] = []
    with pytest.raises(EndOfSourceError):
        while True:
            chunk = audio.read()
            samples += chunk.samples.tolist()
            assert chunk.samples.dtype == np.float32
            assert 0 < len(chunk.samples) <= 201
            assert chunk.captured_ns == 7 * S + (len(samples) - 1) * S // MODEL_HZ
    audio.close()
    assert len(samples) == MODEL_HZ
    expected = tone(440, MODEL_HZ, 1.0)
    np.testing.assert_allclose(samples[400:-400], expected[400:-400], atol=2e-3)


def test_picture_and_sound_stay_in_step_over_loops(tmp_path: Path) -> None:
    video_path = write_video(tmp_path / "clip.avi", [40, 120, 200])  # 0.3 s
    audio_path = write_sound(tmp_path / "clip.wav", 0.7531, rate_hz=11_025, channels=1)
    recording = Recording(
        video_path, audio_path, sample_rate_hz=11_025, loops=True, clock=VirtualClock()
    )
    video, audio = ReplayVideo(recording), ReplayAudio(recording)
    loop_samples = round(0.7531 * 11_025)
    frames = frames_of(video, limit=3 * 200)
    starts = [frame.captured_ns for frame in frames[::3]]
    assert starts == [loop * loop_samples * S // 11_025 for loop in range(200)]
    assert frames[-1].captured_ns == starts[-1] + 2 * S // 10
    audio.open()
    heard = 0
    while heard < 3 * loop_samples:
        chunk = audio.read()
        heard += len(chunk.samples)
        assert chunk.captured_ns == (heard - 1) * S // 11_025
    assert heard == 3 * loop_samples, "a loop ends with a chunk"


def test_the_shorter_sound_is_followed_by_silence(tmp_path: Path) -> None:
    video_path = write_video(tmp_path / "clip.avi", [40] * 10)  # 1 s
    audio_path = write_sound(tmp_path / "clip.wav", 0.4)
    recording = Recording(
        video_path, audio_path, sample_rate_hz=MODEL_HZ, loops=True, clock=VirtualClock()
    )
    audio = ReplayAudio(recording)
    audio.open()
    ring = SampleRing(4 * MODEL_HZ, MODEL_HZ)
    while ring.end < 2 * MODEL_HZ:
        ring.append(audio.read())
    audio.close()
    samples, _ = ring.since(0)
    assert ring.end == 2 * MODEL_HZ
    assert np.abs(samples[3000:8000]).max() < np.abs(samples[:3200]).max()
    assert not samples[3300:8000].any()
    np.testing.assert_allclose(samples[:8000], samples[8000:], atol=1e-6)


def test_labels_follow_the_media_time_in_every_loop(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [10, 20, 30, 40])
    labels = tmp_path / "labels.csv"
    labels.write_text("start_s,label\n0.25,seven\n0.75,\n")
    recording = Recording(
        folder, None, sample_rate_hz=MODEL_HZ, labels=labels, rate_hz=4.0, loops=True,
        clock=VirtualClock(),
    )  # fmt: skip
    frames = frames_of(ReplayVideo(recording), limit=8)
    assert [frame.label for frame in frames] == 2 * [None, "seven", "seven", ""]


def test_goes_on_where_it_stopped_after_reopening(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [10, 20, 30])
    sound = write_sound(tmp_path / "clip.wav", 0.3)
    recording = Recording(folder, sound, sample_rate_hz=MODEL_HZ, clock=VirtualClock())
    video, audio = ReplayVideo(recording), ReplayAudio(recording)
    video.open()
    first = video.read()
    video.close()
    assert [frame.captured_ns for frame in [first, *frames_of(video)]] == [0, S // 10, S // 5]
    audio.open()
    heard = len(audio.read().samples)
    audio.close()
    audio.open()
    chunk = audio.read()
    assert chunk.captured_ns == (heard + len(chunk.samples) - 1) * S // MODEL_HZ


def lockstep(directory: Path) -> str:
    """Play two loops and a half as fast as possible; return a hash of all that came through."""
    clock = VirtualClock()
    recording = Recording(
        directory / "clip.avi", directory / "clip.flac", sample_rate_hz=MODEL_HZ, loops=True,
        clock=clock,
    )  # fmt: skip
    digest = hashlib.sha256()

    def see(frame: Frame) -> None:
        digest.update(frame.captured_ns.to_bytes(8, "little") + frame.image.tobytes())

    def hear(chunk: Chunk) -> None:
        digest.update(chunk.captured_ns.to_bytes(8, "little") + chunk.samples.tobytes())

    def ignore(event: object) -> None:
        pass

    video = Feed(
        "video", ReplayVideo(recording), see, liveness=Liveness(), clock=clock, on_change=ignore
    )
    audio = Feed(
        "audio", ReplayAudio(recording), hear, liveness=Liveness(), clock=clock, on_change=ignore
    )
    for step in range(26):
        clock.advance_to(step * S // 10)
        assert video.pump(clock())
        assert audio.pump(clock())
    assert video.counts.items == 26
    video.close()
    audio.close()
    return digest.hexdigest()


def test_two_lockstep_runs_are_equal(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", range(20, 220, 20))
    write_sound(tmp_path / "clip.flac", 0.9)
    assert lockstep(tmp_path) == lockstep(tmp_path)


def test_in_real_time_nothing_comes_before_its_time(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", [10, 20, 30])
    sound = write_sound(tmp_path / "clip.wav", 0.1)
    recording = Recording(folder, sound, sample_rate_hz=MODEL_HZ, rate_hz=25.0)
    early: list[int] = []
    states: list[str] = []

    def note(item: Frame | Chunk) -> None:
        early.append(item.captured_ns - monotonic_ns())

    feeds: list[Feed[Frame] | Feed[Chunk]] = [
        Feed("video", ReplayVideo(recording), note, liveness=Liveness(), clock=monotonic_ns,
             on_change=lambda event: states.append(event.state)),
        Feed("audio", ReplayAudio(recording), note, liveness=Liveness(), clock=monotonic_ns,
             on_change=lambda event: states.append(event.state)),
    ]  # fmt: skip
    threads = [threading.Thread(target=feed.run, args=(threading.Event(),)) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(early) > 3
    assert max(early) <= 0
    assert sorted(states) == ["ended", "ended", "healthy", "healthy"]
    assert all(feed.state is State.ENDED for feed in feeds)


def test_bad_files_are_named(tmp_path: Path) -> None:
    torn = tmp_path / "torn.avi"
    torn.write_bytes(b"RIFF nonsense")
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"not a sound")
    empty = tmp_path / "empty"
    empty.mkdir()
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "0.png").write_bytes(b"not a picture")
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(0), 8000)
    for path in (torn, empty, odd, tmp_path / "none.mp4"):
        video = ReplayVideo(Recording(path, None, sample_rate_hz=MODEL_HZ))
        with pytest.raises(SourceError, match=path.name):
            video.open()
            video.read()
    for path in (noise, silent, tmp_path / "none.wav"):
        audio = ReplayAudio(Recording(None, path, sample_rate_hz=MODEL_HZ))
        with pytest.raises(SourceError, match=path.name):
            audio.open()


def test_each_part_wants_its_file(tmp_path: Path) -> None:
    recording = Recording(None, None, sample_rate_hz=MODEL_HZ)
    with pytest.raises(ValueError, match="no pictures"):
        ReplayVideo(recording)
    with pytest.raises(ValueError, match="no sound"):
        ReplayAudio(recording)
