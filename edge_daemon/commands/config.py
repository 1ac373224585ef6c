"""`edge-daemon config`: prints a complete, commented config.yaml to start from."""

import argparse
import sys

from edge_daemon import exitcode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments; an example."""
    parser.epilog = "example:\n  edge-daemon config > config.yaml"


def run(arguments: argparse.Namespace) -> int:
    """Print the shipped config.yaml."""
    from edge_daemon.resources import shipped_config

    sys.stdout.write(shipped_config().read_text(encoding="utf-8"))
    return exitcode.OK
