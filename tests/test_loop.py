"""The loop on real pipelines: what it does with tiers, gaps and failures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.inputs import Inputs
from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.slot import FrameSlot
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.clock import VirtualClock
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.governor import Order
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.meter import Meter
from edge_daemon.governor.reading import Reading
from edge_daemon.inference.bundle import load_bundle
from edge_daemon.inference.gate import Reuse
from edge_daemon.inference.interpreter import InterpreterError
from edge_daemon.inference.smoothing import Smoother
from edge_daemon.inference.swap import Swapper
from edge_daemon.journal.events import Event, Fault, Prediction, TierChange
from edge_daemon.loop import Loop
from edge_daemon.tally import Tally
from edge_daemon.tier import Tier

HEADROOM = Headroom(cpu=0.3, memory=1.0, energy=1.0, thermal=0.9)
MS = 1_000_000
RATE_HZ = 8000


class Rig:
    """A loop on a virtual clock, and everything it wrote."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clock = VirtualClock(1000 * MS)
        self.slot = FrameSlot()
        self.ring = SampleRing(3 * RATE_HZ, RATE_HZ)
        bundle = load_bundle(Path(__file__).parent / "data" / "models" / "bars")
        self.swapper: Swapper[Order] = Swapper(bundle, 1, self.clock, self.on_fault)
        self.tally = Tally(Tier.CRITICAL, self.clock())
        self.meter = Meter()
        self.loop = Loop(
            inputs=Inputs(self.slot, self.ring, 2000 * MS),
            swapper=self.swapper,
            smoother=Smoother(bundle.labels, 0.6, 0.0),
            journal=self,
            tally=self.tally,
            clock=self.clock,
            meter=self.meter,
        )

    def write(self, event: Event) -> None:
        self.events.append(event)

    def on_fault(self, tier: Tier, message: str) -> None:
        raise AssertionError(f"{tier}: {message}")

    def picture(self, image: np.ndarray | None = None, label: str | None = None) -> None:
        grey = np.full((48, 48), 200, np.uint8) if image is None else image
        self.slot.put(Frame(grey, self.clock(), label))

    def sound(self, samples: int = 800) -> None:
        self.ring.append(Chunk(np.zeros(samples, np.float32), self.clock()))

    def order(self, tier: Tier) -> None:
        decision = Decision(
            tier,
            self.loop.tier,
            "cpu",
            "cpu_limit",
            "it is so",
            7 * 10**9,
            10**9,
            awaits=("sound arrives",),
            wait_s=5.0,
        )
        self.swapper.request(tier, Order(tier, decision, None, self.clock(), HEADROOM))
        self.swapper.step()

    def step(self, ms: int = 100) -> bool:
        self.clock.advance_to(self.clock() + ms * MS)
        return self.loop.step()

    def predictions(self) -> list[Prediction]:
        return [event for event in self.events if isinstance(event, Prediction)]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.swapper.close()


def test_nothing_new_makes_no_window(rig: Rig) -> None:
    assert not rig.step()
    rig.picture()
    assert rig.step()
    assert not rig.step()
    assert rig.loop.fresh_windows == len(rig.predictions()) == 1


def test_sound_alone_makes_a_window_only_for_a_tier_that_listens(rig: Rig) -> None:
    rig.sound()
    assert not rig.step()
    rig.order(Tier.HIGH)
    rig.sound()
    assert rig.step()
    assert rig.predictions()[-1].image is False


def test_a_stale_picture_is_not_shown_again(rig: Rig) -> None:
    rig.order(Tier.HIGH)
    rig.picture()
    assert rig.step()
    for _ in range(25):
        rig.sound()
        assert rig.step()
    seen = rig.predictions()
    assert seen[0].image
    assert not seen[-1].image
    assert [one.image for one in seen].count(True) == 20


def test_a_tier_is_adopted_between_two_windows_and_journalled(rig: Rig) -> None:
    rig.picture()
    rig.step()
    rig.order(Tier.LOW)
    rig.picture()
    rig.step()
    assert [type(event) for event in rig.events] == [Prediction, TierChange, Prediction]
    change = rig.events[1]
    assert isinstance(change, TierChange)
    assert (change.from_, change.to, change.resource) == (Tier.CRITICAL, Tier.LOW, "cpu")
    assert change.next_change_s == 6.0
    assert (change.awaits, change.wait_s) == (("sound arrives",), 5.0)
    assert change.headroom == HEADROOM
    assert change.prepare_ms > 0
    assert [one.tier for one in rig.predictions()] == [Tier.CRITICAL, Tier.LOW]
    assert [one.window for one in rig.predictions()] == [0, 1]


def test_age_and_skew_come_from_capture_times(rig: Rig) -> None:
    rig.picture(label="3")
    rig.step(ms=40)
    (seen,) = rig.predictions()
    assert (seen.age_ms, seen.skew_ms, seen.truth) == (40.0, None, "3")


def test_a_window_that_fails_is_journalled_and_the_next_one_goes_on(rig: Rig) -> None:
    broken = np.zeros((4, 4, 7), np.uint8)  # no picture has seven channels
    for _ in range(205):
        rig.picture(broken)
        assert not rig.step()
    faults = [event for event in rig.events if isinstance(event, Fault)]
    assert [fault.count for fault in faults] == [1, 100, 100]
    assert "critical pipeline failed" in faults[0].message
    rig.picture()
    assert rig.step()
    assert rig.tally.windows == 206


def test_the_faults_of_two_outages_are_told_apart(rig: Rig) -> None:
    for image in (np.zeros((4, 4, 7), np.uint8), None, np.zeros((4, 4, 7), np.uint8)):
        rig.picture(image)
        rig.step()
    assert [event.count for event in rig.events if isinstance(event, Fault)] == [1, 1]


