"""The `edge-daemon` command: parses arguments, then imports only the command that was asked for."""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from edge_daemon import __version__, exitcode
from edge_daemon.terminal import PrintableFormatter, printable_lines

COMMANDS = {
    "run": "run the daemon in the foreground",
    "demo": "replay the embedded clip under a scripted resource trace (about 20 s)",
    "config": "print a complete, commented config.yaml to start from",
    "check": "check config, bundle and devices; non-zero on trouble",
    "devices": "list cameras, microphones, thermal zones and batteries",
    "doctor": "look at the system and say what to change",
    "explain": "say why the present tier runs, and what a move up needs",
    "tail": "show the journal, coloured and aligned, across rotation",
    "bench": "measure the tiers and the daemon's own cost on this device",
    "profile": "measure what each tier costs on this device, for the governor",
    "replay-governor": "decide again on recorded readings, and compare",
    "bundle": "verify or show a bundle of models",
}

EPILOG = """\
examples:
  edge-daemon demo
  edge-daemon devices
  edge-daemon check --config config.yaml
  edge-daemon run --config config.yaml --tier low
  edge-daemon tail --follow /var/log/edge-daemon

exit codes:
   0  success
   1  a check found trouble, or the daemon stopped because of a fault
   2  the command line is wrong
  75  another daemon writes this journal
  78  the config or the bundle is wrong
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="edge-daemon",
        description="On-device audio-visual classification that adapts to the board.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"edge-daemon {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == wanted:
            command = _module(name)
            command.add_arguments(subparser)
    namespace = parser.parse_args(arguments)
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(PrintableFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[to_stderr], level=logging.WARNING)
    return _run(namespace)


def _run(namespace: argparse.Namespace) -> int:
    # The matrices here are tiny: a thread a core for them would only cost memory and wake-ups.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    command = _module(namespace.command)
    try:
        return int(command.run(namespace))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has left (`| head`): say nothing more, not even at exit.
        sys.stderr.close()
        return exitcode.OK
    except Exception as error:
        if not _is_bad_input(error):
            raise
        print(printable_lines(f"edge-daemon: {error}"), file=sys.stderr)
        return exitcode.CONFIG


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"edge_daemon.commands.{name.replace('-', '_')}")


def _is_bad_input(error: Exception) -> bool:
    """Whether what was given is at fault; imported late, as these bring numpy along."""
    from edge_daemon.config import ConfigError
    from edge_daemon.governor.profilefile import ProfileError
    from edge_daemon.governor.script import TraceError
    from edge_daemon.inference.bundle import BundleError
    from edge_daemon.inference.interpreter import InterpreterError

    wrong = (ConfigError, BundleError, InterpreterError, ProfileError, TraceError)
    return isinstance(error, wrong)


def entry() -> NoReturn:
    """Console entry point."""
    sys.exit(main())
