"""The camera sends one picture again and again, with success, while a microphone hears on."""

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, answered

COUNTERPART = True
LASTS_S = 4.0


def run(stage: Stage) -> Outcome:
    """Let it repeat itself; whoever goes on answering then does not see."""
    with camera() as source, stage.start(source.url, audio="synthetic") as program:
        trial = Trial(
            stage.drill,
            program,
            counted=answered,
            reported=lambda line: line.says("capture", source="video", previous="healthy"),
        )
        with trial.fault():
            source.mode = "repeating"
            program.go_on(LASTS_S)
            source.mode = "ok"
        if program.is_peer:
            trial.note = "it goes on answering, from the dead picture"
        return trial.end()
