"""A start that the daemon has to refuse."""

from tools.drills.program import START_S
from tools.drills.stage import Stage
from tools.drills.trial import Trial

CONFIG = 78
"""EX_CONFIG: systemd does not try again."""


def expect_refusal(stage: Stage, trial: Trial, *names: str) -> None:
    """Start a second daemon on the same config and expect one line that has these names in it."""
    second = stage.daemon(stage.folder / "second")
    second.wait_until(lambda: False, START_S)
    ended = not second.running
    second.close()
    said = [text for _, text in second.words() if all(name in text for name in names)]
    trial.expect(
        ended and second.process.returncode == CONFIG and bool(said),
        f"a start on it gave {second.process.returncode}: {second.last_words(300)}",
    )
    trial.expect(not second.lines, "a start on it wrote to the journal")
