"""The file system of the journal finds an error and turns read-only, until it is repaired."""

from tools.drills.camera import camera
from tools.drills.disk import card
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = True
LASTS_S = 4.0


def run(stage: Stage) -> Outcome:
    """Let ext4 give up as it does on a worn SD card; then unmount, repair and mount it."""
    with (
        camera() as source,
        card(stage.folder) as disk,
        stage.start(source.url, journal=disk.path / "journal") as program,
    ):
        trial = Trial(stage.drill, program, logged="the disk fails")
        with trial.fault():
            disk.give_up()
            program.go_on(LASTS_S)
            disk.unmount()
            disk.mount()
        return trial.end()
