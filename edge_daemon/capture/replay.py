"""Files instead of devices: a video or a folder of images, and a sound file, played in step."""

import threading
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.epoch import Epoch
from edge_daemon.capture.labels import Labels, load_labels
from edge_daemon.capture.picture import Pose, Region
from edge_daemon.capture.pictures import TimedPicture, pictures_at
from edge_daemon.capture.sound import BLOCKS_PER_S, SoundFile
from edge_daemon.capture.source import Chunk, EndOfSourceError, Frame, SourceError
from edge_daemon.clock import Clock, monotonic_ns

NS_PER_S = 1_000_000_000


class Timeline(NamedTuple):
    """Where a recording's loops lie in time.

    Loops are counted in whole samples, in integers, so that picture and sound are still in step
    after a year of them.

    Attributes:
        epoch_ns: monotonic time of the recording's first moment.
        rate_hz: samples per second.
        loop_samples: length of a loop: the longer of picture and sound.
        loops: whether it starts again at its end.
    """

    epoch_ns: int
    rate_hz: int
    loop_samples: int
    loops: bool

    def start_ns(self, loop: int) -> int:
        """Return the monotonic time at which a loop starts."""
        return self.epoch_ns + loop * self.loop_samples * NS_PER_S // self.rate_hz

    def sample_ns(self, loop: int, index: int) -> int:
        """Return the monotonic time of a loop's sample."""
        return self.epoch_ns + (loop * self.loop_samples + index) * NS_PER_S // self.rate_hz


class Recording:
    """A recording: picture, sound or both, and what they show.

    Each item is stamped with the recording's start, which is the first `open` of either source,
    plus its place in the recording. Whoever reads it therefore decides on the pace: the feed's
    worker waits for each item's time, lockstep does not.

    Args:
        video: a video file or a folder of images; None for none.
        audio: a WAV or FLAC file; None for none.
        labels: a CSV file with `start_s,label`; None for none.
        rate_hz: pictures per second of a folder of images.
        sample_rate_hz: samples per second wanted.
        loops: whether to start again at the end.
        clock: monotonic nanoseconds.
    """

    def __init__(
        self,
        video: Path | None,
        audio: Path | None,
        *,
        sample_rate_hz: int,
        labels: Path | None = None,
        rate_hz: float = 10.0,
        loops: bool = False,
        clock: Clock = monotonic_ns,
    ) -> None:
        self.video = None if video is None else pictures_at(video, rate_hz)
        self.audio = None if audio is None else SoundFile(audio, sample_rate_hz)
        self.video_name = "" if video is None else video.name
        self.audio_name = "" if audio is None else audio.name
        self._labels = labels
        self._sample_rate_hz = sample_rate_hz
        self._loops = loops
        self._epoch = Epoch(clock)
        self._lock = threading.Lock()
        self._begun: tuple[Timeline, Labels] | None = None

    def begin(self) -> tuple[Timeline, Labels]:
        """Return the times and labels, measured on the first call; raises SourceError."""
        with self._lock:
            if self._begun is None:
                labels = Labels() if self._labels is None else load_labels(self._labels)
                samples = 0 if self.audio is None else self.audio.length()
                if self.video is not None:
                    length_ns = self.video.length_ns()
                    samples = max(samples, -(-length_ns * self._sample_rate_hz // NS_PER_S))
                timeline = Timeline(
                    self._epoch.start_ns(), self._sample_rate_hz, samples, self._loops
                )
                self._begun = timeline, labels
            return self._begun


class ReplayVideo:
    """A recording's pictures. After closing and opening again they go on where they stopped.

    Args:
        recording: shared with the sound.
        rotate_deg: as for a camera.
        region: as for a camera.
    """

    may_repeat = True

    def __init__(
        self, recording: Recording, *, rotate_deg: int = 0, region: Region | None = None
    ) -> None:
        if recording.video is None:
            raise ValueError("the recording has no pictures")
        self.name = f"replay {recording.video_name}"
        self._recording = recording
        self._files = recording.video
        self._pose = Pose(rotate_deg, region)
        self._pictures: Generator[TimedPicture, None, None] | None = None
        self._loop = 0
        self._played = 0  # pictures of this loop
        self._timeline = Timeline(0, 1, 0, False)
        self._labels = Labels()

    def open(self) -> None:
        """Open the files; raises SourceError that names the bad one."""
        self.close()
        self._timeline, self._labels = self._recording.begin()
        self._pictures = self._files.play()
        for _ in range(self._played):
            next(self._pictures, None)

    def read(self) -> Frame:
        """Return the next picture, stamped with the time at which it is due."""
        while self._pictures is not None:
            start_ns = self._timeline.start_ns(self._loop)
            end_ns = self._timeline.start_ns(self._loop + 1)
            for media_ns, image in self._pictures:
                if start_ns + media_ns >= end_ns:
                    self._pictures.close()  # it outlasts what its header says
                    break
                self._played += 1
                label = self._labels.at(media_ns)
                return Frame(self._pose.apply(image), start_ns + media_ns, label)
            if not self._timeline.loops:
                raise EndOfSourceError
            self._loop += 1
            self._played = 0
            self._pictures = self._files.play()
        raise SourceError(f"{self.name} is not open")

    def close(self) -> None:
        """Close the files."""
        pictures, self._pictures = self._pictures, None
        if pictures is not None:
            pictures.close()


class ReplayAudio:
    """A recording's sound, with silence where the pictures last longer.

    After closing and opening again it goes on where it stopped.
    """

    may_repeat = True

    def __init__(self, recording: Recording) -> None:
        if recording.audio is None:
            raise ValueError("the recording has no sound")
        self.name = f"replay {recording.audio_name}"
        self._recording = recording
        self._file = recording.audio
        self._blocks: Generator[NDArray[np.float32], None, None] | None = None
        self._loop = 0
        self._played = 0  # samples of this loop
        self._timeline = Timeline(0, 1, 0, False)

    def open(self) -> None:
        """Open the file; raises SourceError that names it."""
        self.close()
        self._timeline, _ = self._recording.begin()
        self._blocks = self._play()
        skipped = 0
        while skipped < self._played:
            skipped += len(next(self._blocks))

    def read(self) -> Chunk:
        """Return the next sound, stamped with the time of its last sample."""
        if self._blocks is None:
            raise SourceError(f"{self.name} is not open")
        samples = next(self._blocks, None)
        if samples is None:
            if not self._timeline.loops:
                raise EndOfSourceError
            self._loop += 1
            self._played = 0
            self._blocks = self._play()
            samples = next(self._blocks)
        self._played += len(samples)
        return Chunk(samples, self._timeline.sample_ns(self._loop, self._played - 1))

    def close(self) -> None:
        """Close the file."""
        blocks, self._blocks = self._blocks, None
        if blocks is not None:
            blocks.close()

    def _play(self) -> Generator[NDArray[np.float32], None, None]:
        """Yield exactly one loop."""
        left = self._timeline.loop_samples
        for samples in self._file.play():
            yield samples[:left]
            left -= len(samples)
            if left <= 0:
                return
        size = max(1, self._timeline.rate_hz // BLOCKS_PER_S)
        while left > 0:
            yield np.zeros(min(size, left), dtype=np.float32)
            left -= size
