"""What a run amounted to: the numbers of its `stop` line."""

from edge_daemon.histogram import Histogram
from edge_daemon.inference.smoothing import UNKNOWN
from edge_daemon.journal.events import Prediction, Stop
from edge_daemon.tier import Tier


class Tally:
    """Counts over one run, in bounded memory. Written by the loop alone."""

    def __init__(self, tier: Tier, now_ns: int) -> None:
        self.windows = 0
        self.predictions = 0
        self.reused = 0
        self.scored = 0
        self.correct = 0
        self.swaps = 0
        self._cycle = Histogram()
        self._age = Histogram()
        self._gap = Histogram()
        self._tier = tier
        self._tier_ns = dict.fromkeys(Tier, 0)
        self._since_ns = now_ns
        self._started_ns = now_ns

    def prediction(self, event: Prediction) -> None:
        """Count one prediction; one whose truth is known is right when its answer is that truth.

        Where a labelled replay shows nothing, `unknown` is the right answer.
        """
        self.predictions += 1
        self.reused += event.reused
        self._cycle.add(event.cycle_ms)
        if event.age_ms is not None:
            self._age.add(event.age_ms)
        if event.truth is not None:
            self.scored += 1
            self.correct += event.label == (event.truth or UNKNOWN)

    def swap(self, tier: Tier, now_ns: int, gap_ms: float) -> None:
        """Count a tier change."""
        self._tier_ns[self._tier] += now_ns - self._since_ns
        self._tier, self._since_ns = tier, now_ns
        self.swaps += 1
        self._gap.add(gap_ms)

    def stop(
        self,
        reason: str,
        now_ns: int,
        *,
        dropped_frames: int,
        lost_samples: int,
        late_windows: int = 0,
        late_max_ns: int = 0,
    ) -> Stop:
        """Return the `stop` event for a run that ends at `now_ns`."""
        tier_ns = dict(self._tier_ns)
        tier_ns[self._tier] += now_ns - self._since_ns
        return Stop(
            reason=reason,
            uptime_s=round((now_ns - self._started_ns) / 1e9, 3),
            windows=self.windows,
            predictions=self.predictions,
            scored=self.scored,
            correct=self.correct,
            swaps=self.swaps,
            tier_s={tier.value: round(ns / 1e9, 3) for tier, ns in tier_ns.items()},
            dropped_frames=dropped_frames,
            lost_samples=lost_samples,
            cycle_p50_ms=_rounded(self._cycle.percentile(50)),
            cycle_p99_ms=_rounded(self._cycle.percentile(99)),
            age_p99_ms=_rounded(self._age.percentile(99)),
            gap_p99_ms=_rounded(self._gap.percentile(99)),
            reused=self.reused,
            late_windows=late_windows,
            late_max_s=round(late_max_ns / 1e9, 3),
        )


def _rounded(value_ms: float | None) -> float | None:
    return None if value_ms is None else round(value_ms, 3)
