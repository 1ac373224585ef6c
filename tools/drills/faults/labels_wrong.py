"""A bundle's manifest names nine labels where its models tell ten things apart."""

import signal

from tools.drills.camera import camera
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.refusal import expect_refusal
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
PATIENCE_S = 10.0


def run(stage: Stage) -> Outcome:
    """Change it under the running daemon, which goes by what it read; a start on it is refused."""
    bundle = stage.bundle()
    manifest = bundle / "bundle.yaml"
    with camera() as source, stage.start(source.url, bundle=bundle) as program:
        trial = Trial(stage.drill, program, quiet=True)
        sound = manifest.read_text(encoding="utf-8")
        with trial.fault():
            wrong = sound.replace("'8', '9']", "'8']")
            trial.expect(wrong != sound, "the drill does not know this manifest")
            manifest.write_text(wrong, encoding="utf-8")
            stage.write_config(source.url, "none", tier="low", bundle=bundle)
            program.process.send_signal(signal.SIGHUP)
            lower = program.wait_for(_answered_low, trial.began_ns, PATIENCE_S)
            trial.expect(lower is not None, "it could not load another tier of its own bundle")
            expect_refusal(stage, trial, str(bundle), "labels: there are 9")
            manifest.write_text(sound, encoding="utf-8")
        return trial.end()


def _answered_low(line: Line) -> bool:
    return line.says("prediction", tier="low")
