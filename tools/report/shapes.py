"""Channels of the students before and after pruning."""

from collections.abc import Mapping

from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.names import method_name
from tools.report.runs import Runs
from tools.report.table import Column, table

BRANCHES = {
    "visual_28": "picture 28×28",
    "visual_14": "picture 14×14",
    "audio": "sound",
    "bands": "mel bands",
}


def shapes(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for task in runs.tasks.values():
        for run in task.runs.values():
            if run.training is None or run.training.shapes is None:
                continue
            before, after = run.training.shapes
            columns: list[Column | str] = ["part", "before", "after", "channels kept %"]
            rows = [
                [words, _channels(before, key), _channels(after, key), _kept(before, after, key)]
                for key, words in BRANCHES.items()
                if key in before and key in after
            ]
            caption = f"Channels before and after pruning, {task.name}, {method_name(run.method)}"
            parts += [heading(task.name, method_name(run.method)), table(caption, columns, rows)]
    if not parts:
        return missing("Nothing has been pruned yet.")
    return joined(
        *parts,
        note(
            "Channels of each layer, stem first. What was closed is gone from the file: it is "
            "neither stored nor computed. Of the mel bands a contiguous slice is kept, and the "
            "daemon computes no other."
        ),
    )


def _channels(shape: Mapping[str, object], key: str) -> str:
    values = _numbers(shape, key)
    return (
        f"{values[0]:g}–{values[1]:g}" if key == "bands" else " · ".join(f"{v:g}" for v in values)
    )


def _kept(before: Mapping[str, object], after: Mapping[str, object], key: str) -> str:
    was, now = (_amount(_numbers(shape, key), key) for shape in (before, after))
    return f"{100.0 * now / was:.0f}" if was else "–"


def _amount(values: list[float], key: str) -> float:
    return values[1] - values[0] if key == "bands" else sum(values)


def _numbers(shape: Mapping[str, object], key: str) -> list[float]:
    value = shape[key]
    values = value if isinstance(value, list) else [value]
    return [float(each) for each in values if isinstance(each, (int, float))]
