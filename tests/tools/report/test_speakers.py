from pathlib import Path

from tools.report.records import Line
from tools.report.runs import Runs
from tools.report.speakers import speakers


def line(speaker: str, accuracy: float, widths: list[int]) -> Line:
    settings = {"audio": widths}
    values = {
        "event": "speaker",
        "protocol": "clean",
        "output": "full",
        "speaker": speaker,
        "accuracy": accuracy,
        "settings": settings,
    }
    return Line("speakers.jsonl:1", values)


def test_speakers_of_other_settings_are_not_averaged_in() -> None:
    lines = [line("ann", 0.99, [40]), line("bob", 0.91, [40]), line("ann", 0.52, [30])]
    page = str(speakers(Runs(Path("runs"), {}, lines, {})))
    assert "52.00" in page
    assert "91.00" not in page and "bob" not in page
