"""Polls the probes, decides, and asks for tiers."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from edge_daemon.clock import Clock, monotonic_ns
from edge_daemon.governor.decision import Decision
from edge_daemon.governor.headroom import Headroom, headroom
from edge_daemon.governor.limits import Limits
from edge_daemon.governor.meter import Meter
from edge_daemon.governor.policy import decide, start, swap_failed
from edge_daemon.governor.pressure import unknown, without
from edge_daemon.governor.probes import LEAD_S
from edge_daemon.governor.profile import PUBLISHED, Profile
from edge_daemon.governor.reading import Reading
from edge_daemon.governor.senses import Senses
from edge_daemon.governor.state import PolicyState
from edge_daemon.journal.events import Fault, ReadingEvent, Sink
from edge_daemon.tier import Tier

_START_POLLS = 3  # how long the start waits for a reading without holes
_FAULT_EVERY_NS = 60 * 1_000_000_000
_CHANGE_EVERY_S = 5.0  # a sensor that comes and goes must not fill the journal

Names = tuple[str, ...]
Circumstances = tuple[Names, Names, Names, tuple[bool | None, bool | None], tuple[str, str]]


class Order(Struct, frozen=True):
    """What goes to the swap with a request, and from there into the `tier_change` line.

    Attributes:
        tier: the tier to run.
        decision: why.
        reading: what it was decided on; None when no reading mattered.
        decided_mono_ns: CLOCK_MONOTONIC of the decision.
        headroom: what the reading leaves of each resource; None without one.
    """

    tier: Tier
    decision: Decision
    reading: Reading | None
    decided_mono_ns: int
    headroom: Headroom | None = None


class Readings(Protocol):
    """The probes, or a script in their place."""

    def read(self) -> Reading:
        """Return what the board says now; never raises."""

    def prepare(self) -> None:
        """Have what is slow read now, `LEAD_S` before the next reading; returns at once."""

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        """Leave out other thermal zones, from the next reading on."""


class Record(Protocol):
    """What is told everything that a rerun of the policy needs. Neither blocks nor raises."""

    def poll(
        self,
        reading: Reading,
        decision: Decision | None,
        tier: Tier,
        profile: Profile,
        limits: Limits,
    ) -> None:
        """Take a reading, what was decided on it, and the tier that is asked for now."""

    def swap_failed(self, tier: Tier) -> None:
        """Take note that the policy is told of a tier that could not be made ready."""


class Requests(Protocol):
    """The swap."""

    def request(self, tier: Tier, order: Order) -> None:
        """Take note of the tier to run next; returns at once."""


@dataclass(slots=True)
class _Failure:
    count: int = 0
    written_ns: int | None = None


class Governor:
    """Takes one reading a poll, lets the policy decide and asks the swap for the tier.

    One thread polls (or the loop, in lockstep). Every other method may be called from any thread:
    it leaves a note that the next poll acts on, so there is no lock and no order to get wrong.

    The daemon begins in `critical`. The first complete reading says where to start; after three
    incomplete ones the policy starts as low as it must.

    Args:
        probes: where readings come from.
        limits: what the policy goes by.
        swapper: where tiers are asked for.
        journal: where readings and faults go. Tier changes are written by whoever adopts them.
        clock: CLOCK_MONOTONIC, the journal's.
        pinned: a tier to keep whatever the readings say; None leaves it to the policy.
        reading_every_s: time from one `reading` line to the next; a change of what is absent,
            failed, throttled or arrives, or of what was decided why, is written within 5 s.
        profile: what the tiers cost here.
        meter: what the loop's windows take, for the readings; None where nobody notes it, as in
            lockstep, where durations would make journals of equal input differ.
        senses: what arrives, for the readings; None where nobody knows.
        record: where every reading goes; None for nowhere.

    Attributes:
        reading: the last reading.
        decision: the last decision; None as `poll` says.
        polled_ns: when the last poll ended, on `clock`; a sensor that hangs shows as its age.
    """

    def __init__(
        self,
        probes: Readings,
        limits: Limits,
        swapper: Requests,
        journal: Sink,
        *,
        clock: Clock = monotonic_ns,
        pinned: Tier | None = None,
        reading_every_s: float = 60.0,
        profile: Profile = PUBLISHED,
        meter: Meter | None = None,
        senses: Senses | None = None,
        record: Record | None = None,
    ) -> None:
        self._probes = probes
        self._limits = self._wanted_limits = limits
        self._profile = self._wanted_profile = profile
        self._meter = meter
        self._senses = senses
        self._record = record
        self._swapper = swapper
        self._journal = journal
        self._clock = clock
        self._wanted_pin = pinned
        self._pinned: Tier | None = None
        self._reading_every_s = reading_every_s
        self._state = PolicyState(Tier.CRITICAL)
        self._started = False
        self._polls = 0
        self._before = Tier.CRITICAL  # what ran when the last tier was asked for
        self._failed_swaps: deque[Tier] = deque(maxlen=16)
        self._failures: dict[str, _Failure] = {}
        self._written_ns = 0
        self._written: Circumstances | None = None
        self.reading: Reading | None = None
        self.decision: Decision | None = None
        self.polled_ns: int | None = None

    @property
    def tier(self) -> Tier:
        """The tier that was last asked for."""
        return self._state.tier

    @property
    def pinned(self) -> Tier | None:
        """The tier that is pinned, if one is."""
        return self._wanted_pin

    @property
    def poll_s(self) -> float:
        """Time from the last poll to the next."""
        limits = self._wanted_limits
        shortest, longest = limits.poll_min_s, limits.poll_max_s
        if self.decision is None:
            return longest if self._pinned is not None else shortest
        return min(longest, max(shortest, self.decision.poll_s))

    def set_limits(self, limits: Limits) -> None:
        """Go by other limits from the next poll on."""
        self._wanted_limits = limits
        self._probes.ignore_zones(limits.temperature.ignored_zones)

    def set_profile(self, profile: Profile) -> None:
        """Go by other costs from the next poll on."""
        self._wanted_profile = profile

    def set_reading_every_s(self, reading_every_s: float) -> None:
        """Write readings at another pace."""
        self._reading_every_s = reading_every_s

    def pin(self, tier: Tier | None) -> None:
        """Keep a tier from the next poll on; None hands the choice back to the policy."""
        self._wanted_pin = tier

    def swap_failed(self, tier: Tier) -> None:
        """Take note that a tier that was asked for could not be made ready."""
        self._failed_swaps.append(tier)

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop: the worker's body."""
        rest_s = 0.0
        while not stop.wait(rest_s):
            lead_s = min(LEAD_S, self.poll_s / 2)
            self._probes.prepare()
            if not stop.wait(lead_s):
                self.poll()
            rest_s = self.poll_s - lead_s

    def poll(self) -> Decision | None:
        """Take a reading, journal it now and then, decide and ask; return the decision.

        None while a tier is pinned and while the start waits for a complete reading.
        """
        self._polls += 1
        self._limits, self._profile = self._wanted_limits, self._wanted_profile
        reading = self._probes.read()
        if self._meter is not None:
            reading = self._meter.complete(reading)
        if self._senses is not None:
            reading = self._senses.complete(reading)
        self.reading = reading
        self.decision = self._decide(reading)
        if self._record is not None:
            tier = self._state.tier
            self._record.poll(reading, self.decision, tier, self._profile, self._limits)
        self._report(reading)
        self.polled_ns = self._clock()
        return self.decision

    def _decide(self, reading: Reading) -> Decision | None:
        limits = self._limits
        pin = self._wanted_pin
        if pin is not None:
            if pin is not self._pinned:
                self._hold(pin, reading)
            self._failed_swaps.clear()  # the swap itself goes on trying
            return None
        self._pinned = None
        while self._failed_swaps:
            self._give_way(self._failed_swaps.popleft(), reading)
        if not self._started:
            if self._polls < _START_POLLS and unknown(without(reading, limits.ignored), limits):
                return None
            return self._start(reading)
        self._state, decision = decide(self._state, reading, self._profile, limits)
        if decision.changed:
            self._ask(decision, reading)
        return decision

    def _start(self, reading: Reading) -> Decision:
        previous = self._state.tier
        self._started = True
        self._state, decision = start(previous, reading, self._profile, self._limits)
        if decision.changed:
            self._ask(decision, reading)
        return decision

    def _hold(self, pin: Tier, reading: Reading) -> None:
        previous = self._state.tier
        self._pinned = pin
        self._started = True
        self._state = PolicyState(pin)
        reason = f"{pin} is pinned by the configuration or the command line"
        decision = Decision(pin, previous, "pin", "pinned", reason, None, reading.time_ns)
        if decision.changed:
            self._ask(decision, reading)

    def _give_way(self, failed: Tier, reading: Reading) -> None:
        """Let the policy know of a failed swap, and call the swap off or send it further down."""
        if self._record is not None:
            self._record.swap_failed(failed)
        self._state, decision = swap_failed(self._state, failed, self._before, self._limits)
        if decision.changed:
            self._swapper.request(decision.tier, self._order(decision, reading))

    def _ask(self, decision: Decision, reading: Reading) -> None:
        self._before = decision.previous
        self._swapper.request(decision.tier, self._order(decision, reading))

    def _order(self, decision: Decision, reading: Reading) -> Order:
        left = headroom(reading, self._limits).rounded()
        return Order(decision.tier, decision, reading, self._clock(), left)

    def _report(self, reading: Reading) -> None:
        now_ns = self._clock()
        for name, error in reading.failed.items():
            self._report_failure(name, error, now_ns)
        now = _circumstances(reading, self.decision)
        if self._written is not None:
            changed = now != self._written
            wait_s = _CHANGE_EVERY_S if changed else self._reading_every_s
            if now_ns - self._written_ns < min(wait_s, self._reading_every_s) * 1e9:
                return
        self._written, self._written_ns = now, now_ns
        left = headroom(reading, self._limits).rounded()
        self._journal.write(ReadingEvent(self._state.tier, reading, left, self.decision))

    def _report_failure(self, name: str, error: str, now_ns: int) -> None:
        failure = self._failures.setdefault(name, _Failure())
        failure.count += 1
        if failure.written_ns is not None and now_ns - failure.written_ns < _FAULT_EVERY_NS:
            return
        message = (
            f"{name} cannot be read: {error}. Its last value counts for 5 s; no move up until it "
            "can be read again. `edge-daemon doctor` lists the sensors; to do without one: "
            "governor.limits.ignored, for a thermal zone governor.limits.temperature.ignored_zones"
        )
        self._journal.write(Fault(part="governor", message=message, count=failure.count))
        self._failures[name] = _Failure(0, now_ns)


def _circumstances(reading: Reading, decision: Decision | None) -> Circumstances:
    """Return what is journalled as soon as it changes."""
    why = ("", "") if decision is None else (decision.rule, decision.resource)
    arrives = reading.sound, reading.picture
    return reading.absent, tuple(sorted(reading.failed)), reading.throttled, arrives, why
