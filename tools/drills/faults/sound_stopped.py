"""The sound server hangs with every connection open, while a camera sees on."""

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.sound import sound_server
from tools.drills.stage import Stage
from tools.drills.trial import Trial, heard

COUNTERPART = True
LASTS_S = 5.0


def run(stage: Stage) -> Outcome:
    """Stop its process; streams stay active, and nothing comes."""
    with (
        camera() as source,
        sound_server(stage.folder / "sound") as server,
        stage.start(source.url, audio="microphone", environ=server.environ) as program,
    ):
        program.wait_for(heard, 0, 10.0)
        trial = Trial(
            stage.drill,
            program,
            recovered=heard,
            reported=lambda line: line.says("capture", source="audio", previous="healthy"),
        )
        with trial.fault():
            server.freeze()
            program.go_on(LASTS_S)
            server.thaw()
        return trial.end()
