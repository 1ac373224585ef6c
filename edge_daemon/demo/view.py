"""Shows the events of a demo as they happen, and sums it up at the end."""

from collections.abc import Callable
from typing import TextIO

from edge_daemon.journal.events import Event, Fault, Prediction, Start, Stop, TierChange
from edge_daemon.terminal import CYAN, GREEN, RED, YELLOW, paint, printable
from edge_daemon.tier import TIERS, Tier

_COLOURS = {Tier.HIGH: GREEN, Tier.MEDIUM: CYAN, Tier.LOW: YELLOW, Tier.CRITICAL: RED}
_BAR = 10
_TIER_BAR = 30
_SETTLED = 2  # windows in which an answer must be repeated before it is shown

_Seen = tuple[str, Tier, bool]
"""Answer, tier and whether sound was used."""


class DemoView:
    """Prints each new answer, once it has settled, and each tier change; one line an event.

    Args:
        stream: where to print.
        elapsed_s: seconds since the demo began.
        colour: whether the stream understands ANSI colours.

    Attributes:
        tier: the tier that runs; None until the first change.
    """

    def __init__(self, stream: TextIO, elapsed_s: Callable[[], float], *, colour: bool) -> None:
        self._stream = stream
        self._elapsed_s = elapsed_s
        self._colour = colour
        self._shown: _Seen | None = None
        self._latest: _Seen | None = None
        self._repeats = 0
        self._open = True
        self.tier: Tier | None = None

    def write(self, event: Event) -> None:
        """Show one event."""
        text = self._render(event)
        if text is not None:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line; a reader that has gone away is not an error."""
        if not self._open:
            return
        try:
            print(text, file=self._stream, flush=True)
        except (OSError, ValueError):  # nobody listens any more, or the disk below is full
            self._open = False

    def _render(self, event: Event) -> str | None:
        match event:
            case Start():
                return (
                    printable(
                        f"bundle {event.bundle} on {event.runtime}; {event.video}, {event.audio}"
                    )
                    + "\n\n"
                    f"{'time':>7}  {'tier':8}  {'answer':7}  {'confidence':17}  from"
                )
            case Prediction():
                return self._prediction(event)
            case TierChange():
                self.tier = event.to
                arrow = self._paint(f"──▶ {event.to}", event.to)
                return f"{self._time()}  {arrow}  {printable(event.reason)}"
            case Fault():
                return f"{self._time()}  {printable(f'fault in {event.part}: {event.message}')}"
        return None

    def _prediction(self, event: Prediction) -> str | None:
        seen = (event.label, event.tier, event.audio)
        self._repeats = self._repeats + 1 if seen == self._latest else 0
        self._latest = seen
        if seen == self._shown or self._repeats < _SETTLED:
            return None
        self._shown = seen
        filled = round(event.confidence * _BAR)
        bar = "█" * filled + "░" * (_BAR - filled)
        inputs = [name for name, used in (("picture", event.image), ("sound", event.audio)) if used]
        tier = self._paint(f"{event.tier:8}", event.tier)
        return (
            f"{self._time()}  {tier}  {printable(event.label):7}  {bar} {event.confidence:5.1%}  "
            f"{' + '.join(inputs) or 'nothing'}"
        )

    def _time(self) -> str:
        return f"{self._elapsed_s():5.1f} s"

    def _paint(self, text: str, tier: Tier) -> str:
        return paint(text, _COLOURS[tier], self._colour)


def summary(stop: Stop, journal: str) -> str:
    """Return the closing lines: what was seen, how long each tier ran, latencies, the journal."""
    longest = max(stop.tier_s.values()) or 1.0
    tiers = [
        f"  {tier:8}  {seconds:5.1f} s  {'█' * round(seconds / longest * _TIER_BAR)}"
        for tier in reversed(TIERS)
        for seconds in [stop.tier_s.get(tier, 0.0)]
    ]
    share = f" ({stop.correct / stop.scored:.1%})" if stop.scored else ""
    return "\n".join(
        [
            "",
            f"{stop.windows} windows in {stop.uptime_s:.1f} s, "
            f"{stop.correct} of {stop.scored} correct{share}",
            *tiers,
            f"  swaps {stop.swaps}, gap p99 {_ms(stop.gap_p99_ms)}; "
            f"frames skipped {stop.dropped_frames}, samples lost {stop.lost_samples}",
            f"  latency p50 {_ms(stop.cycle_p50_ms)}, p99 {_ms(stop.cycle_p99_ms)}; "
            f"age of an answer p99 {_ms(stop.age_p99_ms)}",
            f"  journal {journal}",
        ]
    )


def _ms(value_ms: float | None) -> str:
    return "–" if value_ms is None else f"{value_ms:.2f} ms"
