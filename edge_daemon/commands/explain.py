"""`edge-daemon explain`: why the present tier runs, and what would have to change for a move up."""

import argparse
import shutil
import sys
import textwrap
import time
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.permission import unreadable
from edge_daemon.terminal import printable, standard_output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The journal, and how to tell."""
    parser.add_argument(
        "path",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the journal's directory, or one of its files (default: the config's)",
    )
    options.add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.epilog = (
        "It asks the journal, not the daemon, and so explains also how the last one ended.\n\n"
        "exit codes: 0 explained, 1 there is no journal, or nothing in it to explain"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the newest lines of the journal and say what they amount to."""
    import msgspec

    from edge_daemon.clock import boottime_ns, monotonic_ns
    from edge_daemon.journal.line import read_boot_id
    from edge_daemon.journal.reader import newest_first
    from edge_daemon.review.explanation import explanation, sentences
    from edge_daemon.review.present import Clocks, NothingToExplainError, present

    path: Path = arguments.path or options.journal_directory(arguments.config)
    refused = unreadable(path)
    if refused is not None:
        return _refuse(refused)
    try:
        found = present(newest_first(path))
    except OSError as error:
        return _refuse(f"{path}: {error.strerror or error}; has the daemon run yet?")
    except NothingToExplainError as error:
        return _refuse(f"{path}: {error}; has the daemon run yet?")
    every_s = options.load(arguments).governor.reading_every_s
    now = Clocks(time.time(), monotonic_ns(), boottime_ns(), read_boot_id())
    told = explanation(found, now, silent_s=1.5 * every_s + 10.0)
    text = list(sentences(told, now.wall_s))
    out = standard_output()
    if arguments.json:
        fields = {**msgspec.to_builtins(told), "text": text}
        print(msgspec.json.encode(fields).decode(), file=out)
        return exitcode.OK
    width = max(60, min(shutil.get_terminal_size().columns, 100))
    for paragraph in text:
        print(textwrap.fill(printable(paragraph), width, break_on_hyphens=False), file=out)
    return exitcode.OK


def _refuse(text: str) -> int:
    print(printable(f"edge-daemon: {text}"), file=sys.stderr)
    return exitcode.TROUBLE
