"""`edge-daemon demo`: the daemon on the embedded clip, under a scripted resource trace."""

import argparse
import os
import tempfile
import time
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.demo import DIRECTORY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the journal goes."""
    parser.add_argument(
        "--journal", type=Path, metavar="DIR", help="journal directory; default: a new one in /tmp"
    )
    parser.add_argument(
        "--lockstep",
        action="store_true",
        help="as fast as possible and deterministic, instead of in real time",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; success means that all four tiers ran and `high` ran at the end."""
    from edge_daemon import signals

    signals.block()  # before any thread starts, numpy's included: threads inherit the mask
    from msgspec.structs import replace

    from edge_daemon.commands.conduct import conduct, leave
    from edge_daemon.config import load_config
    from edge_daemon.daemon import Daemon
    from edge_daemon.demo.view import DemoView, summary
    from edge_daemon.terminal import standard_output, understands_colour

    directory = arguments.journal or Path(tempfile.mkdtemp(prefix="edge-daemon-demo-"))
    config = load_config(DIRECTORY / "config.yaml", os.environ)
    config = replace(config, journal=replace(config.journal, directory=directory.absolute()))
    if arguments.lockstep:
        config = replace(config, replay=replace(config.replay, pace="lockstep"))
    stream = standard_output()
    started_s = time.monotonic()
    view = DemoView(
        stream,
        lambda: time.monotonic() - started_s,
        colour=understands_colour(stream, os.environ),
    )
    daemon = Daemon(config, observe=view.write)
    started_s = time.monotonic()
    code, stop = conduct(daemon, reloads=False)
    if stop is None:
        return code
    view.say(summary(stop, f"{daemon.journal.directory}/journal.jsonl"))
    whole = all(seconds > 0 for seconds in stop.tier_s.values()) and view.tier == "high"
    if stop.reason == "end of replay" and not whole:
        code = exitcode.TROUBLE
    return leave(daemon, code)
