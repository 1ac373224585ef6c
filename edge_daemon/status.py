"""The sentence that `systemctl status` shows: what runs and why, how fast, and what arrives."""

from collections.abc import Mapping

from edge_daemon.governor.decision import Decision
from edge_daemon.tier import Tier

EVERY_NS = 2_000_000_000


class Status:
    """Says how things stand, and remembers when it last did, for the windows a second.

    Args:
        now_ns: monotonic time of the start.
    """

    def __init__(self, now_ns: int) -> None:
        self._said_ns = now_ns
        self._windows = 0

    def due(self, now_ns: int) -> bool:
        """Whether it was last said long enough ago."""
        return now_ns - self._said_ns >= EVERY_NS

    def text(
        self,
        now_ns: int,
        *,
        tier: Tier,
        windows: int,
        pinned: bool,
        decision: Decision | None,
        feeds: Mapping[str, str],
        disk: str | None,
    ) -> str:
        """Return the sentence.

        Args:
            now_ns: monotonic time.
            tier: that runs, whatever was asked for.
            windows: classified since the start.
            pinned: whether a tier is pinned.
            decision: the governor's last.
            feeds: the state of each source.
            disk: what the journal's disk suffers from; None while it works.
        """
        elapsed_s = (now_ns - self._said_ns) / 1e9
        rate_hz = (windows - self._windows) / max(elapsed_s, 1e-3)
        self._said_ns, self._windows = now_ns, windows
        parts = [f"tier {tier}{_why(tier, pinned, decision)}", f"{rate_hz:.1f} windows/s"]
        parts += [f"{kind} {state}" for kind, state in feeds.items()]
        if disk is not None:
            parts.append(f"journal waits: {disk}")
        return ", ".join(parts)


def _why(tier: Tier, pinned: bool, decision: Decision | None) -> str:
    """Return, in brackets, what keeps the tier from being a higher one."""
    if pinned:
        return " (pinned)"
    if decision is None:
        return ""
    if decision.tier is not tier:
        return f" ({decision.tier} is wanted and not ready yet)"
    waits = decision.rule == "no_input"
    return "" if tier is Tier.HIGH and not waits else f" ({decision.reason})"
