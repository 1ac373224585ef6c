"""SIGKILL at random moments, starts included, and a supervisor that starts it again at once."""

import random
import time

from tools.drills.camera import camera
from tools.drills.lines import read_file
from tools.drills.measure import (
    answers,
    gaps_s,
    lost_at,
    lost_windows,
    missing_numbers,
    repeated_numbers,
    runs,
    starts_s,
)
from tools.drills.outcome import Outcome, Verdict
from tools.drills.stage import PERIOD_S, Stage

COUNTERPART = True
LATEST_S = 1.2
RECOVERY_S = 5.0


def run(stage: Stage) -> Outcome:
    """Kill it, again and again, and look at the file at the end."""
    rounds = stage.rounds if stage.kind == "daemon" else -(-stage.rounds // 10)
    moments = random.Random(0)
    kills_ns = []
    with camera() as source, stage.start(source.url) as program:
        for _ in range(rounds):
            program.go_on(moments.uniform(0.0, LATEST_S))
            kills_ns.append(time.monotonic_ns())
            program.kill()
            program.start_again()
        program.settle()
        program.go_on(1.0)
        code = program.stop(5.0)
    kept, torn = read_file(program.follower.path)
    times_ns = answers(kept)
    parts = runs(times_ns, kills_ns)
    lost = [lost_at(kill, part, PERIOD_S) for kill, part in zip(kills_ns, parts, strict=False)]
    # This machine has others on it: answers that are late anyway are not the kill's.
    late = max(lost_windows(gaps_s(part, part[0], part[-1]), PERIOD_S) for part in parts if part)
    slowest_s = max(starts_s(times_ns, kills_ns))
    failures = {
        f"the stop gave exit code {code}": code != 0,
        f"{len(torn)} torn lines stay in the file: {torn[:1]}": bool(torn),
        "the lines are not numbered without a gap": missing_numbers(kept) > 0
        or repeated_numbers(kept) > 0,
        f"{slowest_s:.1f} s from a kill to the next answer": slowest_s > RECOVERY_S,
        f"{max(lost)} lines lost by one kill": max(lost) > 1 + late,
    }
    broken = tuple(text for text, holds in failures.items() if holds)
    verdict: Verdict = "failed" if broken else "passed"
    if stage.kind != "daemon":
        verdict, broken = "measured", ()
    return Outcome(
        stage.drill,
        stage.kind,
        verdict,
        recovered_s=round(slowest_s, 3),
        silent_s=round(slowest_s, 3),
        lost_lines=max(lost) + len(torn),
        note=f"{rounds} kills; the worst of each figure; {sum(lost)} lines in all",
        failures=broken,
        quiet=True,
    )
