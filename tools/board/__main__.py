"""Builds the virtual board, or removes what was built: `python -m tools.board build`."""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from tools.board.build import build
from tools.board.cache import Cache, default_directory
from tools.board.errors import BoardError


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.board", description=__doc__)
    parser.add_argument("action", choices=("build", "clean"))
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=default_directory(os.environ),
        help="where it is kept, 2 GB; default: %(default)s",
    )
    parser.add_argument(
        "--wheel", type=Path, metavar="FILE", help="the daemon to install; default: this checkout's"
    )
    parser.add_argument(
        "--programs-only",
        action="store_true",
        help="do not boot it: enough to run its programs one by one",
    )
    options = parser.parse_args(arguments)
    if options.action == "clean":
        shutil.rmtree(options.cache, ignore_errors=True)
        return 0
    started_s = time.monotonic()

    def say(part: str) -> None:
        sys.stdout.write(f"{time.monotonic() - started_s:6.1f} s  building {part}\n")
        sys.stdout.flush()

    try:
        cache = Cache(options.cache.absolute(), say)
        build(cache, options.wheel, programs_only=options.programs_only)
    except BoardError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{time.monotonic() - started_s:6.1f} s  {options.cache}/board\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
