"""One fault, from the moment it begins to the moment the program is as before, and its verdict."""

import contextlib
import time
from collections.abc import Iterator, Sequence

from tools.drills.lines import Line, Wanted, read_file
from tools.drills.measure import (
    NS_PER_S,
    gaps_s,
    lost_windows,
    missing_numbers,
    repeated_numbers,
    seconds_to,
)
from tools.drills.outcome import Outcome, Verdict
from tools.drills.program import Program

RECOVERY_S = 5.0
"""How soon after the end of a fault everything must be as before."""

SILENCE_S = 1.5
"""The longest time without an answer on a machine that others use as well."""

STOP_S = 5.0
"""How long a stop may take; 2 s are promised on a machine that nobody else uses."""

AFTER_S = 1.0
"""How long a program is watched after it has recovered."""

READINGS = 3
"""Lines that may be dropped among the predictions, and that only the journal's count knows of."""

SCRIPT_WATCH_S = 6.0
"""How long the script is given to recover."""


def answered(line: Line) -> bool:
    """Return whether a line is an answer."""
    return line.event == "prediction"


def saw(line: Line) -> bool:
    """Return whether a line is an answer to a fresh picture."""
    return line.says("prediction", image=True)


def heard(line: Line) -> bool:
    """Return whether a line is an answer to a sound."""
    return line.says("prediction", audio=True)


def journal_says(words: str) -> Wanted:
    """Return the search for a fault of the journal's own disk, which it writes afterwards."""
    return lambda line: (
        line.says("fault", part="journal") and words in str(line.fields.get("message", ""))
    )


