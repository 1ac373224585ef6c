"""The disk of the journal is full for a while."""

from tools.drills.camera import camera
from tools.drills.disk import small_disk
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, journal_says

COUNTERPART = True
LASTS_S = 6.0


def run(stage: Stage) -> Outcome:
    """Fill it to the last byte, and make room again."""
    with (
        camera() as source,
        small_disk(stage.folder, 512) as disk,
        stage.start(source.url, journal=disk.path / "journal") as program,
    ):
        trial = Trial(
            stage.drill,
            program,
            logged="the disk fails",
            reported=journal_says("no disk for"),
        )
        with trial.fault():
            filler = disk.fill()
            program.go_on(LASTS_S)
            filler.unlink()
        return trial.end()
