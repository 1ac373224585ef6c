"""The camera goes away and comes back, while a microphone hears on."""

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, answered

COUNTERPART = True
LASTS_S = 4.0


def run(stage: Stage) -> Outcome:
    """Cut its connections, and refuse new ones for a while."""
    with camera() as source, stage.start(source.url, audio="synthetic") as program:
        trial = Trial(
            stage.drill,
            program,
            counted=answered,
            reported=lambda line: line.says("capture", source="video", state="reconnecting"),
        )
        with trial.fault():
            source.mode = "gone"
            program.go_on(LASTS_S)
            source.mode = "ok"
        return trial.end()
