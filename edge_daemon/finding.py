"""What the doctor says of one thing: what is the case, how much it matters, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    INFO = "info"  # worth knowing; nothing to do, or only if it is wanted
    WARN = "warn"  # works, but worse than it could
    FAIL = "fail"  # does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        name: what was looked at.
        verdict: how much it matters.
        detail: what is the case, with its numbers.
        remedy: what to do about it; empty where there is nothing to do.
    """

    name: str
    verdict: Verdict
    detail: str
    remedy: str = ""
