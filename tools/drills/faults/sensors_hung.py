"""Reading the thermal zone takes half a minute, as with a driver that waits for its chip."""

from tools.drills.board import SECTIONS, TEMPERATURE, failing, make_board, well
from tools.drills.camera import camera
from tools.drills.injection import injected
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 10.0
HANGS_US = 30_000_000
RESTS_S = 10.0
"""How long the daemon leaves a file alone that hung and answers again."""


def run(stage: Stage) -> Outcome:
    """Let every read of its file wait in the kernel's place."""
    root = make_board(stage.folder)
    effect = f"delay_enter={HANGS_US}"
    with (
        camera() as source,
        stage.start(source.url, sections=SECTIONS, arguments=["--sysroot", str(root)]) as program,
    ):
        trial = Trial(
            stage.drill, program, recovered=well, reported=failing, within_s=RESTS_S + 5.0
        )
        program.wait_for(well, 0, 5.0)
        with trial.fault(), injected(program.process.pid, root / TEMPERATURE, effect):
            program.go_on(LASTS_S)
        return trial.end()
