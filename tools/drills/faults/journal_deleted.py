"""Somebody deletes the journal's directory."""

import shutil

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, journal_says

COUNTERPART = True


def run(stage: Stage) -> Outcome:
    """Delete it under the open file; nothing says so but the write that fails or goes nowhere."""
    with camera() as source, stage.start(source.url) as program:
        trial = Trial(
            stage.drill,
            program,
            logged="the disk fails",
            reported=journal_says("no disk for"),
            deleted=True,
        )
        with trial.fault():
            program.follower.look()
            shutil.rmtree(stage.journal)
        if program.is_peer:
            trial.note = "it goes on writing to the deleted file"
        return trial.end()
