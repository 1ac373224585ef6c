"""No more files or sockets can be opened, while the camera breaks off and a reload is asked for."""

import resource
import signal

from tools.drills.camera import camera
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial, answered

COUNTERPART = True
LASTS_S = 4.0
NONE_FREE = 3
"""What is open stays usable; no number below is free, for those are the standard streams."""


def run(stage: Stage) -> Outcome:
    """Lower the limit of the running process below what it has open."""
    with camera() as source, stage.start(source.url, audio="synthetic") as program:
        pid = program.process.pid
        trial = Trial(stage.drill, program, counted=answered, reported=_names_it)
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with trial.fault():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (NONE_FREE, limits[1]))
            if program.kind == "daemon":
                program.process.send_signal(signal.SIGHUP)
            source.mode = "gone"
            program.go_on(0.5)
            source.mode = "ok"
            program.go_on(LASTS_S)
            if program.running:
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        return trial.end()


def _names_it(line: Line) -> bool:
    return line.event in ("reload", "capture", "fault") and "Too many open files" in str(
        line.fields
    )
