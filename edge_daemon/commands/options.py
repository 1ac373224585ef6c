"""Options that several commands share, and the config that they amount to."""

import argparse
import logging
import os
from pathlib import Path
from stat import S_IROTH

from msgspec.structs import replace

from edge_daemon.config import Config, find_config, load_config
from edge_daemon.config.load import SYSTEM_JOURNAL
from edge_daemon.redaction import redact
from edge_daemon.tier import TIERS

log = logging.getLogger(__name__)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help="default: $EDGE_DAEMON_CONFIG, else /etc/edge-daemon/config.yaml, else the defaults",
    )


def add_tier(parser: argparse.ArgumentParser) -> None:
    """Add `--tier`."""
    parser.add_argument(
        "--tier",
        choices=("auto", *map(str, reversed(TIERS))),
        help="pin a tier, or let the governor choose whatever the config says",
    )


def config_path(arguments: argparse.Namespace) -> Path | None:
    """Return the file that the config comes from; None for the defaults."""
    return find_config(arguments.config, os.environ)


def journal_directory(config: Path | None) -> Path:
    """Return the config's journal, or the service's where the config's is not there."""
    directory = load_config(find_config(config, os.environ), os.environ).journal.directory
    return SYSTEM_JOURNAL if not directory.exists() and SYSTEM_JOURNAL.exists() else directory


def load(arguments: argparse.Namespace) -> Config:
    """Return the config with the command line's options put over it; raises ConfigError."""
    path = config_path(arguments)
    config = load_config(path, os.environ)
    if path is not None and _holds_secret(config.video.device):
        _warn_of_readers(path)
    tier = getattr(arguments, "tier", None)
    if tier is not None:
        config = replace(config, tier=tier)
    journal = getattr(arguments, "journal", None)
    if journal is not None:
        config = replace(config, journal=replace(config.journal, directory=journal.absolute()))
    return config


def _holds_secret(device: int | str) -> bool:
    return isinstance(device, str) and redact(device) != device


def _warn_of_readers(path: Path) -> None:
    status = path.stat()
    if not status.st_mode & S_IROTH:
        return
    remedy = f"chmod o-r {path}"
    if status.st_uid == 0 and status.st_gid == 0:  # the service has a user of its own
        remedy = f"sudo chgrp edge-daemon {path} && sudo {remedy}"
    log.warning("%s: anybody may read the camera's password in it: %s", path, remedy)
