"""A neighbour takes nearly all memory of the control group that the program runs in."""

from tools.drills.camera import camera
from tools.drills.group import memory_group
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = True
LIMIT_MIB = 384
LEAVES_MIB = 12.0
"""Less than the governor's reserve."""
LASTS_S = 6.0
UP_AFTER_S = 1.0

SECTIONS = {
    "governor": {
        "limits": {
            "poll_min_s": 0.5,
            "poll_max_s": 0.5,
            "up_after_s": UP_AFTER_S,
            "ups_per_hour": 3600.0,
            "ignored": ["cpu"],  # this machine may be busy for other reasons
        }
    }
}


def run(stage: Stage) -> Outcome:
    """Leave so little that only `critical` may run, and give it back."""
    with (
        camera() as source,
        memory_group(LIMIT_MIB) as group,
        stage.start(
            source.url, audio="synthetic", tier="auto", sections=SECTIONS, prefix=group.prefix
        ) as program,
    ):
        if program.kind == "daemon":
            program.wait_for(lambda line: line.says("prediction", tier="high"), 0, 20.0)
        trial = Trial(
            stage.drill,
            program,
            recovered=lambda line: line.says("prediction", tier="high")
            or (program.is_peer and line.event == "prediction"),
            reported=lambda line: line.says("tier_change", to="critical", resource="memory"),
            within_s=5.0 + 3 * UP_AFTER_S,  # one tier after the other
        )
        with trial.fault(), group.neighbour(LEAVES_MIB):
            program.go_on(LASTS_S)
        return trial.end()
