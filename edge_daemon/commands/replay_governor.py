"""`edge-daemon replay-governor`: decides again on recorded readings, and compares."""

import argparse
import shutil
import textwrap
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.config.load import SYSTEM_JOURNAL, SYSTEM_STATE
from edge_daemon.permission import unreadable
from edge_daemon.terminal import standard_output

if TYPE_CHECKING:
    from edge_daemon.config import Config
    from edge_daemon.governor.profilefile import Choice
    from edge_daemon.review.comparison import Comparison
    from edge_daemon.review.trace import Trace

_SOURCES = {
    "recording": "a recording with every reading",
    "journal": (
        "a journal, which has a reading now and then: each holds until the next, and differences "
        "of a few seconds mean nothing (`run --record` writes all readings)"
    ),
    "script": "a scripted trace, whose last row holds for a minute",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The trace, the config to try, and how to tell."""
    parser.add_argument(
        "trace",
        metavar="TRACE",
        type=Path,
        help="a recording (run --record), a journal's directory or file, or a scripted trace",
    )
    options.add_config(parser)
    parser.add_argument("--all", action="store_true", help="show every difference, not the first")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", action="store_true", help="exit 1 where a decision differs")
    parser.epilog = (
        "A recording is replayed with its own limits and profile, unless --config names others.\n"
        "The readings are those of the board with the tiers that ran: what another tier would\n"
        "have changed in its load, heat and memory is not in them.\n\n"
        "exit codes: 0 replayed, 1 with --check where a decision differs, 78 the trace or the\n"
        "config is wrong"
    )


def run(arguments: argparse.Namespace) -> int:
    """Rerun the policy over the trace and print what differs."""
    from edge_daemon.governor.script import TraceError
    from edge_daemon.review.comparison import compare
    from edge_daemon.review.opening import open_trace
    from edge_daemon.review.rerun import rerun

    refused = unreadable(arguments.trace)
    if refused is not None:
        raise TraceError(refused)
    trace = open_trace(arguments.trace)
    if trace.kind == "script" and arguments.check:
        raise TraceError(f"{arguments.trace}: a scripted trace has no decisions to check against")
    first = next(trace.steps, None)
    if first is None:
        raise TraceError(f"{arguments.trace}: has no reading")
    own = trace.kind == "recording" and arguments.config is None
    config = None if own else options.load(arguments)
    chosen = None if config is None else _choice(config, arguments.trace, trace, first)
    found = compare(
        rerun(
            chain([first], trace.steps),
            None if config is None else config.governor.limits,
            None if chosen is None else chosen.profile,
        )
    )
    if found.polls == 0:
        raise TraceError(
            f"{arguments.trace}: has no reading on which the policy was asked; was a tier pinned?"
        )
    show = _json if arguments.json else _text
    for line in show(arguments, trace, first, found, chosen):
        print(line, file=standard_output())
    return exitcode.TROUBLE if arguments.check and found.differing else exitcode.OK


def searched(
    wanted: str, trace: Path, journal: Path = SYSTEM_JOURNAL, state: Path = SYSTEM_STATE
) -> str:
    """Return what `governor.profile` names for a journal: the service's has its state beside it.

    Args:
        wanted: as the config has it; a directory to search ends in a slash.
        trace: the journal's directory or one of its files.
        journal: the service's.
        state: where the service looks for what was measured.
    """
    if wanted.endswith("/") and trace.resolve().is_relative_to(journal):
        return f"{state}/"
    return wanted


def _text(
    arguments: argparse.Namespace,
    trace: "Trace",
    first: object,
    found: "Comparison",
    chosen: "Choice | None",
) -> Iterator[str]:
    from edge_daemon.review.report import report

    width = max(60, min(shutil.get_terminal_size().columns, 100))
    about = getattr(first, "about", "")
    bad = f" {trace.bad_lines} lines could not be read." if trace.bad_lines else ""
    head = f"{arguments.trace}: {_SOURCES[trace.kind]}{f'; {about}' if about else ''}.{bad}"
    yield textwrap.fill(head, width, break_on_hyphens=False)
    yield f"Replayed with {_settings(arguments, trace)}."
    yield textwrap.fill(f"Profile: {_why(chosen)}.", width, break_on_hyphens=False)
    yield ""
    yield from report(found, width=width, everything=arguments.all)


def _json(
    arguments: argparse.Namespace,
    trace: "Trace",
    first: object,
    found: "Comparison",
    chosen: "Choice | None",
) -> Iterator[str]:
    import msgspec

    result = {
        "trace": str(arguments.trace),
        "kind": trace.kind,
        "about": getattr(first, "about", ""),
        "settings": _settings(arguments, trace),
        "profile": _why(chosen),
        "bad_lines": trace.bad_lines,
        "switches_per_hour": {
            "recorded": found.per_hour(found.recorded) if found.compared else None,
            "replayed": found.per_hour(found.replayed),
        },
        "longest": found.longest,
        **{name: getattr(found, name) for name in found.__struct_fields__},
    }
    yield msgspec.json.encode(result).decode()


def _settings(arguments: argparse.Namespace, trace: "Trace") -> str:
    if trace.kind == "recording" and arguments.config is None:
        return "the recorded limits"
    path = options.config_path(arguments)
    return "the default limits" if path is None else f"the limits of {path}"


def _why(chosen: "Choice | None") -> str:
    return "the recorded one" if chosen is None else chosen.why


def _choice(config: "Config", path: Path, trace: "Trace", first: object) -> "Choice | None":
    """Return the profile that the config names; None for the one that was recorded."""
    from msgspec.structs import replace

    from edge_daemon.governor.profilefile import board_name, choose_profile
    from edge_daemon.review.trace import Begin

    wanted = config.governor.profile
    if wanted.endswith("/") and trace.kind == "recording":  # what `auto` stands for
        return None
    ran = first if isinstance(first, Begin) else Begin()
    bundle_sha256, board = ran.bundle_sha256, ran.board
    if trace.kind == "script":
        from edge_daemon.inference.bundle import load_bundle

        bundle_sha256, board = load_bundle(config.bundle).sha256, board_name()
    if trace.kind == "journal":
        wanted = searched(wanted, path)
    chosen = choose_profile(wanted, bundle_sha256, board)
    if not chosen.profile.measured:
        return chosen
    period_ms = float(config.window.period_ms)
    return chosen._replace(profile=replace(chosen.profile, period_ms=period_ms))
