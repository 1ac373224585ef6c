"""`edge-daemon doctor`: looks at the system and says what to change."""

import argparse
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.terminal import (
    CYAN,
    GREEN,
    RED,
    YELLOW,
    paint,
    printable,
    standard_output,
    understands_colour,
)

if TYPE_CHECKING:
    from edge_daemon.config import Config
    from edge_daemon.governor.profilefile import Choice, ProfileError

_COLOURS = {"ok": GREEN, "info": CYAN, "warn": YELLOW, "fail": RED}
_WIDTH = 96


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Config, for the journal's directory, and the filesystem root."""
    options.add_config(parser)
    parser.add_argument(
        "--sysroot", type=Path, default=Path("/"), metavar="DIR", help="look below DIR (for tests)"
    )
    parser.epilog = "exit codes: 0 nothing fails, 1 something does"


def _exposed(config: "Config") -> str | None:
    """Return who else could change the bundle; None too where the bundle is no good."""
    from edge_daemon.inference.bundle import BundleError, load_bundle
    from edge_daemon.inference.exposure import exposed_to_others

    try:
        return exposed_to_others(load_bundle(config.bundle))
    except BundleError:
        return None


def _profile(config: "Config", root: Path) -> "Choice | ProfileError | None":
    """Return what the governor goes by, or why it cannot; None where the bundle is no good."""
    from edge_daemon.governor.profilefile import ProfileError, board_name, choose_profile
    from edge_daemon.inference.bundle import BundleError, load_bundle

    try:
        bundle = load_bundle(config.bundle)
        return choose_profile(config.governor.profile, bundle.sha256, board_name(root))
    except BundleError:
        return None
    except ProfileError as error:
        return error


def run(arguments: argparse.Namespace) -> int:
    """Print each finding with its remedy."""
    from edge_daemon.doctor import collect
    from edge_daemon.finding import Verdict
    from edge_daemon.host import inspect_host

    config = options.load(arguments)

    def delegates() -> tuple[str, bool]:
        from edge_daemon.inference.bundle import load_bundle
        from edge_daemon.inference.interpreter import runtime_version
        from edge_daemon.inference.pipeline import load_pipeline
        from edge_daemon.tier import Tier

        pipeline = load_pipeline(load_bundle(config.bundle), Tier.CRITICAL)
        try:
            return runtime_version(), pipeline.delegated
        finally:
            pipeline.close()

    host = inspect_host(
        delegates,
        config.journal.directory,
        config.journal.max_total_mib,
        _profile(config, arguments.sysroot),
        _exposed(config),
    )
    findings = collect(arguments.sysroot, host)
    out = standard_output()
    colour = understands_colour(out, os.environ)
    width = max(len(finding.name) for finding in findings)
    indent = " " * (width + 8)
    for finding in findings:
        verdict = paint(f"{finding.verdict:4}", _COLOURS[finding.verdict], colour)
        detail = textwrap.fill(
            printable(finding.detail), _WIDTH, initial_indent=indent, subsequent_indent=indent
        ).lstrip()
        print(f"{verdict}  {finding.name:{width}}  {detail}", file=out)
        if finding.remedy:
            remedy = f"→ {printable(finding.remedy)}"
            print(
                textwrap.fill(
                    remedy, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  "
                ),
                file=out,
            )
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    return exitcode.TROUBLE if failed else exitcode.OK
