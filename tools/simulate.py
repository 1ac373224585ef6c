"""Play the governor against other policies and a clairvoyant on a simulated board.

    python -m tools.simulate score                      # everyone on the scoring set, and the gates
    python -m tools.simulate score --set fresh          # on traces that nothing was chosen by
    python -m tools.simulate score --trace FILE...      # on traces of your own
    python -m tools.simulate tune --policy ours         # choose settings, on the tuning set only
    python -m tools.simulate ablate                     # ours with one part left out at a time
    python -m tools.simulate sweep                      # over load and room temperature
    python -m tools.simulate plot --kind leak           # what everyone did on one trace

The board, its tiers and the traces are assumed (tools/simulation/board.py, kinds.py), so that
figures compare policies and promise nothing of a board. Records (JSON lines) and plots are written
to the output directory.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from rich.console import Console

from edge_daemon.governor.limits import Limits
from tools.simulation.board import Board
from tools.simulation.contest import Job, Result, run_jobs
from tools.simulation.contestants import ORACLE, OURS, Contestant, contestants
from tools.simulation.curves import scattered, swept
from tools.simulation.effects import effects
from tools.simulation.figures import figures
from tools.simulation.gates import gates
from tools.simulation.limitsfile import LimitsError, limits_yaml, read_limits
from tools.simulation.loop import simulate
from tools.simulation.oracle import plan
from tools.simulation.plot import write
from tools.simulation.policies.ours import OursSettings
from tools.simulation.policies.planned import Planned
from tools.simulation.recording import RecordingError, read_recording
from tools.simulation.search import RANGES, crossed, drawn_settings, judged, tried
from tools.simulation.sets import AMBIENT_C, FRESH, LOADS, SCORING, TUNING, traces
from tools.simulation.summary import Summary, summarise
from tools.simulation.tables import show_gates, show_kinds, show_summaries, show_swept, show_trials
from tools.simulation.timeline import timeline
from tools.simulation.trace import Trace
from tools.simulation.variants import variants
from tools.training.progress import Progress
from tools.training.record import Record

WIDTH = 180
"""Columns of a table that goes to no terminal."""

SWEPT_KINDS = ("ordinary", "bursts", "hot", "leak")
SWEPT_LOADS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
SWEPT_WARMER_C = (-12.0, -2.0, 3.0, 8.0, 13.0, 18.0)


def board_of(options: argparse.Namespace) -> Board:
    """Return the board that the options ask for."""
    board = Board()
    return board.without_stalls() if options.no_stalls else board


def everyone(options: argparse.Namespace) -> tuple[Contestant, ...]:
    """Return everyone, ours with the limits that the options name."""
    limits = Limits() if options.limits is None else read_limits(options.limits)
    ours = {
        "ours, published bands": OursSettings(limits, profiled=False),
        OURS: OursSettings(limits),
    }
    return tuple(contestants(ours))


def named(options: argparse.Namespace) -> list[Contestant]:
    """Return those of everyone that the options name, or all."""
    names = set(options.policy)
    return [each for each in everyone(options) if each.name in names or not names]


def chosen(options: argparse.Namespace, which: str) -> list[Trace]:
    """Return the user's traces where there are any, else a set."""
    board = board_of(options)
    if options.trace:
        return [read_recording(path, board) for path in options.trace]
    return traces(which, board, tuple(options.loads))


def play(
    title: str,
    some: Sequence[Trace],
    policies: Sequence[Contestant],
    options: argparse.Namespace,
) -> list[Result]:
    """Run policies and the oracle on traces, with progress; return all results."""
    board = board_of(options)
    jobs = [Job(trace, board, tuple(policies), options.profile_error) for trace in some]
    with Progress(title, len(jobs)) as progress:
        return list(run_jobs(jobs, options.jobs, progress.advance))


def record(path: Path, results: Sequence[Result], summaries: Sequence[Summary]) -> None:
    """Write every result and summary as a line, in place of an earlier file."""
    path.unlink(missing_ok=True)
    lines = Record(path)
    for result in results:
        lines.write("run", **asdict(result))
    for summary in summaries:
        lines.write("summary", **asdict(summary))


def score(options: argparse.Namespace, console: Console) -> int:
    """Score everyone; return 1 where --check was given and a gate of ours is not kept."""
    some = chosen(options, options.set)
    results = play("score", some, everyone(options), options)
    summaries = summarise(results)
    record(options.out / "score.jsonl", results, summaries)
    show_summaries(console, f"{len(some)} traces", summaries)
    show_kinds(console, results, OURS)
    found = list(gates(summaries, OURS))
    show_gates(console, OURS, found)
    console.print(f"plot: {write(scattered(summaries), options.out / 'scatter')}")
    return int(options.check and not all(gate.passed for gate in found))


def tune(options: argparse.Namespace, console: Console) -> int:
    """Choose settings of one policy or of all, on the tuning set."""
    some = chosen(options, TUNING)
    lines = Record(options.out / "tune.jsonl")
    for each in named(options):
        if type(each.settings) not in RANGES:
            continue
        drawn = drawn_settings(each.settings, options.draws, seed=0)
        if options.vary:
            drawn = crossed(dict(options.vary))
        results = play(each.name, some, tried(each.settings, drawn), options)
        trials = judged(drawn, results)
        for trial in trials:
            lines.write(
                "trial",
                policy=each.name,
                drawn=trial.drawn,
                cost=trial.cost,
                regret=trial.regret,
                failed=trial.failed,
            )
        if options.vary:
            show_summaries(console, f"{each.name}, {len(some)} traces", _told(drawn, results))
        show_trials(console, each.name, trials)
        if each.name == OURS and trials[0].drawn:
            path = options.out / "tuned.yaml"
            path.write_text(limits_yaml(trials[0].drawn), encoding="utf-8")
            console.print(f"config keys: {path}")
    return 0


