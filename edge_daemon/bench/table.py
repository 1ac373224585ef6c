"""Figures as Markdown tables, which docs/results.md holds as they are printed."""

from collections.abc import Iterable, Sequence

from edge_daemon.bench.cycle import CycleCost
from edge_daemon.bench.footprint import Footprint
from edge_daemon.bench.polls import PollCost
from edge_daemon.bench.swaps import SwapCost
from edge_daemon.governor.profile import Profile
from edge_daemon.tier import TIERS


def cycles(costs: Sequence[CycleCost]) -> str:
    """The window cycle of each tier."""
    rows = [
        (
            cost.tier,
            f"{cost.bare_us:.0f}",
            f"{cost.cycle_us:.0f}",
            f"{cost.added_us:.0f}",
            f"{cost.ratio:.2f}",
            f"{cost.ratio_worst:.2f}",
            f"{cost.ratio_written:.2f}",
            f"{cost.reused_us:.0f}",
            f"{cost.camera_us:.0f}",
        )
        for cost in costs
    ]
    names = (
        "tier",
        "bare µs",
        "cycle µs",
        "added µs",
        "ratio",
        "worst",
        "to disk",
        "reused µs",
        "camera µs",
    )
    return _table("Window cycle, 640×480 camera: slot to journal line", names, rows)


def swaps(cost: SwapCost) -> str:
    """Swaps while windows go on."""
    rows = [
        ("swaps", f"{cost.swaps}"),
        ("windows meanwhile", f"{cost.windows}"),
        ("windows lost", f"{cost.lost}"),
        ("window with an adoption, p99", f"{cost.swap_p99_ms:.2f} ms"),
        ("window without, p99", f"{cost.plain_p99_ms:.2f} ms"),
        ("window period", f"{cost.period_ms:.0f} ms"),
    ]
    return _table("Swaps under way", ("what", "figure"), rows)


def polls(cost: PollCost) -> str:
    """A governor poll."""
    rows = [
        ("reading of all probes, p50", f"{cost.reading_us:.0f} µs"),
        ("psutil, and files for the pressures, p50", f"{cost.psutil_us:.0f} µs"),
        ("psutil / reading", f"{cost.ratio:.1f}"),
        ("poll by the published table, p50", f"{cost.table_us:.0f} µs"),
        ("poll by the published table, p99", f"{cost.table_p99_us:.0f} µs"),
        ("poll by a measured profile, p50", f"{cost.profile_us:.0f} µs"),
        ("poll by a measured profile, p99", f"{cost.profile_p99_us:.0f} µs"),
        ("poll after a pause, p50", f"{cost.paused_poll_us:.0f} µs"),
        ("CPU time for it, both threads, mean", f"{cost.paused_cpu_us:.0f} µs"),
        ("CPU time for psutil after a pause, mean", f"{cost.paused_psutil_us:.0f} µs"),
        ("a core's share at one poll a second", f"{100 * cost.share:.3f} %"),
    ]
    return _table("Governor", ("what", "figure"), rows)


def footprint(cost: Footprint) -> str:
    """Resident memory."""
    rows = [
        ("daemon in critical, replaying the demo", f"{cost.critical_mib:.1f}"),
        ("bare Python", f"{cost.python_mib:.1f}"),
        *((f"+ {name}", f"{size:.1f}") for name, size in cost.library_mib.items()),
    ]
    return _table("Resident memory", ("what", "MiB"), rows)


def tiers(profile: Profile) -> str:
    """What each tier costs and is worth."""
    names = (
        "tier",
        "accuracy %",
        "window ms",
        "p95 ms",
        "CPU ms",
        "memory MiB",
        "prepare ms",
        "gap ms",
        "power W",
    )
    rows = [
        (
            tier,
            f"{100 * cost.accuracy:.2f}",
            f"{cost.cycle_ms:.2f}",
            f"{cost.cycle_p95_ms:.2f}",
            f"{cost.cpu_ms:.2f}",
            f"+{cost.memory_mib:.1f}",
            f"{cost.prepare_ms:.1f}",
            f"{cost.gap_ms:.2f}",
            "–" if cost.power_w is None else f"+{cost.power_w:.2f}",
        )
        for tier, cost in ((tier, profile.tiers[tier]) for tier in reversed(TIERS))
    ]
    title = f"What the tiers of {profile.bundle} cost on {profile.board}; + is beyond critical"
    return _table(title, names, rows)


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns: text to the left, figures to the right."""
    cells = [tuple(names), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]

    def line(row: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join(
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join(["", f"**{title}**", "", line(cells[0]), rule + "|", *map(line, cells[1:])])
