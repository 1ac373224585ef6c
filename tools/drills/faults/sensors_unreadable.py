"""Reading the thermal zone gives EIO, as a driver does whose bus fails."""

from tools.drills.board import SECTIONS, TEMPERATURE, failing, make_board, well
from tools.drills.camera import camera
from tools.drills.injection import injected
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 8.0


def run(stage: Stage) -> Outcome:
    """Let every read of its file fail in the kernel's place."""
    root = make_board(stage.folder)
    with (
        camera() as source,
        stage.start(source.url, sections=SECTIONS, arguments=["--sysroot", str(root)]) as program,
    ):
        trial = Trial(stage.drill, program, recovered=well, reported=failing)
        program.wait_for(well, 0, 5.0)
        with trial.fault(), injected(program.process.pid, root / TEMPERATURE, "error=EIO"):
            program.go_on(LASTS_S)
        return trial.end()
