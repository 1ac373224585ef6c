"""Channels of the students before and after pruning."""

from collections.abc import Mapping

from tools.report.markup import Child, Html, joined, missing, note
from tools.report.names import method_name
from tools.report.runs import Runs
from tools.report.table import table, two_lines
from tools.report.wording import percent

PARTS = {
    "visual_28": "picture 28×28",
    "visual_14": "picture 14×14",
    "audio": "sound",
    "bands": "mel bands",
}


def shapes(runs: Runs) -> Html:
    """Return the section."""
    rows: list[list[Child]] = []
    for task in runs.tasks.values():
        for run in task.runs.values():
            if run.training is not None and run.training.shapes is not None:
                before, after = run.training.shapes
                name = two_lines(method_name(run.method), task.name)
                rows.append([name, *(_cell(before, after, part) for part in PARTS)])
    if not rows:
        return missing("Nothing has been pruned yet.")
    return joined(
        table("Channels of every layer, stem first", ["method", *PARTS.values()], rows),
        note(
            "In small print what training began with, and how much of it is left. What was closed "
            "is gone from the file: it is neither stored nor computed. Of the mel bands a "
            "contiguous slice is kept, and the daemon computes no other."
        ),
    )


def _cell(before: Mapping[str, object], after: Mapping[str, object], part: str) -> Html | None:
    was, now = _numbers(before.get(part)), _numbers(after.get(part))
    if not was or not now:
        return None
    share = _amount(now, part) / _amount(was, part)
    return two_lines(_words(now, part), f"of {_words(was, part)}: {percent(share, 0)} %")


def _words(values: list[float], part: str) -> str:
    return ("–" if part == "bands" else " · ").join(f"{value:g}" for value in values)


def _amount(values: list[float], part: str) -> float:
    return values[-1] - values[0] if part == "bands" else sum(values)


def _numbers(value: object) -> list[float]:
    values = value if isinstance(value, list) else []
    return [float(each) for each in values if isinstance(each, (int, float))]
