"""Neighbours burn every core, twice over."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from tools.drills.camera import camera
from tools.drills.needs import SkipError
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = True
LASTS_S = 8.0
UP_AFTER_S = 1.0

SECTIONS = {
    "governor": {
        "limits": {
            "poll_min_s": 0.5,
            "poll_max_s": 0.5,
            "up_after_s": UP_AFTER_S,
            "ups_per_hour": 3600.0,
            # Bands that only a burner reaches.
            "cpu": {
                "high_enter": 0.86,
                "high_leave": 0.91,
                "medium_enter": 0.87,
                "medium_leave": 0.92,
                "low_enter": 0.88,
                "low_leave": 0.93,
            },
        }
    }
}


def run(stage: Stage) -> Outcome:
    """Start two burners a core, and end them."""
    with (
        camera() as source,
        stage.start(source.url, audio="synthetic", tier="auto", sections=SECTIONS) as program,
    ):
        at_rest = program.wait_for(lambda line: line.says("prediction", tier="high"), 0, 30.0)
        if program.kind == "daemon" and at_rest is None:
            raise SkipError("the machine is too busy to begin with")
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high")
            or (program.is_peer and line.event == "prediction"),
            reported=lambda line: line.says("tier_change", resource="cpu"),
            within_s=5.0 + 3 * UP_AFTER_S,  # one tier after the other
        )
        with trial.fault(), _burners():
            program.go_on(LASTS_S)
        return trial.end()


@contextlib.contextmanager
def _burners() -> Iterator[None]:
    command = [sys.executable, "-S", "-c", "while True: pass"]
    children = [subprocess.Popen(command) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()
