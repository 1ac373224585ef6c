"""`edge-daemon tail`: shows the journal, coloured and aligned, and follows it across rotation."""

import argparse
import os
import shutil
import sys
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.journal.line import EVENTS
from edge_daemon.journal.reader import BadLine, Line, follow, read
from edge_daemon.journal.render import Renderer
from edge_daemon.permission import unreadable
from edge_daemon.terminal import printable, standard_output, understands_colour

_KINDS = [str(kind.__struct_config__.tag) for kind in EVENTS]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "path",
        metavar="DIR",
        nargs="?",
        type=Path,
        help="the journal's directory, or one of its files (default: the config's)",
    )
    options.add_config(parser)
    parser.add_argument(
        "-n", "--lines", type=_count, default=20, metavar="N", help="begin N lines back (20)"
    )
    parser.add_argument(
        "-f",
        "--follow",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="wait for more lines (default: on a terminal)",
    )
    parser.add_argument(
        "-e",
        "--event",
        action="append",
        choices=_KINDS,
        metavar="EVENT",
        help=f"only these, and may be given again: {', '.join(_KINDS)}",
    )
    parser.add_argument("--json", action="store_true", help="print the lines as they are")


def run(args: argparse.Namespace) -> int:
    """Show the journal until Ctrl-C, or to its end; return the exit code."""
    out = standard_output()
    try:
        return _show(args, out)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has left (`| head`): give the buffer at exit somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        return 0
    except OSError as error:
        return _refuse(f"cannot read the journal: {error}")


class Printer:
    """Prints lines, with a heading where the date changes."""

    def __init__(self, out: TextIO, renderer: Renderer) -> None:
        self._out = out
        self._renderer = renderer
        self._day = ""

    def line(self, line: Line) -> None:
        """Print a line."""
        day = self._renderer.day(line.fields)
        if day and day != self._day:
            self._day = day
            print(self._renderer.heading(day), file=self._out)
        print(self._renderer(line.fields), file=self._out, flush=True)

    def bad(self, line: BadLine) -> None:
        """Say, on standard error, where a line cannot be read."""
        sys.stderr.write(printable(f"{line.path}: byte {line.offset}: {line.why}") + "\n")


def _show(args: argparse.Namespace, out: TextIO) -> int:
    path: Path = args.path or options.journal_directory(args.config)
    refused = unreadable(path)
    if refused is not None:
        return _refuse(refused)
    follows = out.isatty() if args.follow is None else args.follow
    if not path.exists() and not follows:
        raise FileNotFoundError(2, "no such file or directory", str(path))
    width = shutil.get_terminal_size().columns if out.isatty() else 120
    printer = Printer(out, Renderer(width=width, colour=understands_colour(out, os.environ)))
    events = None if args.event is None else set(args.event)

    def keep(line: Line) -> bool:
        return events is None or line.event in events

    stop = threading.Event()
    if path.is_file():
        kept = (line for line in read(path, printer.bad) if keep(line))
        lines: Iterable[Line] = deque(kept, maxlen=args.lines)
    else:
        if not follows:
            stop.set()
        elif not path.exists():
            sys.stderr.write(f"waiting for {path}\n")
        lines = follow(path, stop, count=args.lines, keep=keep, on_bad=printer.bad)
    for line in lines:
        if args.json:
            out.buffer.write(line.raw + b"\n")
            out.flush()
        else:
            printer.line(line)
    return 0


def _refuse(text: str) -> int:
    sys.stderr.write(printable(f"edge-daemon: {text}") + "\n")
    return exitcode.TROUBLE


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)
