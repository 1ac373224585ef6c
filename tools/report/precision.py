"""Adaptive precision: int8 everywhere against mixtures and int4."""

from collections.abc import Sequence

from tools.report.markup import Child, Html, heading, joined, missing, note, paragraph
from tools.report.names import TIERS, in_order, method_name
from tools.report.records import Line
from tools.report.runs import Runs
from tools.report.table import Column, table, two_lines
from tools.report.wording import interval, percent, size, time_us


def precision(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for task in runs.tasks.values():
        for run in task.runs.values():
            if run.precision:
                parts.append(heading(task.name, method_name(run.method)))
                parts += _tiers(run.precision, f"{task.name}, {method_name(run.method)}")
    if not parts:
        return missing("Precisions have not been compared yet.")
    return joined(
        *parts,
        note(
            "Weights of 8 or 4 bits, chosen layer by layer by what each costs: by Fisher, the "
            "expected rise of the loss; by output, the squared change of the logits. What ships is "
            "what the runtime runs fastest at equal accuracy, and int8 where that is a tie."
        ),
    )


def _tiers(lines: Sequence[Line], where: str) -> Sequence[Child]:
    files: dict[str, dict[str, Line]] = {}
    trials: dict[tuple[str, str], dict[str, Line]] = {}
    verdicts: dict[str, Line] = {}
    for line in lines:
        # A later comparison of a tier takes the place of an earlier one.
        match line.event:
            case "precision":
                files.setdefault(line.text("tier"), {})[line.text("precision")] = line
            case "trial":
                key = line.text("tier"), line.text("precision")
                trials.setdefault(key, {})[line.text("runtime")] = line
            case "verdict":
                verdicts[line.text("tier")] = line
    return [
        _table(tier, files[tier], trials, verdicts.get(tier), where)
        for tier in in_order(files, dict.fromkeys(TIERS, ""))
    ]


def _table(
    tier: str,
    files: dict[str, Line],
    trials: dict[tuple[str, str], dict[str, Line]],
    verdict: Line | None,
    where: str,
) -> Html:
    runtimes = list(dict.fromkeys(name for file in files for name in trials.get((tier, file), {})))
    columns: list[Column | str] = [tier, Column("layers × bits", text=True), "size", "right %"]
    columns += ["as int8's network %", *runtimes]
    rows: list[list[Child]] = []
    for name, line in files.items():
        low, high = line.maybe_number("low"), line.maybe_number("high")
        right = percent(line.number("accuracy"))
        agreement = line.maybe_number("agreement")
        rows.append(
            [
                name,
                str(line.values.get("bits", "–")),
                size(line.number("bytes")),
                right if low is None or high is None else two_lines(right, interval(low, high)),
                None if agreement is None else percent(agreement),
                *(_trial(trials.get((tier, name), {}).get(runtime)) for runtime in runtimes),
            ]
        )
    chosen = verdict.text("precision") if verdict else None
    strong = [number for number, name in enumerate(files) if name == chosen]
    says = None
    if verdict is not None:
        others = "; ".join(f"{name}: {why}" for name, why in verdict.mapping("others").items())
        says = paragraph(f"{chosen} ships. {others}", class_="note")
    return joined(table(f"Precisions of {tier}, {where}", columns, rows, strong), says)


def _trial(line: Line | None) -> Child:
    if line is None:
        return None
    if line.maybe_text("failure") is not None:
        return "does not run"
    words = time_us(line.number("median_us"))
    remarks = [] if line.values.get("delegated", True) else ["without XNNPACK"]
    same = line.maybe_number("same")
    if same is not None and same < 1.0:
        remarks.append(f"{percent(same, 1)} % same answers")
    return two_lines(words, ", ".join(remarks)) if remarks else words
