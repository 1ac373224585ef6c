"""The ablations: RA-CMKD without each of its parts."""

from tools.report.comparison import compared
from tools.report.markup import Child, Html, element, heading, joined, missing, note
from tools.report.names import MEANINGS, METHODS, is_ablation, method_name
from tools.report.runs import Runs

ABLATIONS = [name for name in METHODS if is_ablation(name)]


def ablations(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = [
        element(
            "dl",
            *(
                joined(element("dt", method_name(name)), element("dd", MEANINGS[name]))
                for name in ABLATIONS
            ),
        )
    ]
    some = [task for task in runs.tasks.values() if task.ablations]
    for task in some:
        parts += [heading(task.name), *compared(task, task.ablations, ABLATIONS, "ablations")]
    if not some:
        return joined(*parts, missing("No ablation has been run yet."))
    parts.append(
        note(
            "Read as above: a row that is worse than RA-CMKD shows what the part that it lacks is "
            "worth; where no difference is shown, the part has not proved its worth. Adaptive "
            "precision has a table of its own below."
        )
    )
    return joined(*parts)
