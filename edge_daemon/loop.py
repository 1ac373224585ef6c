"""The loop: cuts a window, runs the active pipeline, journals the answer, adopts the next tier."""

from typing import Literal

from edge_daemon.capture.inputs import Inputs
from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.governor.governor import Order
from edge_daemon.governor.meter import Meter
from edge_daemon.inference.gate import Reuse
from edge_daemon.inference.pipeline import Pipeline, Scores
from edge_daemon.inference.smoothing import Answer, Smoother
from edge_daemon.inference.swap import Prepared, Swapper
from edge_daemon.journal.events import Fault, Prediction, Sink, TierChange
from edge_daemon.tally import Tally
from edge_daemon.tier import Tier
from edge_daemon.window import Window

Announce = Literal["every", "change"]


class Loop:
    """Owns the active pipeline. One thread calls `step`, once a period.

    Since nobody else touches the active pipeline, a swap needs no lock: it is picked up between
    two windows, and the pipeline that it replaces is handed back for disposal elsewhere.

    Args:
        inputs: where windows are cut from.
        swapper: where the next pipeline comes from; its resident one runs first.
        smoother: turns scores into answers.
        journal: takes predictions, tier changes and faults.
        tally: counts them.
        clock: the clock that capture times are in.
        timer: measures durations; always real time.
        announce: whether every prediction is journalled or only a new answer or tier.
        reuse: when the scores of an earlier window come again; None for never.
        meter: is told what each window took of which nothing was reused; None tells nobody.

    Attributes:
        announce: may be changed at any time.
        reuse: may be changed at any time; the next window is then computed.
        fresh_windows: windows classified so far.
        pipeline: the active one.
    """

    def __init__(
        self,
        *,
        inputs: Inputs,
        swapper: Swapper[Order],
        smoother: Smoother,
        journal: Sink,
        tally: Tally,
        clock: Clock,
        timer: Clock = monotonic_ns,
        announce: Announce = "every",
        reuse: Reuse | None = None,
        meter: Meter | None = None,
    ) -> None:
        self.announce: Announce = announce
        self.reuse = reuse
        self.fresh_windows = 0
        self.pipeline: Pipeline = swapper.resident
        self._inputs = inputs
        self._swapper = swapper
        self._smoother = smoother
        self._journal = journal
        self._tally = tally
        self._clock = clock
        self._timer = timer
        self._meter = meter
        self._announced: tuple[str, Tier] | None = None
        self._failures = 0

    @property
    def tier(self) -> Tier:
        """The tier that runs now."""
        return self.pipeline.tier

    def step(self) -> bool:
        """Adopt a waiting tier, then classify one window; return whether there was one.

        An exception in a pipeline costs that window: it is journalled (the first of a run, then
        every hundredth) and the loop goes on.
        """
        prepared = self._swapper.take()
        if prepared is not None:
            self._adopt(prepared)
        started_ns = self._timer()
        window = self._inputs.cut(self._clock(), with_audio=self.pipeline.listens)
        if window is None:
            return False
        self._tally.windows += 1
        try:
            scores = self.pipeline.run(window, self.reuse)
        except Exception as error:
            self._failed(error)
            return False
        self._failures = 0
        self._answer(window, scores, started_ns)
        self.fresh_windows += 1
        return True

    def _answer(self, window: Window, scores: Scores, started_ns: int) -> None:
        answer = self._smoother.update(scores, window.cut_ns)
        spent_ns = self._timer() - started_ns
        if self._meter is not None and not scores.kept_picture:
            self._meter.computed(self.tier, spent_ns)
        event = Prediction(
            window=window.number,
            tier=self.tier,
            label=answer.label,
            confidence=round(answer.confidence, 4),
            best=answer.best,
            image=scores.image_used,
            audio=scores.audio_used,
            reused=scores.reused,
            age_ms=_age_ms(scores, self._clock()),
            skew_ms=_skew_ms(scores),
            cycle_ms=round(spent_ns / 1e6, 4),
            truth=None if window.frame is None else window.frame.label,
        )
        self._tally.prediction(event)
        if self._is_news(answer):
            self._journal.write(event)

    def _is_news(self, answer: Answer) -> bool:
        announced = (answer.label, self.tier)
        changed = announced != self._announced
        self._announced = announced
        return changed or self.announce == "every"

    def _adopt(self, prepared: Prepared[Order]) -> None:
        started_ns = self._timer()
        previous, self.pipeline = self.pipeline, prepared.pipeline
        self.pipeline.forget()  # the resident one may have run before
        self._swapper.give_back(previous)
        gap_ms = round((self._timer() - started_ns) / 1e6, 4)
        self._tally.swap(self.tier, self._clock(), gap_ms)
        decision = prepared.order.decision
        self._journal.write(
            TierChange(
                from_=previous.tier,
                to=self.tier,
                resource=decision.resource,
                rule=decision.rule,
                reason=decision.reason,
                reading=prepared.order.reading,
                decided_mono_ns=prepared.order.decided_mono_ns,
                next_change_s=decision.next_up_s,
                prepare_ms=round(prepared.prepare_ms, 3),
                gap_ms=gap_ms,
                headroom=prepared.order.headroom,
                binding=decision.binding,
                needs=decision.needs,
                awaits=decision.awaits,
                wait_s=decision.wait_s,
            )
        )

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures % 100 == 1:
            message = f"the {self.tier} pipeline failed on a window: {error!r}"
            self._journal.write(Fault(part="loop", message=message, count=min(self._failures, 100)))


def _age_ms(scores: Scores, now_ns: int) -> float | None:
    captured = [ns for ns in (scores.image_ns, scores.audio_ns) if ns is not None]
    return round((now_ns - min(captured)) / 1e6, 3) if captured else None


def _skew_ms(scores: Scores) -> float | None:
    if scores.image_ns is None or scores.audio_ns is None:
        return None
    return round((scores.audio_ns - scores.image_ns) / 1e6, 3)
