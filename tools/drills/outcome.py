"""What a drill found: figures, and what fell short of what is promised."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["passed", "failed", "measured", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One drill against one program.

    Attributes:
        drill: its name.
        program: `daemon`, `script` or `sdk`.
        verdict: `measured` for a peer, which promises nothing.
        reported_s: from the fault to the first word of it; None where there was none.
        recovered_s: from the end of the fault to the first answer as before; None for never.
        silent_s: the longest time without an answer, from the fault to the end of the watch.
        lost_windows: windows of that time without an answer.
        lost_lines: lines that should be in the file and are not, or are torn.
        note: what the figures do not say.
        failures: what was promised and did not hold.
        quiet: whether there was nothing to report.
    """

    drill: str
    program: str
    verdict: Verdict
    reported_s: float | None = None
    recovered_s: float | None = None
    silent_s: float | None = None
    lost_windows: int | None = None
    lost_lines: int | None = None
    note: str = ""
    failures: tuple[str, ...] = ()
    quiet: bool = False

    def record(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)
