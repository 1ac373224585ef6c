"""The file system of the journal finds an error and turns read-only, until it is repaired."""

from tools.drills.camera import camera
from tools.drills.disk import card
from tools.drills.outcome import Outcome
from tools.drills.stage import PERIOD_S, Stage
from tools.drills.trial import Trial, journal_says

COUNTERPART = True
LASTS_S = 4.0
KEPT_AFTER_S = 5.0
"""How long ext4 keeps what was written from the medium (commit=5); what it held is lost."""


def run(stage: Stage) -> Outcome:
    """Let ext4 give up as it does on a worn SD card; then unmount, repair and mount it."""
    with (
        camera() as source,
        card(stage.folder) as disk,
        stage.start(source.url, journal=disk.path / "journal") as program,
    ):
        trial = Trial(
            stage.drill,
            program,
            logged="the disk fails",
            reported=journal_says("no disk for"),
            silence_s=None,  # the lost lines are answers; the loop's own count remains
            lines_lost=round(1.5 * KEPT_AFTER_S / PERIOD_S),
        )
        with trial.fault():
            disk.give_up()
            program.go_on(LASTS_S)
            disk.unmount()
            disk.mount()
        if program.kind == "daemon":
            trial.note = (
                "ext4 had not brought the lost lines to the medium; the journal counts them"
            )
        return trial.end()
