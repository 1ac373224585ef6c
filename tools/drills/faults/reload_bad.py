"""The config is wrong in one way after the other, and each is put into force by SIGHUP."""

import signal
from pathlib import Path

from tools.drills.camera import camera
from tools.drills.lines import Line
from tools.drills.outcome import Outcome
from tools.drills.stage import Stage
from tools.drills.trial import Trial

COUNTERPART = False
WRONG = (
    b"video: {source: camera, rat_hz: 3}\n",
    b"window: {period_ms: -1}\n",
    b"tier: [unclosed\n",
    b"\0\xff\xfe no text at all",
    b"- a\n- list\n",
)
"""Unknown key, out of range, no YAML, no text, no mapping; then no file, and a directory."""


def run(stage: Stage) -> Outcome:
    """Each is refused with its reason, and the old config goes on."""
    with camera() as source, stage.start(source.url) as program:
        trial = Trial(stage.drill, program, reported=_refused)

        def reload() -> None:
            before = len([line for line in program.lines if line.event == "reload"])
            program.process.send_signal(signal.SIGHUP)
            program.wait_until(
                lambda: len([line for line in program.lines if line.event == "reload"]) > before,
                5.0,
            )

        with trial.fault():
            for content in WRONG:
                stage.config.write_bytes(content)
                reload()
            stage.config.unlink()
            reload()
            stage.config.mkdir()
            reload()
            stage.config.rmdir()
            stage.write_config(source.url, "none")
        reload()
        reloads = [line for line in program.lines if line.event == "reload"]
        refused = [line for line in reloads if _names(line, stage.config)]
        trial.expect(
            len(refused) == len(WRONG) + 2,
            f"{len(refused)} of {len(WRONG) + 2} refusals name the file",
        )
        trial.expect(
            bool(reloads) and reloads[-1].fields["error"] is None, "the good config was refused"
        )
        return trial.end()


def _refused(line: Line) -> bool:
    return line.event == "reload" and line.fields["error"] is not None


def _names(line: Line, config: Path) -> bool:
    return _refused(line) and str(config) in str(line.fields["error"])
