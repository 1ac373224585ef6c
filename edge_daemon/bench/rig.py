"""The daemon's loop with everything that belongs to a window, fed from memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.inputs import Inputs
from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.slot import FrameSlot
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.capture.synthetic import Scene, SyntheticVideo
from edge_daemon.clock import monotonic_ns
from edge_daemon.features.image import shrink, work_px
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.governor import Order
from edge_daemon.inference.bundle import Bundle
from edge_daemon.inference.smoothing import Smoother
from edge_daemon.inference.swap import Swapper
from edge_daemon.journal.events import Event
from edge_daemon.journal.writer import Journal
from edge_daemon.loop import Loop
from edge_daemon.tally import Tally
from edge_daemon.tier import Tier

PERIOD_MS = 100
FRAMES = 8


@dataclass(frozen=True, slots=True)
class Rig:
    """A loop, and what a bench does to it between two windows.

    Attributes:
        loop: the daemon's own.
        swapper: the daemon's own, stepped by the bench.
        journal: on a real disk.
        slot: takes the next frame.
        ring: takes the next sound.
        frames: endless pictures of a scene, uint8 [height, width, 3] BGR as a camera's.
        small: the same as they lie in the slot.
        sounds: endless pieces of its sound, one window period long.
        least_px: how small pictures may be made.
    """

    loop: Loop
    swapper: Swapper[Order]
    journal: Journal
    slot: FrameSlot
    ring: SampleRing
    frames: Iterator[NDArray[np.uint8]]
    small: Iterator[NDArray[np.uint8]]
    sounds: Iterator[Chunk]
    least_px: int

    def feed(self) -> None:
        """Bring a fresh frame and a window period of sound, as the feeds' threads do."""
        now_ns = monotonic_ns()
        self.slot.put(Frame(next(self.small), now_ns))
        self.ring.append(Chunk(next(self.sounds).samples, now_ns))

    def camera_us(self, frames: int = 200) -> float:
        """Return the median time in which the camera's thread makes a frame small."""
        spent_ns = []
        for _ in range(frames):
            image = next(self.frames)
            started_ns = monotonic_ns()
            shrink(image, self.least_px)
            spent_ns.append(monotonic_ns() - started_ns)
        return float(np.median(spent_ns)) / 1e3

    def move_to(self, tier: Tier) -> None:
        """Have the loop adopt a tier."""
        self.ask(tier)
        self.swapper.step()
        self.feed()
        self.loop.step()
        if self.loop.tier is not tier:
            raise RuntimeError(f"{tier} could not be adopted")

    def ask(self, tier: Tier) -> None:
        """Ask the swap for a tier."""
        decision = Decision(tier, self.loop.tier, "", "bench", "asked for by the bench")
        self.swapper.request(tier, Order(tier, decision, None, monotonic_ns()))


@dataclass(frozen=True, slots=True)
class _Observed:
    journal: Journal
    observe: Callable[[Event], None]

    def write(self, event: Event) -> None:
        self.observe(event)
        self.journal.write(event)


@contextmanager
def rig(
    bundle: Bundle,
    directory: Path,
    *,
    width_px: int,
    height_px: int,
    threads: int = 1,
    observe: Callable[[Event], None] = lambda event: None,
) -> Iterator[Rig]:
    """Set up a rig, and take it down again.

    Args:
        bundle: its models.
        directory: where its journal lies.
        width_px: of the camera's pictures.
        height_px: of the camera's pictures.
        threads: of each interpreter.
        observe: sees each event before the journal does.
    """
    rate_hz = bundle.sample_rate_hz or 8000
    scene = Scene(seed=7)
    video = SyntheticVideo(scene, width_px=width_px, height_px=height_px)
    video.open()
    frames = [np.repeat(video.read().image[..., None], 3, axis=2) for _ in range(FRAMES)]
    count = PERIOD_MS * rate_hz // 1000
    rng = np.random.default_rng(7)
    sounds = [
        Chunk(
            scene.sound(index * count, count, rate_hz)
            + rng.normal(0, 0.003, count).astype(np.float32),
            0,
        )
        for index in range(20)
    ]

    def on_fault(tier: Tier, message: str) -> None:
        raise RuntimeError(f"{tier}: {message}")

    journal = Journal(directory)
    journal.start()
    swapper: Swapper[Order] = Swapper(bundle, threads, monotonic_ns, on_fault)
    slot, ring = FrameSlot(), SampleRing(3 * rate_hz, rate_hz)
    loop = Loop(
        inputs=Inputs(slot, ring, 10**10),
        swapper=swapper,
        smoother=Smoother(bundle.labels, 0.6, 0.5),
        journal=_Observed(journal, observe),
        tally=Tally(Tier.CRITICAL, monotonic_ns()),
        clock=monotonic_ns,
    )
    try:
        least_px = work_px(spec.inputs.image for spec in bundle.tiers.values())
        small = [shrink(frame, least_px) for frame in frames]
        yield Rig(
            loop, swapper, journal, slot, ring, cycle(frames), cycle(small), cycle(sounds), least_px
        )
    finally:
        journal.stop()
        swapper.close()
