"""All stages one after another: `python -m tools --data DIRECTORY --bundle models/avdigits`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Train, convert and evaluate; each stage is a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m tools", description=__doc__)
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="a directory with the folders mnist, fsdd, noise")
    data.add_argument("--smoke", action="store_true", help="generated data, under a minute")
    parser.add_argument("--run", type=Path, default=Path("runs/avdigits"))
    parser.add_argument("--bundle", type=Path, default=Path("models/avdigits"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    shared = ["--smoke"] if options.smoke else ["--data", str(options.data)]
    shared += ["--run", str(options.run), "--threads", str(options.threads)]
    bundle = ["--bundle", str(options.bundle)]
    for stage in (["train"], ["convert", *bundle], ["evaluate", *bundle, "--write"]):
        command = [sys.executable, "-m", f"tools.{stage[0]}", *shared, *stage[1:]]
        done = subprocess.run(command, check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
