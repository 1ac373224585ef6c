"""Every write to the disk of the journal takes two seconds."""

from tools.drills.camera import camera
from tools.drills.disk import card
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, journal_says

COUNTERPART = True
WRITES = 4
TAKES_S = 2.0
BETWEEN_S = 0.05
PATIENCE_S = 5.0


def run(stage: Stage) -> Outcome:
    """Freeze the file system again and again, with a moment between for what has waited."""
    with (
        camera() as source,
        card(stage.folder) as disk,
        stage.start(source.url, journal=disk.path / "journal") as program,
    ):
        slow = journal_says("the disk took ")
        trial = Trial(stage.drill, program, reported=slow)
        with trial.fault():
            for _ in range(WRITES):
                with disk.frozen():
                    program.go_on(TAKES_S)
                program.go_on(BETWEEN_S)
        program.wait_for(slow, trial.began_ns, PATIENCE_S)
        told = sum(map(slow, program.lines))
        trial.expect(told == 1, f"{WRITES} slow writes are told {told} times, not once")
        return trial.end()
