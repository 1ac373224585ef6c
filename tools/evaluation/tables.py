"""What an evaluation found, as tables for a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tools.evaluation.teacher import TeacherCost
from tools.evaluation.tiers import Cost, Result
from tools.evaluation.timing import Time


def show(
    results: Sequence[Result],
    costs: Sequence[Cost],
    times: Sequence[Time],
    teacher: TeacherCost | None,
) -> None:
    """Print accuracy, cost, and how much less than the teacher `high` takes."""
    console = Console(width=100)
    table = Table(
        "tier", "protocol", "int8 %", "95 % interval", "float %", "same answer %", "pairs"
    )
    for result in results:
        shares = (result.int8, result.low, result.high, result.float32, result.agreement)
        int8, low, high, float32, agreement = (f"{100 * share:.2f}" for share in shares)
        row = (int8, f"{low} – {high}", float32, agreement, str(result.samples))
        table.add_row(result.tier, result.protocol, *row)
    console.print(table)
    taken = {time.tier: time for time in times}
    table = Table("tier", "bytes", "MACs", "median µs", "95th µs", "XNNPACK", "highest when absent")
    for cost in costs:
        table.add_row(
            cost.tier,
            f"{cost.bytes:,}",
            f"{cost.macs:,}",
            f"{taken[cost.tier].median_us:.0f}",
            f"{taken[cost.tier].late_us:.0f}",
            "yes" if cost.delegated else "no",
            f"{cost.silent:.3f}",
        )
    table.add_row("together", f"{sum(cost.bytes for cost in costs):,}")
    console.print(table)
    if teacher is None:
        return
    dearest = next(cost for cost in costs if cost.tier == "high")
    table = Table("against the teacher", "teacher", "high", "less by %")
    pairs = {
        "bytes": (teacher.bytes, dearest.bytes),
        "MACs": (teacher.macs, dearest.macs),
        "median µs": (taken["teacher"].median_us, taken["high"].median_us),
    }
    for name, (before, after) in pairs.items():
        table.add_row(name, f"{before:,}", f"{after:,}", f"{100 * (1 - after / before):.1f}")
    console.print(table)
