"""Runs drills one after another, and turns whatever happens into an outcome."""

import contextlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.drills.catalogue import name_of
from tools.drills.fault import Fault
from tools.drills.needs import SkipError
from tools.drills.outcome import Outcome
from tools.drills.program import Kind, StartError
from tools.drills.stage import Stage
from tools.drills.table import NO_COUNTERPART


def run_drill(fault: Fault, kind: Kind, *, rounds: int, keep: Path | None = None) -> Outcome:
    """Run one drill against one program in a folder of its own, below `keep` where there is one."""
    name = name_of(fault)
    if kind != "daemon" and not fault.COUNTERPART:
        return Outcome(name, kind, "skipped", note=NO_COUNTERPART)
    with contextlib.ExitStack() as stack:
        if keep is None:
            temporary = tempfile.TemporaryDirectory(prefix="drill-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        else:
            folder = keep / f"{name}-{kind}"
            folder.mkdir(parents=True)
        try:
            return fault.run(Stage(name, kind, folder, rounds))
        except SkipError as error:
            return Outcome(name, kind, "skipped", note=str(error))
        except StartError as error:
            return Outcome(name, kind, "failed", failures=(str(error),))


def run_drills(
    faults: Iterable[Fault],
    kinds: Iterable[Kind],
    *,
    rounds: int,
    keep: Path | None,
    show: Callable[[Outcome], None],
) -> list[Outcome]:
    """Run drills against programs, and show each outcome as it comes."""
    outcomes = []
    kinds = tuple(kinds)
    for fault in faults:
        for kind in kinds:
            outcome = run_drill(fault, kind, rounds=rounds, keep=keep)
            show(outcome)
            outcomes.append(outcome)
    return outcomes
