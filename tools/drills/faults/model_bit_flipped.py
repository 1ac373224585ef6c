"""One bit of the models' files is another one when another tier is asked for."""

import signal

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.refusal import expect_refusal
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 2.5


def run(stage: Stage) -> Outcome:
    """Flip it in the middle, where a weight is: the model still loads."""
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
                file.write_bytes(flipped(content))
            stage.write_config(source.url, "none", tier="high", bundle=bundle)
            program.process.send_signal(signal.SIGHUP)
            program.go_on(LASTS_S)
            expect_refusal(stage, trial, str(bundle))
            for file, content in sound.items():
                file.write_bytes(content)
        return trial.end()


def flipped(content: bytes) -> bytes:
    """Return the bytes with the lowest bit of the middle one turned."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