def _told(drawn: Sequence[dict[str, float]], results: Sequence[Result]) -> list[Summary]:
    """Return the summaries of a search, named by what was drawn."""
    names = {
        str(number): ", ".join(f"{name} {value:g}" for name, value in some.items()) or "the default"
        for number, some in enumerate(drawn)
    }
    return [
        replace(each, policy=names.get(each.policy, each.policy)) for each in summarise(results)
    ]


def varied(text: str) -> tuple[str, list[float]]:
    """Return a setting of ours and its values from `ups_per_hour=8,12`."""
    name, _, values = text.partition("=")
    known = RANGES[OursSettings]
    if name not in known:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
    try:
        found = [float(value) for value in values.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: wanted {name}=NUMBER,NUMBER,…") from error
    return name, [int(value) if known[name][2] == "whole" else value for value in found]


def ablate(options: argparse.Namespace, console: Console) -> int:
    """Score ours with one part left out at a time."""
    limits = Limits() if options.limits is None else read_limits(options.limits)
    some = chosen(options, options.set)
    results = play("ablate", some, variants(limits), options)
    summaries = summarise(results)
    record(options.out / "ablate.jsonl", results, summaries)
    show_summaries(console, f"ours without one part, {len(some)} traces", summaries)
    return 0


def sweep(options: argparse.Namespace, console: Console) -> int:
    """Score everyone over load, and over room temperature."""
    policies, board = named(options), board_of(options)

    def ordinary(loads: tuple[float, ...], warmer_c: float) -> list[Trace]:
        some = traces(SCORING, board, loads, warmer_c)
        return [trace for trace in some if trace.kind in SWEPT_KINDS]

    loads = {load: ordinary((load,), 0.0) for load in SWEPT_LOADS}
    room_c = AMBIENT_C[SCORING]
    rooms = {room_c + warmer_c: ordinary((0.55,), warmer_c) for warmer_c in SWEPT_WARMER_C}
    columns = {}
    for name, label, points in (
        ("load", "scale of the foreign load", loads),
        ("room", "room temperature, °C", rooms),
    ):
        path = options.out / f"sweep-{name}.jsonl"
        path.unlink(missing_ok=True)
        lines, found = Record(path), {}
        for value, some in points.items():
            found[value] = summarise(play(f"{name} {value:g}", some, policies, options))
            for each in found[value]:
                lines.write("summary", at=value, **asdict(each))
        show_swept(console, f"over the {label}", found, OURS)
        columns[label] = found
    title = f"Over load and room temperature: {', '.join(SWEPT_KINDS)}"
    console.print(f"plot: {write(swept(title, columns), options.out / 'sweep')}")
    return 0


def draw(options: argparse.Namespace, console: Console) -> int:
    """Draw what everyone did on one trace of each kind that is asked for."""
    board = board_of(options)
    for trace in chosen(options, options.set):
        if not options.trace and trace.kind not in options.kind:
            continue
        happens, profile = effects(trace, board), board.profile(options.profile_error)
        best = partial(Planned, plan(trace, happens, board).ranks.tolist())
        runs = {ORACLE: simulate(trace, happens, board, best)}
        for each in reversed(named(options)):
            if options.policy or not each.name.startswith("always"):
                runs[each.name] = simulate(trace, happens, board, each.maker(profile, board))
        name = "timeline " + trace.name.replace("×", "x")
        path = options.out / name.replace(" ", "-")
        results = [
            Result(who, trace.name, trace.kind, trace.load, trace.seed, figures(run, trace, board))
            for who, run in runs.items()
        ]
        show_summaries(console, trace.name, summarise(results))
        shown = OURS if OURS in runs else ORACLE
        console.print(f"plot: {write(timeline(trace, board, runs, shown), path)}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "score": score,
    "tune": tune,
    "ablate": ablate,
    "sweep": sweep,
    "plot": draw,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, help="what to do; see above")
    parser.add_argument("--out", type=Path, default=Path("runs/simulation"), help="where to write")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--set", choices=(SCORING, TUNING, FRESH), default=SCORING, help="set of traces"
    )
    parser.add_argument(
        "--loads", type=float, nargs="+", default=LOADS, help="scales of the foreign load"
    )
    parser.add_argument("--limits", type=Path, help="config file whose governor.limits ours takes")
    parser.add_argument("--trace", type=Path, nargs="+", help="traces of your own: .csv or .jsonl")
    parser.add_argument("--kind", nargs="+", default=["leak", "bursts", "hot"], help="plot: kinds")
    parser.add_argument(
        "--policy",
        nargs="+",
        default=[],
        choices=[each.name for each in contestants()],
        help="tune, sweep, plot: which; all where none is named",
    )
    parser.add_argument("--draws", type=int, default=24, help="tune: settings that are tried")
    parser.add_argument(
        "--vary",
        nargs="+",
        default=[],
        type=varied,
        metavar="KEY=VALUE,VALUE",
        help="tune, with --policy ours: every combination of these in place of random settings",
    )
    parser.add_argument(
        "--profile-error", type=float, default=0.0, help="relative error of the known costs: 0.3"
    )
    parser.add_argument(
        "--no-stalls", action="store_true", help="the next tier is loaded beside the running one"
    )
    parser.add_argument("--check", action="store_true", help="score: exit 1 where a gate fails")
    options = parser.parse_args(arguments)
    if options.vary and options.policy != [OURS]:
        parser.error(f"--vary is for --policy {OURS}")
    try:
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        return COMMANDS[options.command](options, console)
    except (RecordingError, LimitsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
