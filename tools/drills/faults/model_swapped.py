"""Another tier's model, of the same size, stands in a model's place."""

import signal

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.refusal import expect_refusal
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 2.5


def run(stage: Stage) -> Outcome:
    """Put `medium` there; only its hash tells."""
    bundle = stage.bundle()
    high, medium = bundle / "high.tflite", bundle / "medium.tflite"
    with camera() as source, stage.start(source.url, tier="low", bundle=bundle) as program:
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high"),
            reported=lambda line: line.says("fault", part="swap")
            and str(high) in str(line.fields["message"]),
        )
        sound = high.read_bytes()
        with trial.fault():
            high.write_bytes(medium.read_bytes())
            stage.write_config(source.url, "none", tier="high", bundle=bundle)
            program.process.send_signal(signal.SIGHUP)
            program.go_on(LASTS_S)
            expect_refusal(stage, trial, str(bundle))
            high.write_bytes(sound)
        return trial.end()
