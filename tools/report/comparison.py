"""The comparison: methods by tiers, and how each differs from RA-CMKD on the same pairs."""

from collections.abc import Sequence

from tools.report.contests import Contest, contests, having, protocols_of
from tools.report.forest import forest
from tools.report.markup import (
    Child,
    Html,
    bullets,
    code,
    element,
    heading,
    joined,
    missing,
    note,
    paragraph,
)
from tools.report.names import MEANINGS, METHODS, TIERS, is_ablation, method_name
from tools.report.runs import OURS, Run, Runs, TaskRuns
from tools.report.table import table, two_lines, verdict
from tools.report.wording import counted, interval, listed, percent, points, points_between, size

_KINDS = {"better": "bad", "worse": "ahead", "no difference shown": "even"}
"""A colour says where RA-CMKD stands; in the figures it is the same."""

BASELINES = [name for name in METHODS if name != OURS and not is_ablation(name)]


def comparison(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = [_methods()]
    for task in runs.tasks.values():
        parts += [heading(task.name), *compared(task, task.baselines, BASELINES, "baselines")]
    parts += [
        _reasons(runs),
        note(
            "Every method has the same data, teacher and number of steps, and the same budgets for "
            "its files. RA-CMKD starts with wider students and removes channels until they fit; it "
            "also spends its last steps on fake quantisation. All others start with every layer "
            "narrowed alike, and are quantised after training."
        ),
        note(
            "Differences are a method less RA-CMKD in percentage points, on the same pairs, with "
            "95 % intervals bootstrapped over recordings (pictures where a tier does not listen). "
            "A method is called better or worse where the interval leaves out 0. The intervals "
            "are about the test data alone: every method was trained once, and another seed would "
            "move it too. Of many comparisons without any difference one in twenty leaves out 0 "
            "by chance."
        ),
    ]
    return joined(*parts)


def compared(
    task: TaskRuns, rivals: Sequence[Run], expected: Sequence[str], kind: str
) -> list[Child]:
    """Return a task's tables and figures of RA-CMKD and some rivals, missing ones named.

    Args:
        task: which.
        rivals: the runs to compare.
        expected: methods that a finished table has.
        kind: what the rivals are called together.
    """
    ours = [] if task.ours is None else [task.ours]
    evaluated = [run for run in [*ours, *rivals] if run.evaluation is not None]
    parts: list[Child] = []
    if evaluated:
        for protocol in protocols_of(task):
            parts += _under(task, protocol, evaluated, rivals, kind)
    parts.append(_absent(task, ours + list(rivals), expected))
    return parts


def _under(
    task: TaskRuns, protocol: str, evaluated: Sequence[Run], rivals: Sequence[Run], kind: str
) -> list[Child]:
    found = contests(task, protocol, rivals)
    pairs = "" if protocol == task.name else f", {protocol} pairs"
    caption = f"{kind.capitalize()} on {task.name}{pairs}: accuracy in per cent, with size"
    parts: list[Child] = [_accuracies(caption, evaluated, protocol)]
    decided = [contest for contest in found if contest.difference is not None]
    if decided:
        caption = f"{kind.capitalize()} on {task.name}{pairs}: difference from RA-CMKD in points"
        parts += [
            _differences(caption, decided),
            forest(decided, f"{kind}-{task.name}-{protocol}"),
            _in_words(decided),
        ]
    elif found:
        parts.append(missing("No answers to the same pairs were kept: differences are not shown."))
    return parts


def _reasons(runs: Runs) -> Html | None:
    """Say why a baseline may hold its own, if one does."""
    unbeaten = [
        contest
        for task in runs.tasks.values()
        for contest in contests(task, task.name, task.baselines)
        if contest.difference is not None and contest.difference.verdict != "worse"
    ]
    if not unbeaten:
        return None
    return paragraph(
        "Why a baseline may hold its own: picture and sound are paired by their label alone, so "
        "that given the digit they are independent, and adding calibrated opinions is already the "
        "best fusion there is. Features of the other modality then tell a student little, and a "
        "better teacher need not make a better student (Xue et al. 2023, “The Modality Focusing "
        "Hypothesis”). In low and critical a picture's own ceiling leaves little to gain. These "
        "are reasons, not measurements."
    )


def _methods() -> Html:
    return element(
        "dl",
        *(
            joined(element("dt", method_name(name)), element("dd", MEANINGS[name]))
            for name in (OURS, *BASELINES)
        ),
    )


def _accuracies(caption: str, runs: Sequence[Run], protocol: str) -> Html:
    rows = [
        [method_name(run.method), *(_cell(run, tier, protocol) for tier in TIERS)] for run in runs
    ]
    strong = [number for number, run in enumerate(runs) if run.method == OURS]
    return table(caption, ["method", *TIERS], rows, strong)


def _cell(run: Run, tier: str, protocol: str) -> Html | None:
    if run.evaluation is None:
        return None
    accuracy = run.evaluation.accuracies.get((tier, protocol))
    cost = run.evaluation.costs.get(tier)
    if accuracy is None:
        return None
    small = interval(accuracy.low, accuracy.high)
    if cost is not None and cost.bytes is not None:
        small += f" · {size(cost.bytes)}"
    return two_lines(percent(accuracy.value), small)


def _differences(caption: str, found: Sequence[Contest]) -> Html:
    rows: dict[str, dict[str, Html]] = {}
    for contest in found:
        gain = contest.difference
        if gain is not None:
            rows.setdefault(contest.method, {})[contest.tier] = joined(
                two_lines(points(gain.value), points_between(gain.low, gain.high)),
                verdict(gain.verdict, _KINDS[gain.verdict]),
            )
    cells = [
        [method_name(method), *(row.get(tier) for tier in TIERS)] for method, row in rows.items()
    ]
    return table(caption, ["method", *TIERS], cells)


def _in_words(found: Sequence[Contest]) -> Html:
    """Say where RA-CMKD is better, and name every rival that it does not beat."""
    ahead: dict[str, list[str]] = {}
    for contest in having(found, "better"):
        gain = contest.difference
        if gain is not None:
            ahead.setdefault(method_name(contest.method), []).append(
                f"{contest.tier} by {percent(gain.value)} points ({interval(gain.low, gain.high)})"
            )
    even: dict[str, list[str]] = {}
    for contest in having(found, "no difference shown"):
        even.setdefault(method_name(contest.method), []).append(contest.tier)
    beaten = len(having(found, "worse"))
    return bullets(
        f"RA-CMKD is better in {beaten} of {counted(len(found), 'comparison')}.",
        *(f"Better than RA-CMKD: {name} in {listed(tiers)}." for name, tiers in ahead.items()),
        *(f"No difference shown: {name} in {listed(tiers)}." for name, tiers in even.items()),
    )


def _absent(task: TaskRuns, runs: Sequence[Run], expected: Sequence[str]) -> Html | None:
    """Name the methods whose figures are not there, and how far they are."""
    states = dict.fromkeys((OURS, *expected), "not run")
    states.update({run.method: run.state for run in runs})
    absent: dict[str, list[str]] = {}
    for name, state in states.items():
        if state != "evaluated":
            absent.setdefault(state, []).append(method_name(name))
    if not absent:
        return None
    words = "; ".join(f"{state}: {listed(names)}" for state, names in absent.items())
    return missing("Still without figures on ", code(task.name), f": {words}.")
