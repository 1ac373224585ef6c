"""Half of the models' files is gone when another tier is asked for."""

import signal

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.refusal import expect_refusal
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 2.5


def run(stage: Stage) -> Outcome:
    """Truncate the running tier's file as well: nobody may read from it any more."""
    bundle = stage.bundle()
    high, running = bundle / "high.tflite", bundle / "low.tflite"
    with camera() as source, stage.start(source.url, tier="low", bundle=bundle) as program:
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high"),
            reported=lambda line: line.says("fault", part="swap")
            and str(high) in str(line.fields["message"]),
        )
        sound = {file: file.read_bytes() for file in (high, running)}
        with trial.fault():
            for file, content in sound.items():
                file.write_bytes(content[: len(content) // 2])
            stage.write_config(source.url, "none", tier="high", bundle=bundle)
            program.process.send_signal(signal.SIGHUP)
            program.go_on(LASTS_S)
            expect_refusal(stage, trial, str(bundle))
            for file, content in sound.items():
                file.write_bytes(content)
        return trial.end()
