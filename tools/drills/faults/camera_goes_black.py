"""The camera sends darkness with a sensor's noise, as under a lens cap."""

from tools.drills.camera import camera
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = True
LASTS_S = 8.0


def run(stage: Stage) -> Outcome:
    """Cover the lens; the answers go on, for darkness may be what there is to see."""
    with camera() as source, stage.start(source.url) as program:
        trial = Trial(stage.drill, program, reported=_says_black)
        with trial.fault():
            source.mode = "black"
            program.go_on(LASTS_S)
            source.mode = "ok"
        if program.is_peer:
            trial.note = "it names digits in the dark"
        return trial.end()


def _says_black(line: Line) -> bool:
    return line.says("capture", source="video") and "black" in str(line.fields["detail"])
