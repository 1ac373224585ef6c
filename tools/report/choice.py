"""Model choice: candidates of every tier, their score, and why the others lost."""

from collections.abc import Sequence

from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.names import TIERS
from tools.report.records import Line
from tools.report.runs import Runs
from tools.report.table import Column, table, two_lines
from tools.report.wording import interval, millions, percent, signless, size, time_us


def choice(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    exponents = set()
    for task in runs.tasks.values():
        lines = _last_run(task.choice)
        chosen = {line.text("tier"): line for line in lines if line.event == "choice"}
        exponents |= {line.number("w") for line in lines if line.event == "start"}
        if chosen:
            parts.append(heading(task.name))
        for tier in TIERS:
            candidates = [
                line for line in lines if line.event == "candidate" and line.text("tier") == tier
            ]
            if tier in chosen:
                parts.append(_table(f"{tier}, {task.name}", candidates, chosen[tier]))
    if not parts:
        return missing("No models have been chosen among variants yet.")
    powers = ", ".join(signless(each, 2) for each in sorted(exponents))
    return joined(
        *parts,
        note(
            f"Score: accuracy × (time / target)^w, w = {powers} (after MnasNet, Tan et al. 2019). "
            "Whatever exceeds a budget is refused first, however high it scores. Accuracy is of "
            "the validation split; ◆ marks what no other model beats in accuracy, time and size "
            "together."
        ),
    )


def _last_run(lines: Sequence[Line]) -> Sequence[Line]:
    begins = [index for index, line in enumerate(lines) if line.event == "start"]
    return lines[begins[-1] :] if begins else lines


def _table(where: str, candidates: Sequence[Line], chosen: Line) -> Html:
    scores, reasons = chosen.numbers("scores"), chosen.mapping("reasons")
    best, front = chosen.text("best"), chosen.values.get("front")
    unbeaten = front if isinstance(front, list) else []
    columns: list[Column | str] = ["model", "right %", "time", "size", "MACs", "score"]
    rows: list[list[Child]] = []
    names = []
    for line in candidates:
        name = line.text("name")
        names.append(name)
        right = percent(line.number("accuracy"))
        rows.append(
            [
                f"{name} ◆" if name in unbeaten else name,
                two_lines(right, interval(line.number("low"), line.number("high"))),
                time_us(line.number("latency_us")),
                size(line.number("bytes")),
                millions(line.number("macs")),
                f"{scores[name]:.4f}" if name in scores else None,
                "chosen" if name == best else str(reasons.get(name, "")),
            ]
        )
    strong = [number for number, name in enumerate(names) if name == best]
    caption = f"Candidates for {where}, aimed at {time_us(chosen.number('target_us'))}"
    return table(caption, [*columns, Column("", text=True)], rows, strong)
