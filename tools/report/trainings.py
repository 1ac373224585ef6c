"""How a training went: its rounds, whether it ended, what was pruned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.report.records import Line, read_lines


@dataclass(frozen=True)
class Round:
    """One epoch of a teacher's branch, or one round of the students.

    Attributes:
        stage: of the training.
        number: within the stage, from 1.
        loss: by term.
        reached: validation accuracy by tier, of a teacher's branch by protocol.
        seconds: it took.
    """

    stage: str
    number: int
    loss: Mapping[str, float]
    reached: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Calibration:
    """What the softmax temperature of one output did.

    Attributes:
        output: which.
        tau: the temperature.
        before: expected calibration error without it.
        after: and with it.
    """

    output: str
    tau: float
    before: float
    after: float


@dataclass(frozen=True)
class Training:
    """A training, finished or not.

    Attributes:
        rounds: in order, each once, however often it was interrupted.
        finished: whether the last start came to an end.
        started: fields of the last `start` line.
        began: time of the first line, RFC 3339.
        ended: time of the last.
        shapes: of the students before and after pruning; None where nothing was pruned.
        calibrations: by output.
    """

    rounds: tuple[Round, ...]
    finished: bool
    started: Mapping[str, object]
    began: str
    ended: str
    shapes: tuple[Mapping[str, object], Mapping[str, object]] | None
    calibrations: Mapping[str, Calibration]

    @property
    def seconds(self) -> float:
        """Time that the rounds took together."""
        return sum(each.seconds for each in self.rounds)

    @property
    def planned(self) -> int | None:
        """Rounds that were planned over all stages; None where the record does not say."""
        plan = self.started.get("plan")
        total = plan.get("total") if isinstance(plan, dict) else None
        return total if isinstance(total, int) else None

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages in their order."""
        return tuple(dict.fromkeys(each.stage for each in self.rounds))


def read_training(path: Path) -> Training | None:
    """Read `teach.jsonl` or `distil.jsonl`; None where there is none.

    Raises:
        RecordError: a line lacks what it must have.
    """
    lines = read_lines(path)
    rounds: list[Round] = []
    calibrations: dict[str, Calibration] = {}
    started: Mapping[str, object] = {}
    shapes = None
    finished = False
    for line in lines:
        match line.event:
            case "start":
                started, finished = line.values, False
            case "epoch" | "round":
                made = _round(line)
                # A stage that goes on from an older checkpoint does some of its rounds again.
                rounds = [
                    each for each in rounds if each.stage != made.stage or each.number < made.number
                ]
                rounds.append(made)
            case "pruned":
                shapes = (line.mapping("before"), line.mapping("after"))
            case "calibration":
                calibration = _calibration(line)
                calibrations[calibration.output] = calibration
            case "end":
                finished = True
    if not lines:
        return None
    times = [line.maybe_text("ts") or "" for line in lines]
    return Training(tuple(rounds), finished, started, times[0], times[-1], shapes, calibrations)


def _round(line: Line) -> Round:
    loss = line.values.get("loss")
    return Round(
        stage=line.text("stage"),
        number=int(line.number(line.event)),
        loss=line.numbers("loss") if isinstance(loss, dict) else {"loss": line.number("loss")},
        reached=line.numbers("reached") or line.numbers("accuracy"),
        seconds=line.maybe_number("seconds") or 0.0,
    )


def _calibration(line: Line) -> Calibration:
    return Calibration(
        output=line.text("output" if "output" in line.values else "branch"),
        tau=line.number("tau"),
        before=line.number("error_before"),
        after=line.number("error_after"),
    )
