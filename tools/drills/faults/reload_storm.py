"""Five hundred SIGHUPs within a second, while the config changes to and fro."""

import signal

from tools.drills.camera import camera
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
SIGNALS = 500


def run(stage: Stage) -> Outcome:
    """Send them as fast as they go, with another tier every tenth time."""
    with camera() as source, stage.start(source.url) as program:
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high"),
            reported=lambda line: line.says("reload", error=None),
        )
        with trial.fault():
            for number in range(SIGNALS):
                if number % 10 == 0:
                    tier = "low" if number % 20 else "high"
                    stage.write_config(source.url, "none", tier=tier)
                program.process.send_signal(signal.SIGHUP)
                program.go_on(0.002)
            stage.write_config(source.url, "none", tier="high")
            program.process.send_signal(signal.SIGHUP)
        return trial.end()
