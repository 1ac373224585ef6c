"""The disk of the journal is full for longer than the journal's buffer lasts."""

from tools.drills.camera import camera
from tools.drills.disk import small_disk
from tools.drills.outcome import Outcome
from tools.drills.stage import PERIOD_S, Stage
from tools.drills.trial import Trial, answered, journal_says

COUNTERPART = True
LASTS_S = 8.0
BUFFER_LINES = 64
"""What the config asks for; the rest of the time's lines are lost, and counted."""


def run(stage: Stage) -> Outcome:
    """Fill it to the last byte, and compare what is lost with what the journal says is."""
    with (
        camera() as source,
        small_disk(stage.folder, 512) as disk,
        stage.start(
            source.url,
            journal=disk.path / "journal",
            sections={"journal": {"buffer_lines": BUFFER_LINES}},
        ) as program,
    ):
        trial = Trial(
            stage.drill,
            program,
            counted=answered,
            logged="the disk fails",
            reported=journal_says("no disk for"),
            silence_s=None,  # the lost lines are answers; the loop's own count remains
            lines_lost=round(1.2 * (LASTS_S + 5.0) / PERIOD_S),
        )
        with trial.fault():
            filler = disk.fill()
            program.go_on(LASTS_S)
            filler.unlink()
        if program.kind == "daemon":
            trial.note = "the windows are those of the lost lines"
        return trial.end()
