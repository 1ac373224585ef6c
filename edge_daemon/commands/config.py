"""`edge-daemon config`: prints a complete, commented config.yaml to start from."""

import argparse
import sys
from pathlib import Path

from edge_daemon import exitcode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments; an example."""
    parser.epilog = "example:\n  edge-daemon config > my.yaml"


def run(arguments: argparse.Namespace) -> int:
    """Print the shipped config.yaml."""
    from edge_daemon.resources import shipped_config

    sys.stdout.write(commented(shipped_config()))
    return exitcode.OK


def commented(path: Path) -> str:
    """Return the text of the shipped config.yaml.

    Raises:
        ConfigError: it is empty, as where a shell has emptied it to receive this very text.
    """
    from edge_daemon.config import ConfigError

    text = path.read_text(encoding="utf-8")
    if not text:
        raise ConfigError(
            f"{path}: is empty: is it what `edge-daemon config >` writes to? Restore it "
            f"(git checkout {path.name}), and write to another file, such as my.yaml"
        )
    return text
