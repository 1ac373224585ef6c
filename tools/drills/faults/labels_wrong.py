"""A bundle's manifest names nine labels where its models tell ten things apart."""

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.refusal import expect_refusal
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
LASTS_S = 1.0


def run(stage: Stage) -> Outcome:
    """Change it under the running daemon, which goes on; a start on it is refused."""
    bundle = stage.bundle()
    manifest = bundle / "bundle.yaml"
    with camera() as source, stage.start(source.url, bundle=bundle) as program:
        trial = Trial(stage.drill, program, quiet=True)
        sound = manifest.read_text(encoding="utf-8")
        with trial.fault():
            wrong = sound.replace("'8', '9']", "'8']")
            trial.expect(wrong != sound, "the drill does not know this manifest")
            manifest.write_text(wrong, encoding="utf-8")
            program.go_on(LASTS_S)
            expect_refusal(stage, trial, str(bundle), "labels")
            manifest.write_text(sound, encoding="utf-8")
        return trial.end()
