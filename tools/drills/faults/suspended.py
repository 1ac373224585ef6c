"""The board sleeps for an hour: the program stands still, and its clocks go on.

A real suspend would take every drill's machine along. Here the process is stopped for some
seconds, and its clocks (tools/drills/clock.py) are an hour ahead when it goes on.
"""

import signal

from tools.drills.camera import camera
from tools.drills.clock import ShiftedClock
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import SILENCE_S, Trial

COUNTERPART = True
SLEEPS_S = 3600.0
STANDS_S = 4.0
PATIENCE_S = 5.0


def run(stage: Stage) -> Outcome:
    """Stop it, set its clocks ahead, and let it go on; what it answers then is not of before."""
    clock = ShiftedClock(stage.folder)
    with camera() as source, stage.start(source.url, environ=clock.environ) as program:
        trial = Trial(
            stage.drill,
            program,
            reported=_slept,
            silence_s=STANDS_S + SILENCE_S,
            stands_s=STANDS_S + SILENCE_S,
        )
        with trial.fault():
            program.process.send_signal(signal.SIGSTOP)
            program.go_on(STANDS_S)
            clock.shift(wall_s=SLEEPS_S, boot_s=SLEEPS_S)
            program.process.send_signal(signal.SIGCONT)
        program.wait_for(_slept, trial.began_ns, 0.0 if program.is_peer else PATIENCE_S)
        told = [line for line in program.lines if line.event == "clock"]
        trial.expect(
            len(told) == 1 and _slept(told[0]),
            f"the journal tells {[line.fields for line in told]}, not one suspend",
        )
        return trial.end()


def _slept(line: Line) -> bool:
    """Return whether a line tells the suspend, with its length."""
    return line.says("clock", change="suspend") and abs(line.fields["by_s"] - SLEEPS_S) < STANDS_S
