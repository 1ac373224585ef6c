"""Outcomes as lines of text, as a table in Markdown, and as JSON lines."""

import json
from collections.abc import Iterable, Mapping, Sequence

from tools.drills.outcome import Outcome

_HEAD = (
    ("drill", "reported", "recovered", "silent", "windows lost", "lines lost"),
    ("script: reported", "recovered", "silent", "windows lost", "lines lost"),
)


def sentence(outcome: Outcome) -> str:
    """Return an outcome in one line, with a further one for each failure."""
    cells = ", ".join(
        f"{name} {value}"
        for name, value in zip(_HEAD[0][1:], _figures(outcome), strict=True)
        if value != ""
    )
    detail = cells if outcome.verdict != "skipped" else outcome.note
    first = f"{outcome.drill:<24} {outcome.program:<7} {outcome.verdict:<9} {detail}"
    return "\n".join([first, *(f"    {failure}" for failure in outcome.failures)])


def markdown(outcomes: Sequence[Outcome], phrases: Mapping[str, str]) -> str:
    """Return the tables, one row a drill, with the reasons of what was skipped or failed below.

    Args:
        outcomes: of the daemon and, where they were drilled, of its peers.
        phrases: what happens in each drill.
    """
    by_drill: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        by_drill.setdefault(outcome.drill, {})[outcome.program] = outcome
    with_script = any(outcome.program == "script" for outcome in outcomes)
    head = [*_HEAD[0], *(_HEAD[1] if with_script else ())]
    rows = [head, ["---", *("--:" for _ in head[1:])]]
    for drill, found in by_drill.items():
        row = [drill, *_cells(found.get("daemon"))]
        rows.append([*row, *_cells(found.get("script"))] if with_script else row)
    tables = [_table(rows)]
    by_sdk = [outcome for outcome in outcomes if outcome.program == "sdk" and _ran(outcome)]
    if by_sdk:
        head = [f"SDK: {_HEAD[0][0]}", *_HEAD[0][1:]]
        rows = [[outcome.drill, *_cells(outcome)] for outcome in by_sdk]
        tables.append(_table([head, ["---", *("--:" for _ in head[1:])], *rows]))
    drills = "\n".join(f"- `{drill}`: {phrases[drill]}" for drill in by_drill if drill in phrases)
    notes = "\n".join(_notes(outcomes))
    return "\n\n".join(part for part in (*tables, drills, notes) if part) + "\n"


def json_lines(outcomes: Iterable[Outcome]) -> str:
    """Return one JSON object a line, one line an outcome."""
    return "".join(json.dumps(outcome.record()) + "\n" for outcome in outcomes)


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _ran(outcome: Outcome) -> bool:
    return outcome.verdict != "skipped"


def _cells(outcome: Outcome | None) -> list[str]:
    if outcome is None or not _ran(outcome):
        return ["–"] * 5
    return [figure or "–" for figure in _figures(outcome)]


def _figures(outcome: Outcome) -> list[str]:
    """Return reported, recovered, silent, windows and lines; empty where none is asked for."""
    return [
        _seconds(outcome.reported_s) or ("" if outcome.quiet else "never"),
        _seconds(outcome.recovered_s) or "never",
        _seconds(outcome.silent_s),
        "" if outcome.lost_windows is None else str(outcome.lost_windows),
        "" if outcome.lost_lines is None else str(outcome.lost_lines),
    ]


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _notes(outcomes: Sequence[Outcome]) -> list[str]:
    notes = []
    for outcome in outcomes:
        who = "" if outcome.program == "daemon" else f", {outcome.program}"
        if outcome.note and outcome.note != NO_COUNTERPART and (not who or _ran(outcome)):
            notes.append(f"- {outcome.drill}{who}: {outcome.note}")
        notes += [f"- **{outcome.drill}{who} failed**: {text}" for text in outcome.failures]
    return notes


NO_COUNTERPART = "it has no counterpart"
