"""A model's file is written anew, sound and broken in turn, while tiers come and go."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
SWAPS = 20
EVERY_S = 0.25
SECTIONS = {"governor": {"limits": {"poll_min_s": 0.1, "poll_max_s": 0.1}}}
"""A pin is seen at the next poll."""


def run(stage: Stage) -> Outcome:
    """Ask for `high` and `low` in turn; each load finds the file in some state of being written."""
    bundle = stage.bundle()
    high = bundle / "high.tflite"
    with (
        camera() as source,
        stage.start(source.url, tier="low", bundle=bundle, sections=SECTIONS) as program,
    ):
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high"),
            reported=lambda line: line.says("fault", part="swap"),
        )
        with trial.fault():
            with _rewriting(high):
                for number in range(SWAPS):
                    tier = "low" if number % 2 else "high"
                    stage.write_config(
                        source.url, "none", tier=tier, bundle=bundle, sections=SECTIONS
                    )
                    program.process.send_signal(signal.SIGHUP)
                    program.go_on(EVERY_S)
            stage.write_config(source.url, "none", tier="high", bundle=bundle, sections=SECTIONS)
            program.process.send_signal(signal.SIGHUP)
        return trial.end()


@contextlib.contextmanager
def _rewriting(file: Path) -> Iterator[None]:
    """Write a file in place, over and over: broken, then sound; sound at the end."""
    sound = file.read_bytes()
    broken = bytes(len(sound) // 3) + sound[len(sound) // 3 :]
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.002):
            file.write_bytes(broken)
            stop.wait(0.002)
            file.write_bytes(sound)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
        file.write_bytes(sound)
