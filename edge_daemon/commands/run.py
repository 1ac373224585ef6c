"""`edge-daemon run`: the daemon in the foreground, as systemd starts it."""

import argparse
import logging
import os
from pathlib import Path

from edge_daemon.commands import options

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Config, tier, journal, and the filesystem root of the probes."""
    options.add_config(parser)
    options.add_tier(parser)
    parser.add_argument(
        "--journal", type=Path, metavar="DIR", help="journal directory, over the config's"
    )
    parser.add_argument(
        "--sysroot",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="read /proc and /sys below DIR (for tests)",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write every reading to FILE, with what was decided on it, for replay-governor",
    )
    parser.add_argument(
        "--record-mib",
        type=_mib,
        default=64,
        metavar="MIB",
        help="where FILE ends (64: about a day and a half)",
    )
    parser.epilog = (
        "examples:\n"
        "  edge-daemon run\n"
        "  edge-daemon run --config config.yaml --tier low\n"
        "  edge-daemon run --record night.jsonl\n\n"
        "signals: SIGTERM and SIGINT stop, a second one at once; SIGHUP reads the config again"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until a signal or the end of a replay."""
    from edge_daemon import signals

    signals.block()  # before any thread starts, numpy's included: threads inherit the mask
    from edge_daemon.commands.conduct import conduct, leave
    from edge_daemon.daemon import Daemon
    from edge_daemon.governor.build import Recording

    config = options.load(arguments)
    logging.getLogger().setLevel(config.log.level.upper())
    path = options.config_path(arguments)
    daemon = Daemon(
        config,
        root=arguments.sysroot,
        environ=os.environ,
        reload=None if path is None else lambda: options.load(arguments),
        recording=None
        if arguments.record is None
        else Recording(arguments.record, arguments.record_mib * 2**20),
    )
    log.info(
        "config %s, journal %s/journal.jsonl", path or "built-in defaults", daemon.journal.directory
    )
    code, stop = conduct(daemon, reloads=True)
    if stop is not None:
        log.info("stopped: %s", stop.reason)
    return leave(daemon, code)


def _mib(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_048_576:
        raise argparse.ArgumentTypeError(f"{text!r} is no size in MiB, from 1 to 1048576")
    return int(text)
