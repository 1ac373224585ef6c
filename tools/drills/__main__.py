"""Bring real faults about and see what becomes of the daemon.

    python -m tools.drills                        # all drills, the daemon and its peers
    python -m tools.drills disk_full killed       # some of them
    python -m tools.drills --list
    python -m tools.drills --write drills.md --json drills.jsonl

A drill that cannot run here is skipped with its reason; as root nearly all of them run. The exit
code is 1 where a drill failed.
"""

import argparse
import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.drills.catalogue import FAULTS, name_of, phrase_of
from tools.drills.outcome import Outcome
from tools.drills.program import Kind
from tools.drills.run import run_drills
from tools.drills.sdk_peer import PACKAGE as SDK
from tools.drills.table import json_lines, markdown, sentence

_OWN_MOUNTS = "EDGE_DAEMON_DRILLS_OWN_MOUNTS"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drills that are asked for; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    names = {name_of(fault): fault for fault in FAULTS}
    if options.list:
        say("\n".join(f"{name:<24} {phrase_of(fault)}" for name, fault in names.items()))
        return 0
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"no drill is called {', '.join(unknown)}; --list has them")
    _with_mounts_of_its_own()
    kinds: list[Kind] = ["daemon"]
    if not options.daemon_only:
        kinds.append("script")
        if importlib.util.find_spec(SDK) is not None:
            kinds.append("sdk")
        else:
            say(f"without the Edge Impulse SDK: pip install --no-deps {SDK}==1.2.2")
    outcomes = run_drills(
        [names[name] for name in options.names or names],
        kinds,
        rounds=options.rounds,
        keep=options.keep,
        show=lambda outcome: say(sentence(outcome)),
    )
    _write(options, outcomes)
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


def say(text: str) -> None:
    """Write a line for the user, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.drills",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="drills; all where none is named")
    parser.add_argument("--list", action="store_true", help="name the drills")
    parser.add_argument("--daemon-only", action="store_true", help="leave out the peers")
    parser.add_argument("--rounds", type=int, default=200, help="kills of `killed` (200)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave journals and logs there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write JSON lines")
    return parser


def _with_mounts_of_its_own() -> None:
    """Begin again in a mount namespace, so that no mount outlives this process."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None or _OWN_MOUNTS in os.environ:
        return
    environ = {**os.environ, _OWN_MOUNTS: "1"}
    command = [unshare, "--mount", sys.executable, "-m", "tools.drills", *sys.argv[1:]]
    os.execve(unshare, command, environ)


def _write(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    if options.write is not None:
        phrases = {name_of(fault): phrase_of(fault) for fault in FAULTS}
        options.write.write_text(markdown(outcomes, phrases), encoding="utf-8")
    if options.json is not None:
        options.json.write_text(json_lines(outcomes), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
