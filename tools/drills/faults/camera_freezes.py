"""The camera stays connected and sends nothing, while a microphone hears on."""

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, answered

COUNTERPART = True
LASTS_S = 6.0


def run(stage: Stage) -> Outcome:
    """Let it hang, for longer than a read may take."""
    with camera() as source, stage.start(source.url, audio="synthetic") as program:
        trial = Trial(
            stage.drill,
            program,
            counted=answered,
            reported=lambda line: line.says("capture", source="video", state="stalled"),
        )
        with trial.fault():
            source.mode = "frozen"
            program.go_on(LASTS_S)
            source.mode = "ok"
        return trial.end()