class Trial:
    """Times one fault and judges what the program did.

    Args:
        drill: its name.
        program: settled.
        recovered: the answer that shows that all is as before.
        counted: the answers that may never stop, the fault included.
        reported: the line in the journal that says what is wrong, or that it was.
        logged: what the daemon's log says before, where the journal itself is what fails; both are
            then asked for.
        quiet: whether there is nothing to report.
        within_s: how soon after the fault's end it must have recovered.
        silence_s: the longest time without a counted answer; None where the fault takes them all,
            or their lines.
        stands_s: the longest that the loop may have stood still, by its own count.
        lines_lost: how many lines may be lost; the journal has to say how many were.
        deleted: whether the fault deletes the file: what was in it is then no loss of lines.
    """

    def __init__(
        self,
        drill: str,
        program: Program,
        *,
        recovered: Wanted = saw,
        counted: Wanted = saw,
        reported: Wanted | None = None,
        logged: str | None = None,
        quiet: bool = False,
        within_s: float = RECOVERY_S,
        silence_s: float | None = SILENCE_S,
        stands_s: float = SILENCE_S,
        lines_lost: int = 0,
        deleted: bool = False,
    ) -> None:
        self.drill = drill
        self.program = program
        self.note = ""
        self.began_ns = 0
        self.healed_ns = 0
        self._recovered = recovered
        self._counted = counted
        self._reported = reported
        self._logged = logged
        self._quiet = quiet
        self._within_s = within_s
        self._silence_s = silence_s
        self._stands_s = stands_s
        self._lines_lost = lines_lost
        self._deleted = deleted
        self._failures: list[str] = []

    @contextlib.contextmanager
    def fault(self) -> Iterator[None]:
        """Bring the fault about at the start of the block, and end it at the block's end."""
        self.began_ns = time.monotonic_ns()
        yield
        self.healed_ns = time.monotonic_ns()

    def expect(self, holds: bool, failure: str) -> None:
        """Note a promise that a drill has looked at itself; the script has made none."""
        if not holds and self.program.kind == "daemon":
            self._failures.append(failure)

    def end(self) -> Outcome:
        """Wait for the recovery, stop the program and judge."""
        program = self.program
        patience_s = SCRIPT_WATCH_S if program.is_peer else 4 * self._within_s
        back = program.wait_for(self._recovered, self.healed_ns, patience_s)
        if back is not None:
            program.go_on(AFTER_S)
        elif program.is_peer:
            self._watch_out(patience_s)
        end_ns = time.monotonic_ns()
        ended_early = not program.running
        asked_s = time.monotonic()
        code = program.stop(STOP_S)
        if ended_early:
            last = program.said[-1][1] if program.said else ""
            self.note = self.note or f"ended with {code}: {last}"
        self.expect(not ended_early, f"it ended by itself: {program.last_words(300)}")
        took_s = time.monotonic() - asked_s
        self.expect(code == 0, f"the stop took {took_s:.1f} s and gave exit code {code}")
        return self._judge(end_ns)

    def _watch_out(self, patience_s: float) -> None:
        """Let the time pass that everything else was given, so that losses compare."""
        deadline_s = self.healed_ns / NS_PER_S + patience_s
        while time.monotonic() < deadline_s:
            time.sleep(0.05)

    def _judge(self, end_ns: int) -> Outcome:
        program = self.program
        lines = program.lines
        times_ns = sorted(line.at_ns for line in lines if self._counted(line))
        gaps = gaps_s(times_ns, self.began_ns, end_ns)
        reported_s = self._report_s()
        recovered_s = seconds_to(lines, self._recovered, self.healed_ns)
        kept, torn = read_file(program.follower.path)
        if self._deleted:
            kept = lines
        stop = next((line.fields for line in reversed(kept) if line.event == "stop"), None)
        self.expect(stop is not None, "there is no stop line: nobody knows what was dropped")
        lost_lines = _lost_lines(kept, torn, 0 if stop is None else int(stop["predictions"]))
        stood_s = 0.0 if stop is None else float(stop["late_max_s"])
        lost_by_journal = sum(int(line.fields.get("lines_lost", 0)) for line in kept)
        if not self._quiet:
            self.expect(reported_s is not None, "nothing was reported")
        self.expect(
            recovered_s is not None and recovered_s <= self._within_s,
            f"recovered after {_or_never(recovered_s)}, {self._within_s:g} s are promised",
        )
        if self._silence_s is not None:
            self.expect(max(gaps) <= self._silence_s, f"{max(gaps):.1f} s without an answer")
        self.expect(stood_s <= self._stands_s, f"the loop stood still for {stood_s:.1f} s")
        self.expect(
            lost_lines <= self._lines_lost,
            f"{lost_lines} lines lost or torn {[piece[:60] for piece in torn]}",
        )
        self.expect(
            lost_lines <= lost_by_journal <= lost_lines + READINGS or self._deleted,
            f"{lost_lines} lines lost, the journal says {lost_by_journal}",
        )
        self.expect(repeated_numbers(kept) == 0, "numbers of lines come twice")
        tracebacks = [text for _, text in program.words() if text.startswith("Traceback")]
        self.expect(not tracebacks, f"{len(tracebacks)} tracebacks in the log")
        verdict: Verdict = "measured" if program.is_peer else "passed"
        return Outcome(
            drill=self.drill,
            program=program.kind,
            verdict="failed" if self._failures else verdict,
            reported_s=_rounded(reported_s),
            recovered_s=_rounded(recovered_s),
            silent_s=_rounded(max(gaps)),
            lost_windows=lost_windows(gaps, program.period_s),
            lost_lines=lost_lines,
            note=self.note,
            failures=tuple(self._failures),
            quiet=self._quiet,
        )

    def _report_s(self) -> float | None:
        """Return the time to the first word of the fault; None where one is missing."""
        said = [(at_ns - self.began_ns) / NS_PER_S for at_ns, _ in self._words()]
        if self.program.is_peer:
            return min(said, default=None)
        words = []
        if self._reported is not None:
            words.append(seconds_to(self.program.lines, self._reported, self.began_ns))
        if self._logged is not None:
            words.append(min(said, default=None))
        found = [word for word in words if word is not None]
        return min(found) if found and len(found) == len(words) else None

    def _words(self) -> Iterator[tuple[int, str]]:
        """Return what the log says of the fault; anything the script says counts."""
        wanted = "" if self.program.is_peer else self._logged or ""
        return (word for word in self.program.words(self.began_ns) if wanted in word[1])


def _lost_lines(lines: Sequence[Line], torn: Sequence[bytes], answers: int) -> int:
    """Return how many lines are torn or missing: by the daemon's count, or by their numbers.

    A line that was dropped has no number, one that was written and is gone leaves a gap.

    Args:
        lines: what the file holds.
        torn: its pieces that are no lines.
        answers: how many the daemon says that it gave.
    """
    dropped = max(0, answers - sum(answered(line) for line in lines))
    return len(torn) + max(dropped, missing_numbers(lines))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _or_never(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
