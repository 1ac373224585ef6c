"""From a program's lines and the times of a fault to figures: pure functions."""

from collections.abc import Sequence
from itertools import pairwise

from tools.drills.lines import Line, Wanted

NS_PER_S = 1_000_000_000


def answers(lines: Sequence[Line]) -> list[int]:
    """Return when windows were answered: nanoseconds, rising."""
    return sorted(line.at_ns for line in lines if line.event == "prediction")


def seconds_to(lines: Sequence[Line], wanted: Wanted, since_ns: int) -> float | None:
    """Return the time from a moment to the first wanted line after it; None without one."""
    found = (line.at_ns for line in lines if line.at_ns >= since_ns and wanted(line))
    first_ns = min(found, default=None)
    return None if first_ns is None else (first_ns - since_ns) / NS_PER_S


def gaps_s(times_ns: Sequence[int], begin_ns: int, end_ns: int) -> list[float]:
    """Return the times between answers from `begin_ns` to `end_ns`, in seconds.

    The first gap begins with the last answer before `begin_ns`, where there was one; the last one
    ends at `end_ns`.
    """
    before = [time_ns for time_ns in times_ns if time_ns < begin_ns][-1:] or [begin_ns]
    within = [time_ns for time_ns in times_ns if begin_ns <= time_ns < end_ns]
    return [(b - a) / NS_PER_S for a, b in pairwise([*before, *within, end_ns])]


def lost_windows(gaps: Sequence[float], period_s: float) -> int:
    """Return how many windows a period apart fit into the gaps without an answer.

    An answer that comes less than half a period late is none that was lost.
    """
    return sum(max(0, round(gap_s / period_s) - 1) for gap_s in gaps)


def missing_numbers(lines: Sequence[Line]) -> int:
    """Return how many numbers (`seq`) are missing from 0 to that of the last line."""
    numbers = [line.fields["seq"] for line in lines if "seq" in line.fields]
    return sum(max(0, b - a - 1) for a, b in pairwise([-1, *numbers]))


def repeated_numbers(lines: Sequence[Line]) -> int:
    """Return how many lines do not have a higher number than the line before."""
    numbers = [line.fields["seq"] for line in lines if "seq" in line.fields]
    return sum(b <= a for a, b in pairwise(numbers))


def runs(times_ns: Sequence[int], kills_ns: Sequence[int]) -> list[list[int]]:
    """Return the answers parted by kills: those before the first, then those after each."""
    edges = [0, *kills_ns, 1 << 63]
    return [[t for t in times_ns if a <= t < b] for a, b in pairwise(edges)]


def lost_at(kill_ns: int, run: Sequence[int], period_s: float) -> int:
    """Return how many answers a run should have given between its last one and its kill."""
    return lost_windows([(kill_ns - run[-1]) / NS_PER_S], period_s) if run else 0


def starts_s(times_ns: Sequence[int], kills_ns: Sequence[int]) -> list[float]:
    """Return the time from each kill to the next answer, where that came before the next kill."""
    after = runs(times_ns, kills_ns)[1:]
    pairs = zip(kills_ns, after, strict=True)
    return [(run[0] - kill_ns) / NS_PER_S for kill_ns, run in pairs if run]
