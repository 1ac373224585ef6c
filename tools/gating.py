"""What reusing the scores of unchanged windows saves, and what it costs in accuracy.

    python -m tools.gating --data DIRECTORY --bundle models/avdigits

Digits of the `live` test protocol are held before a camera for one to three seconds each and said
once. Every threshold sees the same stream through the daemon's own pipeline, a window each 100 ms.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.inference.bundle import Bundle, BundleError, load_bundle
from edge_daemon.inference.gate import Reuse
from edge_daemon.inference.pipeline import Pipeline, load_pipeline
from edge_daemon.tier import Tier
from edge_daemon.window import Window
from tools.dataset import DatasetError, Folders
from tools.dataset.stream import Turn, read_material, turns
from tools.dataset.wav import RATE_HZ
from tools.evaluation.interval import bootstrap_interval
from tools.training.record import Record

NS_PER_S = 1_000_000_000
PERIOD_S = 0.1
AT_MOST_S = 0.5
THRESHOLDS = (
    (0.02, 0.02),
    (0.04, 0.02),
    (0.1, 0.02),
    (0.2, 0.02),
    (0.4, 0.02),
    (0.04, 0.0),
    (0.04, 0.1),
)
"""Thresholds for pictures and for sounds; the second pair is what the daemon ships."""

TIERS = (Tier.HIGH, Tier.LOW)
"""One tier that listens and one that does not."""


@dataclass(frozen=True, slots=True)
class Result:
    """One tier with one pair of thresholds.

    Attributes:
        tier: which.
        picture: threshold for pictures; None where every window is computed.
        sound: threshold for sounds; None likewise.
        windows: how many there were.
        reused: share of them whose scores came again.
        accuracy: share of right answers, each window on its own.
        low: lower end of its 95 % interval, by clip.
        high: upper end.
        agreement: share of windows with the answer that computing would have given.
        cpu_us: processor time of a window, in microseconds on average.
        saved: share of the processor time that is saved.
    """

    tier: Tier
    picture: float | None
    sound: float | None
    windows: int
    reused: float
    accuracy: float
    low: float
    high: float
    agreement: float
    cpu_us: float
    saved: float


class _Trial:
    """One pipeline with its settings, and what it answered."""

    def __init__(self, pipeline: Pipeline, reuse: Reuse | None, timer: Callable[[], int]) -> None:
        self.pipeline = pipeline
        self.reuse = reuse
        self.spent_ns = 0
        self.reused = 0
        self.answers: list[int] = []
        self._timer = timer

    def run(self, window: Window) -> None:
        started_ns = self._timer()
        scores = self.pipeline.run(window, self.reuse)
        self.spent_ns += self._timer() - started_ns
        self.reused += scores.reused
        self.answers.append(int(scores.probabilities.argmax()))


def measure(
    bundle: Bundle,
    stream: Iterable[Turn],
    tiers: Sequence[Tier] = TIERS,
    thresholds: Sequence[tuple[float, float]] = (),
    *,
    timer: Callable[[], int] = time.thread_time_ns,
) -> list[Result]:
    """Run a stream through pipelines that differ in their thresholds alone.

    Args:
        bundle: the models; its labels are digits.
        stream: what is seen and heard, a window each `PERIOD_S`.
        tiers: which.
        thresholds: for pictures and for sounds; computing everything always comes first.
        timer: processor time in nanoseconds.

    Returns:
        For each tier first the result of computing everything, then one for each pair.

    Raises:
        BundleError: the bundle is for something else.
        InterpreterError: a model cannot be loaded.
    """
    if bundle.sample_rate_hz not in (None, RATE_HZ):
        raise BundleError(
            f"{bundle.path}: listens at {bundle.sample_rate_hz} Hz, the words are at {RATE_HZ} Hz; "
            "choose a bundle that was trained on them"
        )
    settings = [None, *(Reuse(*pair, round(AT_MOST_S * NS_PER_S)) for pair in thresholds)]
    trials = {
        tier: [_Trial(load_pipeline(bundle, tier), reuse, timer) for reuse in settings]
        for tier in tiers
    }
    labels, clips = _play(stream, bundle, [trial for row in trials.values() for trial in row])
    results = []
    for tier, row in trials.items():
        results += [_result(tier, trial, row[0], labels, clips) for trial in row]
        for trial in row:
            trial.pipeline.close()
    return results


def _play(
    stream: Iterable[Turn], bundle: Bundle, trials: Sequence[_Trial]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Show all trials the same windows; return label and clip of each."""
    ring = SampleRing(3 * RATE_HZ, RATE_HZ)
    labels: list[int] = []
    clips: list[int] = []
    for turn in stream:
        if str(turn.label) not in bundle.labels:
            raise BundleError(
                f"{bundle.path}: labels: {turn.label} is not among them; "
                "choose a bundle that knows digits"
            )
        label = bundle.labels.index(str(turn.label))
        for picture, samples in zip(
            turn.pictures, np.array_split(turn.samples, len(turn.pictures)), strict=True
        ):
            now_ns = round((len(labels) + 1) * PERIOD_S * NS_PER_S)
            ring.append(Chunk(samples, now_ns))
            window = Window(len(labels), now_ns, Frame(picture, now_ns), ring, ring.end)
            for trial in trials:
                trial.run(window)
            labels.append(label)
            clips.append(turn.clip)
    return np.array(labels), np.array(clips)


