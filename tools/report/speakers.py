"""Leave one speaker out: voices that training never heard."""

from tools.report import published
from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.records import Line
from tools.report.runs import Runs
from tools.report.table import Column, table, verdict
from tools.report.wording import percent


def speakers(runs: Runs) -> Html:
    """Return the section."""
    # A speaker who was left out again takes the place of the earlier line; figures by other
    # settings than the newest do not stand beside them.
    newest = {
        line.text("protocol"): line.values.get("settings")
        for line in runs.speakers
        if "speaker" in line.values
    }
    lines: dict[tuple[str, str, str], Line] = {}
    for line in runs.speakers:
        if "speaker" not in line.values:
            continue
        if line.values.get("settings") == newest[line.text("protocol")]:
            lines[line.text("protocol"), line.text("output"), line.text("speaker")] = line
    if not lines:
        return missing("No speaker has been left out yet.")
    parts: list[Child] = []
    for protocol in dict.fromkeys(protocol for protocol, _, _ in lines):
        parts += [heading(protocol), _table(protocol, lines)]
    return joined(
        *parts,
        note(
            "The audio branch alone, trained on all speakers but one and tested on that one. The "
            "official split of the recordings shares its speakers between training and test, so "
            "that its figures say nothing about new voices; these do."
        ),
    )


def _table(protocol: str, lines: dict[tuple[str, str, str], Line]) -> Html:
    names = sorted({speaker for where, _, speaker in lines if where == protocol})
    outputs = dict.fromkeys(output for where, output, _ in lines if where == protocol)
    columns: list[Column | str] = ["output", *names, "mean"]
    goal = published.SPEAKERS if protocol == "clean" else None
    if goal is not None:
        columns.append(Column(f"goal {percent(goal, 0)}", text=True))
    rows: list[list[Child]] = []
    for output in outputs:
        known = {
            name: lines[protocol, output, name].number("accuracy")
            for name in names
            if (protocol, output, name) in lines
        }
        mean = sum(known.values()) / len(known)
        row: list[Child] = [output]
        row += [percent(known[name]) if name in known else None for name in names]
        row.append(percent(mean))
        if goal is not None:
            row.append(verdict(*(("met", "good") if mean >= goal else ("missed", "bad"))))
        rows.append(row)
    return table(f"Speakers left out, {protocol}, per cent", columns, rows)
