"""Run-time gating: what it saves to answer an unchanged window with the scores at hand."""

from tools.report.markup import Child, Html, joined, missing, note
from tools.report.records import Line
from tools.report.runs import Runs
from tools.report.table import table, two_lines
from tools.report.wording import interval, percent


def gating(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for lines in runs.gating.values():
        # Of thresholds that were tried again the last trial counts.
        kept: dict[tuple[str, float | None, float | None], Line] = {}
        for line in lines:
            if line.event == "gating":
                key = line.text("tier"), line.maybe_number("picture"), line.maybe_number("sound")
                kept[key] = line
        if kept:
            last = list(kept.values())[-1]
            words = (last.maybe_text("bundle"), last.maybe_text("version"))
            parts.append(_table(" ".join(word for word in words if word), list(kept.values())))
    if not parts:
        return missing("Gating has not been measured yet.")
    return joined(
        *parts,
        note(
            "A stream of digits, each held before the camera for one to three seconds and said "
            "once. A window whose picture and sound changed by less than the thresholds (shares "
            "of full range) is answered with the scores of the one before; “off” computes every "
            "window."
        ),
    )


def _table(bundle: str, lines: list[Line]) -> Html:
    columns = ["tier", "picture", "sound", "reused %", "right %", "same answer %", "CPU saved %"]
    rows: list[list[Child]] = []
    for line in lines:
        right = percent(line.number("accuracy"))
        rows.append(
            [
                line.text("tier"),
                _threshold(line.maybe_number("picture")),
                _threshold(line.maybe_number("sound")),
                percent(line.number("reused"), 1),
                two_lines(right, interval(line.number("low"), line.number("high"))),
                percent(line.number("agreement")),
                percent(line.number("saved"), 1),
            ]
        )
    return table(f"Windows reused and what that costs {bundle}", columns, rows)


def _threshold(value: float | None) -> str:
    return "off" if value is None else f"{value:g}"
