"""What was measured on a bundle's files, or on a teacher's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.report.records import Line, read_lines

TEACHER = "teacher"


@dataclass(frozen=True)
class Accuracy:
    """One tier under one protocol.

    Attributes:
        tier: a tier, or "teacher", "teacher-visual", "teacher-audio".
        protocol: which.
        samples: pairs of the test split.
        value: share of right answers.
        low: lower end of its 95 % interval.
        high: upper end.
        float32: the same of the network before quantisation; None where it was not asked.
        agreement: share of pairs on which file and network agree; None likewise.
    """

    tier: str
    protocol: str
    samples: int
    value: float
    low: float
    high: float
    float32: float | None = None
    agreement: float | None = None


@dataclass(frozen=True)
class Cost:
    """What one file costs; None for what was not measured.

    Attributes:
        tier: as in `Accuracy`.
        bytes: of the file.
        macs: multiply-accumulates of one inference.
        median_us: of one inference with one thread.
        late_us: the 95th percentile.
        parameters: of the network.
    """

    tier: str
    bytes: float | None = None
    macs: float | None = None
    median_us: float | None = None
    late_us: float | None = None
    parameters: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The last evaluation in a record.

    Attributes:
        accuracies: by tier and protocol.
        costs: by tier; "teacher" is the teacher's file timed in the same run.
        bundle: name and version, "" of a teacher.
        runtime: name and version of the interpreter.
        ended: when its last line was written, RFC 3339.
    """

    accuracies: Mapping[tuple[str, str], Accuracy]
    costs: Mapping[str, Cost]
    bundle: str = ""
    runtime: str = ""
    ended: str = ""

    def bytes_of(self, tiers: Sequence[str]) -> float | None:
        """Return the bytes of several files together; None where one is missing."""
        sizes = [self.costs[tier].bytes if tier in self.costs else None for tier in tiers]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def read_evaluation(path: Path) -> Evaluation | None:
    """Read the last evaluation of a record; None where there is none.

    Raises:
        RecordError: a line lacks what it must have.
    """
    lines = _last_run(read_lines(path))
    accuracies: dict[tuple[str, str], Accuracy] = {}
    costs: dict[str, Cost] = {}
    bundle = runtime = ""
    for line in lines:
        match line.event:
            case "bundle":
                bundle = " ".join(
                    filter(None, (line.maybe_text("name"), line.maybe_text("version")))
                )
                runtime = line.maybe_text("runtime") or ""
            case "accuracy":
                made = _accuracy(line)
                accuracies[made.tier, made.protocol] = made
            case "cost":
                costs[line.text("tier")] = _cost(line, line.text("tier"))
            case "teacher":
                costs[TEACHER] = _cost(line, TEACHER)
    if not accuracies and not costs:
        return None
    return Evaluation(accuracies, costs, bundle, runtime, lines[-1].maybe_text("ts") or "")


def _last_run(lines: list[Line]) -> list[Line]:
    """An evaluation begins with its bundle; a teacher's has none and is one run."""
    begins = [index for index, line in enumerate(lines) if line.event == "bundle"]
    return lines[begins[-1] :] if begins else lines


def _accuracy(line: Line) -> Accuracy:
    return Accuracy(
        tier=line.text("tier"),
        protocol=line.text("protocol"),
        samples=int(line.number("samples")),
        value=line.number("int8" if "int8" in line.values else "value"),
        low=line.number("low"),
        high=line.number("high"),
        float32=line.maybe_number("float32"),
        agreement=line.maybe_number("agreement"),
    )


def _cost(line: Line, tier: str) -> Cost:
    return Cost(
        tier=tier,
        bytes=line.maybe_number("bytes"),
        macs=line.maybe_number("macs"),
        median_us=line.maybe_number("median_us"),
        late_us=line.maybe_number("late_us"),
        parameters=line.maybe_number("parameters"),
    )
