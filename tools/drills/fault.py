"""What a module in `faults` is: one drill."""

from typing import Protocol

from tools.drills.outcome import Outcome
from tools.drills.stage import Stage


class Fault(Protocol):
    """A module whose name is the drill's, with a phrase for its docstring.

    Attributes:
        COUNTERPART: whether the peers have what the fault strikes.
    """

    __name__: str
    __doc__: str | None
    COUNTERPART: bool

    def run(self, stage: Stage) -> Outcome:
        """Bring the fault about and return what came of it.

        Raises:
            SkipError: it cannot be brought about here.
            StartError: the program gave no answers even without it.
        """
