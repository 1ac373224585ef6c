"""A program that answers twenty times a second and does one thing wrong.

    python fake.py FILE FAULT

The thing goes wrong after a second, or at the end.
"""

import itertools
import json
import signal
import sys
import time
from pathlib import Path

numbers = itertools.count()


def main(file: Path, wrong: str) -> int:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    answers = 0
    with file.open("ab", buffering=0) as out:

        def write(event: str, **fields: object) -> None:
            seq = next(numbers)
            line = {"seq": seq, "mono_ns": time.monotonic_ns(), "event": event, **fields}
            out.write(json.dumps(line).encode() + b"\n")

        started_s = time.monotonic()
        late = False
        while not stopped:
            write("prediction", image=True)
            answers += 1
            time.sleep(0.05)
            if not late and time.monotonic() - started_s > 1.0:
                late = True
                if wrong != "unreported":
                    write("fault", part="journal", message="no disk for 0.2 s")
                    sys.stderr.write("the disk fails\n" if wrong != "unsaid" else "")
                if wrong == "silent":
                    time.sleep(1.0)
                if wrong == "torn":
                    out.write(b'{"seq":\n')
                if wrong == "skipped number":
                    next(numbers)
                if wrong == "dies":
                    raise ValueError("of a bug")
                if wrong == "traceback":
                    sys.stderr.write("Traceback (most recent call last):\n")
                if wrong in ("counted", "overcounted"):
                    write("fault", part="journal", lines_lost=2 if wrong == "counted" else 9)
        lost = 2 if wrong in ("lost", "counted") else 0
        stood_s = 3.0 if wrong == "stood still" else 0.0
        if wrong != "no stop":
            write("stop", predictions=answers + lost, late_max_s=stood_s)
    return 3 if wrong == "exit code" else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