def _result(
    tier: Tier,
    trial: _Trial,
    computed: _Trial,
    labels: NDArray[np.int64],
    clips: NDArray[np.int64],
) -> Result:
    answers = np.array(trial.answers)
    right = answers == labels
    low, high = bootstrap_interval(right, clips)
    reuse = trial.reuse
    return Result(
        tier=tier,
        picture=None if reuse is None else reuse.picture,
        sound=None if reuse is None else reuse.sound,
        windows=len(labels),
        reused=trial.reused / len(labels),
        accuracy=float(right.mean()),
        low=low,
        high=high,
        agreement=float((answers == np.array(computed.answers)).mean()),
        cpu_us=trial.spent_ns / len(labels) / 1e3,
        saved=1.0 - trial.spent_ns / computed.spent_ns,
    )


def show(results: Sequence[Result]) -> None:
    """Print a table."""
    table = Table(
        "tier",
        "picture",
        "sound",
        "reused %",
        "right %",
        "95 % interval",
        "same answer %",
        "CPU µs",
        "saved %",
    )
    for result in results:
        table.add_row(
            result.tier,
            "off" if result.picture is None else f"{result.picture:g}",
            "off" if result.sound is None else f"{result.sound:g}",
            f"{100 * result.reused:.1f}",
            f"{100 * result.accuracy:.2f}",
            f"{100 * result.low:.2f} – {100 * result.high:.2f}",
            f"{100 * result.agreement:.2f}",
            f"{result.cpu_us:.0f}",
            f"{100 * result.saved:.1f}",
        )
    Console(width=100).print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.gating",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="a directory with the folders mnist, fsdd, noise",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="directory of the bundle")
    parser.add_argument("--run", type=Path, default=Path("runs/gating"), help="for gating.jsonl")
    parser.add_argument("--turns", type=int, default=500, help="digits shown, 2 s each on average")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    folders = Folders(options.data / "mnist", options.data / "fsdd", options.data / "noise")
    try:
        bundle = load_bundle(options.bundle)
        stream = turns(read_material(folders), options.turns, PERIOD_S, options.seed)
        results = measure(bundle, stream, thresholds=THRESHOLDS)
    except (BundleError, DatasetError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    record = Record(options.run / "gating.jsonl")
    for result in results:
        record.write("gating", bundle=bundle.name, version=bundle.version, **asdict(result))
    show(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
