"""Thermal zone and battery hold garbage: bytes, other units, absurd numbers, nothing."""

import itertools

from tools.drills.board import CHARGE, SECTIONS, TEMPERATURE, failing, make_board, overwrite, well
from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 8.0
EVERY_S = 0.1
GARBAGE = (b"\xff\xfe\0\n", b"", b"999999999999999999999\n", b"-274000\n", b"nan\n", b"4 5\n")


def run(stage: Stage) -> Outcome:
    """Write another piece of garbage ten times a second."""
    root = make_board(stage.folder)
    temperature, charge = root / TEMPERATURE, root / CHARGE
    with (
        camera() as source,
        stage.start(source.url, sections=SECTIONS, arguments=["--sysroot", str(root)]) as program,
    ):
        trial = Trial(stage.drill, program, recovered=well, reported=failing)
        program.wait_for(well, 0, 5.0)
        with trial.fault():
            for content in itertools.islice(itertools.cycle(GARBAGE), round(LASTS_S / EVERY_S)):
                overwrite(temperature, content)
                overwrite(charge, content)
                program.go_on(EVERY_S)
            overwrite(temperature, b"45000\n")
            overwrite(charge, b"80\n")
        return trial.end()
