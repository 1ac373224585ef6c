"""Write the report: one HTML page from the records of all runs.

    python -m tools.report --runs runs --out runs/report.html

The page loads nothing and can be mailed. What was not run yet is named in it as missing.
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools.report.page import page
from tools.report.records import RecordError
from tools.report.runs import load_runs

PACKAGES = ("torch", "litert-torch", "ai-edge-quantizer", "ai-edge-litert", "numpy", "matplotlib")


def machine() -> dict[str, str]:
    """Return what this process runs on and with, by name."""
    facts = {"machine": platform.machine(), "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "not installed"
    return facts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs are")
    parser.add_argument("--out", type=Path, default=Path("runs/report.html"), help="page to write")
    options = parser.parse_args(arguments)
    try:
        text = page(load_runs(options.runs), machine())
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")
    except (RecordError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
