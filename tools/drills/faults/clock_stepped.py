"""The wall clock is set an hour and ten years ahead and back, as the network does to a board."""

from datetime import datetime
from itertools import pairwise

from tools.drills.camera import camera
from tools.drills.clock import ShiftedClock
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.program import Program
from tools.drills.stage import Stage
from tools.drills.trial import Trial, saw

COUNTERPART = True
HOUR_S = 3600.0
DECADE_S = 3652 * 24 * HOUR_S
STEPS_S = (HOUR_S, -HOUR_S, DECADE_S, -DECADE_S)
HOLDS_S = 1.5
PATIENCE_S = 5.0


def run(stage: Stage) -> Outcome:
    """Step it four times, and back."""
    clock = ShiftedClock(stage.folder)
    with camera() as source, stage.start(source.url, environ=clock.environ) as program:
        trial = Trial(stage.drill, program, reported=_stepped)
        before_s = _wall_s(next(filter(saw, reversed(program.lines))))
        with trial.fault():
            for step_s in STEPS_S:
                clock.shift(wall_s=step_s)
                program.go_on(HOLDS_S)
                last_s = _wall_s(next(filter(saw, reversed(program.lines))))
                trial.expect(
                    abs(last_s - before_s - step_s) < HOUR_S / 2,
                    f"the clock did not step: {last_s - before_s:.0f} s, not {step_s:.0f} s",
                )
            clock.shift(wall_s=0.0)
        told_s = _told_s(program)
        wanted_s = [b - a for a, b in pairwise((0.0, *STEPS_S, 0.0))]
        trial.expect(
            len(told_s) == len(wanted_s)
            and all(abs(a - b) < HOUR_S / 60 for a, b in zip(told_s, wanted_s, strict=True)),
            f"the journal tells steps by {told_s} s, not by {wanted_s} s",
        )
        return trial.end()


def _stepped(line: Line) -> bool:
    return line.says("clock", change="step")


def _told_s(program: Program) -> list[float]:
    """Return by how much the clock was set, by the journal, once it has told every step."""
    program.wait_until(
        lambda: sum(map(_stepped, program.lines)) > len(STEPS_S) or program.is_peer,
        PATIENCE_S,
    )
    return [line.fields["by_s"] for line in program.lines if _stepped(line)]


def _wall_s(line: Line) -> float:
    text = line.fields.get("ts") or line.fields["time"]
    return datetime.fromisoformat(text).timestamp()