def test_the_pipeline_that_was_replaced_is_freed(rig: Rig) -> None:
    rig.order(Tier.LOW)
    rig.picture()
    rig.step()
    replaced = rig.loop.pipeline
    rig.order(Tier.MEDIUM)
    rig.picture()
    rig.step()
    rig.swapper.step()
    with pytest.raises(InterpreterError, match="closed"):
        replaced.warm()


def test_only_changes_may_be_announced(rig: Rig) -> None:
    rig.loop.announce = "change"
    for _ in range(5):
        rig.picture()
        rig.step()
    assert len(rig.predictions()) == 1
    rig.order(Tier.LOW)
    rig.picture()
    rig.step()
    assert [one.tier for one in rig.predictions()] == [Tier.CRITICAL, Tier.LOW]


REUSE = Reuse(picture=0.04, sound=0.02, at_most_ns=500 * MS)


def test_an_unchanged_window_is_answered_again_and_counted(rig: Rig) -> None:
    rig.loop.reuse = REUSE
    for _ in range(4):
        rig.picture(label="2")
        assert rig.step(ms=40)
    seen = rig.predictions()
    assert [one.reused for one in seen] == [False, True, True, True]
    assert {(one.label, one.confidence) for one in seen} == {(seen[0].label, seen[0].confidence)}
    assert [one.age_ms for one in seen] == [40.0] * 4  # of the picture that was looked at
    assert rig.loop.fresh_windows == 4
    stop = rig.tally.stop("", rig.clock(), dropped_frames=0, lost_samples=0)
    assert (stop.windows, stop.predictions, stop.scored, stop.reused) == (4, 4, 4, 3)


def test_without_settings_nothing_is_reused(rig: Rig) -> None:
    for _ in range(3):
        rig.picture()
        rig.step()
    assert not any(one.reused for one in rig.predictions())


def test_smoothing_goes_on_over_reused_scores() -> None:
    """The same pictures give the same answers and confidences, window by window."""
    answers = []
    for reuse in (None, REUSE):
        rig = Rig()
        rig.loop.reuse = reuse
        rig.loop._smoother.weight = 0.8
        for number in range(12):
            quarter = np.full((48, 48), 200, np.uint8)
            quarter[12 * (number // 4) : 12 * (number // 4) + 12] = 20
            rig.picture(quarter)
            rig.step(ms=30)
        answers.append([(one.label, one.best, one.confidence) for one in rig.predictions()])
        reused = sum(one.reused for one in rig.predictions())
        assert reused == (0 if reuse is None else 9)
        rig.swapper.close()
    assert answers[0] == answers[1]
    assert len(set(answers[0])) > 6  # the confidence rises from window to window


def test_a_swap_ends_reuse_even_back_to_the_tier_that_stays_loaded(rig: Rig) -> None:
    rig.loop.reuse = Reuse(picture=1.0, sound=1.0, at_most_ns=10**12)
    for tier in (None, Tier.LOW, Tier.CRITICAL):
        if tier is not None:
            rig.order(tier)
        for _ in range(2):
            rig.picture()
            rig.step()
    assert [one.reused for one in rig.predictions()] == [False, True] * 3


def test_new_settings_end_reuse(rig: Rig) -> None:
    for reuse in (REUSE, None, REUSE, Reuse(0.04, 0.02, 500 * MS)):
        rig.loop.reuse = reuse
        for _ in range(2):
            rig.picture()
            rig.step(ms=20)
    assert [one.reused for one in rig.predictions()] == [False, True, False, False] + [
        False,
        True,
    ] * 2


def test_a_picture_that_goes_ends_reuse(rig: Rig) -> None:
    rig.order(Tier.HIGH)
    rig.loop.reuse = Reuse(picture=1.0, sound=1.0, at_most_ns=10**12)
    rig.picture()
    for _ in range(22):
        rig.sound()
        rig.step()
    seen = rig.predictions()
    gone = [one.image for one in seen].index(False)
    assert gone == 20
    assert [number for number, one in enumerate(seen) if not one.reused] == [0, gone]


def test_the_meter_is_told_of_windows_that_were_computed_and_of_no_others(rig: Rig) -> None:
    rig.loop.reuse = REUSE
    for image in (None, None, np.zeros((4, 4, 7), np.uint8), np.full((48, 48), 20, np.uint8)):
        rig.picture(image)
        rig.step(ms=40)
    seen = rig.predictions()
    assert [one.reused for one in seen] == [False, True, False]
    taken = rig.meter.complete(Reading(time_ns=0))
    assert (taken.cycle_tier, taken.cycles) == (Tier.CRITICAL, 2)
    whole_ms = [one.cycle_ms for one in seen if not one.reused]
    assert taken.cycle_ms == pytest.approx(sum(whole_ms) / 2, abs=1e-4)


def test_a_window_whose_picture_served_before_does_not_say_what_its_tier_costs(rig: Rig) -> None:
    rig.order(Tier.HIGH)
    rig.loop.reuse = Reuse(picture=0.04, sound=-1.0, at_most_ns=10**12)  # no sound is the same
    tone = 0.5 * np.sin(np.arange(4000) * 2 * np.pi * 700 / RATE_HZ).astype(np.float32)
    for sound in (np.zeros(4000, np.float32), tone, tone[:800], tone[:800]):
        rig.picture()
        rig.ring.append(Chunk(sound, rig.clock()))
        rig.step()
    assert [one.audio for one in rig.predictions()] == [False, True, True, True]
    assert not any(one.reused for one in rig.predictions())
    taken = rig.meter.complete(Reading(time_ns=0))
    assert (taken.cycle_tier, taken.cycles) == (Tier.HIGH, 1)
