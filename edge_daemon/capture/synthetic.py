"""A camera and a microphone that exist only as arithmetic: drawn digits, and a tone for each."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.epoch import Epoch
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.clock import Clock, monotonic_ns

NS_PER_S = 1_000_000_000
BLOCKS_PER_S = 50
DIGITS = tuple("0123456789")
BURST_START_S = 0.1
BURST_S = 0.4
LOWEST_TONE_HZ = 300.0
TONE_STEP = 2 ** (1 / 3)
"""A third of an octave from one label's tone to the next."""
NOISE = 0.003


class Scene:
    """What there is to see and hear, as a function of the time and a seed.

    Every `every_s` another label is shown, and its tone sounds for 0.4 s. Picture and sound share
    this object, and with it the moment from which they count.

    Args:
        labels: what may be shown.
        every_s: seconds for which one is shown.
        seed: of the order of labels, the handwriting and the noise.
        clock: monotonic nanoseconds.
    """

    def __init__(
        self,
        labels: Sequence[str] = DIGITS,
        *,
        every_s: float = 2.0,
        seed: int = 0,
        clock: Clock = monotonic_ns,
    ) -> None:
        if not labels or every_s <= 0 or seed < 0:
            raise ValueError("a scene needs labels, a positive every_s and a seed of 0 or more")
        self.labels = tuple(labels)
        self.every_s = every_s
        self.seed = seed
        self.epoch = Epoch(clock)

    def turn(self, media_s: float) -> int:
        """Return how many labels have been shown before the present one."""
        return int(media_s / self.every_s)

    def choice(self, turn: int) -> int:
        """Return which label a turn shows, as an index into `labels`."""
        return int(self._random(turn).integers(len(self.labels)))

    def tone_hz(self, turn: int) -> float:
        """Return the frequency of a turn's tone."""
        return LOWEST_TONE_HZ * TONE_STEP ** (self.choice(turn) % 10)

    def picture(self, turn: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
        """Return a turn's label in dark ink on unevenly lit paper: uint8 [height, width]."""
        import cv2

        random = self._random(turn)
        text = self.labels[int(random.integers(len(self.labels)))]
        ink = np.zeros((height_px, width_px), dtype=np.uint8)
        thickness = max(2, height_px // 20)
        font = cv2.FONT_HERSHEY_SIMPLEX
        (text_width, text_height), _ = cv2.getTextSize(text, font, 1.0, 1)
        scale = min(0.6 * height_px / text_height, 0.8 * width_px / text_width)
        shift_px = random.uniform(-0.05, 0.05, size=2) * height_px
        origin = (
            int((width_px - scale * text_width) / 2 + shift_px[0]),
            int((height_px + scale * text_height) / 2 + shift_px[1]),
        )
        cv2.putText(ink, text, origin, font, scale, 255, thickness, cv2.LINE_AA)
        centre = (width_px / 2, height_px / 2)
        turned = cv2.getRotationMatrix2D(centre, float(random.uniform(-10, 10)), 1.0)
        ink = np.asarray(cv2.warpAffine(ink, turned, (width_px, height_px)), dtype=np.uint8)
        across = np.linspace(0, random.uniform(-40, 40), width_px, dtype=np.float32)
        down = np.linspace(0, random.uniform(-40, 40), height_px, dtype=np.float32)[:, None]
        paper = 205 + across + down
        return (paper - ink * np.float32(140 / 255)).clip(0, 255).astype(np.uint8)

    def sound(self, start: int, count: int, rate_hz: int) -> NDArray[np.float32]:
        """Return `count` samples from sample `start`: float32, a faint hiss and the tones."""
        seconds = np.arange(start, start + count) / rate_hz
        turns = (seconds / self.every_s).astype(np.int64)
        samples = self._random(start, 1).normal(0, NOISE, count)
        for turn in range(int(turns[0]), int(turns[-1]) + 1):
            since_s = seconds - turn * self.every_s - BURST_START_S
            # Raised-cosine edges of 10 ms: no clicks.
            edge = np.clip(np.minimum(since_s, BURST_S - since_s) / 0.01, 0, 1)
            tone = np.sin(2 * np.pi * self.tone_hz(turn) * since_s)
            samples += (turns == turn) * 0.5 * (1 - np.cos(np.pi * edge)) * 0.4 * tone
        return samples.astype(np.float32)

    def _random(self, *key: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, *key))


class SyntheticVideo:
    """A camera that looks at a scene; its frames carry the label shown.

    Args:
        scene: shared with the sound.
        width_px: width of the pictures.
        height_px: their height.
        rate_hz: pictures per second.
    """

    name = "synthetic video"
    may_repeat = True

    def __init__(
        self, scene: Scene, *, width_px: int = 320, height_px: int = 240, rate_hz: float = 15.0
    ) -> None:
        if rate_hz <= 0:
            raise ValueError(f"pictures need a positive rate, not {rate_hz} Hz")
        self._scene = scene
        self._rate_hz = rate_hz
        self._number = 0
        self._epoch_ns = 0
        self._picture = lru_cache(2)(lambda turn: scene.picture(turn, width_px, height_px))
        # Sensor noise: one field, seen at another offset each time.
        noise = np.random.default_rng(scene.seed).normal(0, 3, (height_px + 16, width_px + 16))
        self._noise = noise.round().astype(np.int16)

    def open(self) -> None:
        """Start with the scene."""
        self._epoch_ns = self._scene.epoch.start_ns()

    def read(self) -> Frame:
        """Return the next picture, stamped with the time at which it is due."""
        import cv2

        media_s = self._number / self._rate_hz
        turn = self._scene.turn(media_s)
        clean = self._picture(turn)
        height, width = clean.shape
        top, left = self._number % 16, self._number * 5 % 16
        noise = self._noise[top : top + height, left : left + width]
        image = cv2.add(clean, noise, dtype=cv2.CV_8U)
        self._number += 1
        return Frame(
            np.asarray(image, dtype=np.uint8),
            self._epoch_ns + round(media_s * NS_PER_S),
            self._scene.labels[self._scene.choice(turn)],
        )

    def close(self) -> None:
        """Do nothing: there is no device."""


class SyntheticAudio:
    """A microphone that hears a scene.

    Args:
        scene: shared with the pictures.
        rate_hz: samples per second.
    """

    name = "synthetic audio"
    may_repeat = True

    def __init__(self, scene: Scene, rate_hz: int) -> None:
        self._scene = scene
        self._rate_hz = rate_hz
        self._end = 0
        self._epoch_ns = 0

    def open(self) -> None:
        """Start with the scene."""
        self._epoch_ns = self._scene.epoch.start_ns()

    def read(self) -> Chunk:
        """Return the next 20 ms, stamped with the time of their last sample."""
        count = max(1, self._rate_hz // BLOCKS_PER_S)
        samples = self._scene.sound(self._end, count, self._rate_hz)
        self._end += count
        return Chunk(samples, self._epoch_ns + (self._end - 1) * NS_PER_S // self._rate_hz)

    def close(self) -> None:
        """Do nothing: there is no device."""
