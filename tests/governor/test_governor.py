import threading
from collections import deque

from msgspec.structs import replace

from edge_daemon.clock import VirtualClock
from edge_daemon.governor.governor import Governor, Order
from edge_daemon.governor.headroom import Headroom
from edge_daemon.governor.limits import Limits, MemoryLimits, TemperatureLimits
from edge_daemon.governor.meter import Meter
from edge_daemon.governor.reading import Reading
from edge_daemon.journal.events import Event, Fault, ReadingEvent
from edge_daemon.tier import Tier
from edge_daemon.worker import Worker
from tests.governor.sysroot import seconds
from tests.governor.test_policy import GOOD


class Desk:
    """What the governor talks to: readings from the test, a swap and a journal that note all."""

    def __init__(
        self,
        *,
        pinned: Tier | None = None,
        limits: Limits | None = None,
        reading_every_s: float = 60.0,
    ) -> None:
        self.clock = VirtualClock(seconds(100))
        self.next = GOOD
        self.requests: list[Order] = []
        self.events: list[Event] = []
        self.ignored: tuple[str, ...] = ()
        self.governor = Governor(
            self,
            limits or Limits(),
            self,
            self,
            clock=self.clock,
            pinned=pinned,
            reading_every_s=reading_every_s,
        )

    def read(self) -> Reading:
        return replace(self.next, time_ns=self.clock() + seconds(5000))

    def prepare(self) -> None:
        raise AssertionError("nobody waits for a reading here")

    def ignore_zones(self, types: tuple[str, ...]) -> None:
        self.ignored = types

    def request(self, tier: Tier, order: Order) -> None:
        assert tier is order.tier
        self.requests.append(order)

    def write(self, event: Event) -> None:
        self.events.append(event)

    def poll(self, reading: Reading | None = None, times: int = 1) -> None:
        if reading is not None:
            self.next = reading
        for _ in range(times):
            self.clock.advance_to(self.clock() + seconds(1))
            self.governor.poll()

    @property
    def tiers(self) -> list[str]:
        return [order.tier.value for order in self.requests]

    def written(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


def test_the_first_reading_says_where_to_start() -> None:
    desk = Desk()
    desk.poll()
    assert desk.tiers == ["high"]
    assert desk.requests[0].decision.rule == "start"
    assert desk.governor.tier is Tier.HIGH
    assert desk.governor.reading == desk.requests[0].reading
    assert desk.governor.polled_ns == desk.clock()


def test_the_start_waits_for_a_complete_reading_but_not_for_ever() -> None:
    desk = Desk()
    desk.poll(replace(GOOD, cpu_foreign=None))
    assert desk.governor.decision is None
    desk.poll(GOOD)
    assert desk.tiers == ["high"]
    blind = Desk()
    blind.poll(replace(GOOD, cpu_foreign=None), times=3)
    assert blind.tiers == ["low"]


def test_nothing_is_asked_for_where_critical_is_all_there_is() -> None:
    desk = Desk()
    desk.poll(replace(GOOD, cpu_foreign=1.0), times=30)
    assert desk.requests == []
    assert desk.governor.tier is Tier.CRITICAL


def test_an_order_carries_the_decision_the_reading_and_its_time() -> None:
    desk = Desk()
    desk.poll()
    desk.poll(replace(GOOD, memory_available_mib=70.0), times=2)
    order = desk.requests[-1]
    assert (order.tier, order.decision.previous) == (Tier.MEDIUM, Tier.HIGH)
    assert order.decision.rule == "memory_limit"
    assert order.decision.next_up_s == 10.0
    assert order.reading is not None
    assert order.reading.memory_available_mib == 70.0
    assert order.headroom == Headroom(cpu=1.0, memory=0.5833, energy=1.0, thermal=1.0)
    assert order.decided_mono_ns == desk.clock()
    assert order.decision.time_ns == order.reading.time_ns != order.decided_mono_ns


def test_nothing_is_asked_for_while_nothing_changes() -> None:
    desk = Desk()
    desk.poll(times=200)
    assert desk.tiers == ["high"]


def test_a_pinned_tier_stays_and_readings_are_still_written() -> None:
    desk = Desk(pinned=Tier.MEDIUM)
    desk.poll(replace(GOOD, memory_available_mib=1.0, cpu_foreign=1.0), times=130)
    assert desk.tiers == ["medium"]
    assert (desk.requests[0].decision.resource, desk.requests[0].decision.rule) == ("pin", "pinned")
    assert desk.requests[0].decision.next_up_s is None
    assert desk.governor.decision is None
    readings = desk.written(ReadingEvent)
    assert len(readings) == 3
    assert {event.tier for event in readings if isinstance(event, ReadingEvent)} == {Tier.MEDIUM}


def test_critical_pinned_asks_for_nothing() -> None:
    desk = Desk(pinned=Tier.CRITICAL)
    desk.poll(times=50)
    assert desk.requests == []


def test_a_pin_can_come_and_go_while_it_runs() -> None:
    desk = Desk()
    desk.poll()
    desk.governor.pin(Tier.LOW)
    assert desk.governor.pinned is Tier.LOW
    desk.poll(times=100)
    assert desk.tiers == ["high", "low"]
    desk.governor.pin(None)
    desk.poll(times=30)
    assert desk.tiers == ["high", "low", "medium", "high"]
    assert desk.requests[2].decision.previous is Tier.LOW


def test_other_limits_count_from_the_next_poll() -> None:
    desk = Desk()
    desk.poll()
    desk.governor.set_limits(
        Limits(poll_min_s=0.5, poll_max_s=0.5, memory=MemoryLimits(reserve_mib=1000.0))
    )
    assert desk.governor.poll_s == 0.5
    desk.poll()
    assert desk.ignored == ()
    assert desk.requests[-1].decision.rule == "memory_reserve"


def test_zones_to_leave_out_are_handed_to_the_probes() -> None:
    desk = Desk()
    ignored = TemperatureLimits(ignored_zones=("npu",))
    desk.governor.set_limits(Limits(temperature=ignored))
    assert desk.ignored == ("npu",)


def test_a_move_up_that_cannot_be_loaded_is_called_off_and_waits_longer() -> None:
    desk = Desk()
    desk.poll(replace(GOOD, cpu_foreign=0.55))
    desk.poll(GOOD, times=11)
    assert desk.tiers == ["medium", "high"]
    desk.governor.swap_failed(Tier.HIGH)
    desk.poll()
    assert desk.tiers == ["medium", "high", "medium"]  # the swap calls it off: medium runs
    assert desk.requests[-1].decision.rule == "swap_failed"
    desk.poll(times=19)
    assert desk.governor.tier is Tier.MEDIUM
    desk.poll(times=2)
    assert desk.tiers[3:] == ["high"]


def test_a_move_down_that_cannot_be_loaded_goes_on_to_critical() -> None:
    desk = Desk()
    desk.poll()
    desk.poll(replace(GOOD, cpu_foreign=0.75), times=2)
    assert desk.tiers == ["high", "low"]
    desk.governor.swap_failed(Tier.LOW)
    desk.poll()
    assert desk.tiers == ["high", "low", "critical"]


def test_a_failed_swap_of_a_pinned_tier_leaves_the_pin() -> None:
    desk = Desk(pinned=Tier.HIGH)
    desk.poll()
    desk.governor.swap_failed(Tier.HIGH)
    desk.poll(times=5)
    assert desk.tiers == ["high"]


def test_readings_are_written_now_and_then() -> None:
    desk = Desk(reading_every_s=10.0)
    desk.poll(times=31)
    assert len(desk.written(ReadingEvent)) == 4
    desk.governor.set_reading_every_s(2.0)
    desk.poll(times=10)
    assert len(desk.written(ReadingEvent)) == 9


def test_a_reading_is_written_with_its_headroom_under_the_limits_in_force() -> None:
    desk = Desk(reading_every_s=1.0)
    desk.poll(replace(GOOD, memory_available_mib=70.0))
    desk.governor.set_limits(Limits(memory=MemoryLimits(high_enter_mib=70.0, high_leave_mib=65.0)))
    desk.poll()
    before, after = desk.written(ReadingEvent)
    assert isinstance(before, ReadingEvent)
    assert isinstance(after, ReadingEvent)
    assert before.headroom == Headroom(cpu=1.0, memory=0.5833, energy=1.0, thermal=1.0)
    assert after.headroom == Headroom(cpu=1.0, memory=1.0, energy=1.0, thermal=1.0)


def test_a_change_of_what_fails_is_written_soon() -> None:
    desk = Desk()
    desk.poll(times=3)
    assert len(desk.written(ReadingEvent)) == 1
    desk.poll(replace(GOOD, throttled=("soft-limit",)), times=5)
    assert len(desk.written(ReadingEvent)) == 2


def test_a_sensor_that_comes_and_goes_does_not_fill_the_journal() -> None:
    desk = Desk()
    failing = replace(GOOD, failed={"temperature": "EIO"})
    for _ in range(150):
        desk.poll(failing)
        desk.poll(GOOD)
    assert len(desk.written(ReadingEvent)) <= 300 / 5 + 1
    assert len(desk.written(Fault)) == 5


def test_a_sensor_that_fails_is_a_fault_with_its_error_and_what_follows() -> None:
    desk = Desk()
    desk.poll()
    desk.poll(replace(GOOD, failed={"temperature": "[Errno 5] thermal_zone0/temp"}), times=61)
    faults = desk.written(Fault)
    assert len(faults) == 2
    first, second = faults
    assert isinstance(first, Fault)
    assert isinstance(second, Fault)
    assert first.part == "governor"
    assert first.message.startswith("temperature cannot be read: [Errno 5] thermal_zone0/temp.")
    assert "no move up" in first.message
    assert (first.count, second.count) == (1, 60)


def test_the_worker_polls_until_it_is_told_to_stop() -> None:
    desk = Desk(limits=Limits(poll_min_s=0.1, poll_max_s=0.1))
    polled: deque[Reading] = deque(maxlen=8)
    prepared: list[int] = []
    enough = threading.Event()
    read = desk.read

    class Counting:
        def read(self) -> Reading:
            polled.append(read())
            if len(polled) == 3:
                enough.set()
            return polled[-1]

        def prepare(self) -> None:
            prepared.append(len(polled))

        def ignore_zones(self, types: tuple[str, ...]) -> None:
            raise AssertionError(types)

    governor = Governor(Counting(), Limits(poll_min_s=0.1, poll_max_s=0.1), desk, desk)
    worker = Worker("governor", governor.run)
    worker.start()
    assert enough.wait(10.0)
    assert worker.stop(10.0)
    assert desk.tiers == ["high"]
    assert prepared[:3] == [0, 1, 2]  # before each poll


def test_readings_tell_what_the_windows_took() -> None:
    desk = Desk()
    meter = Meter()
    governor = Governor(desk, Limits(), desk, desk, clock=desk.clock, meter=meter)
    meter.computed(Tier.LOW, 5_000_000)
    meter.computed(Tier.LOW, 7_000_000)
    meter.began(1)
    governor.poll()
    reading = governor.reading
    assert reading is not None
    assert (reading.cycle_ms, reading.cycle_tier, reading.cycles) == (6.0, Tier.LOW, 2)
    assert reading.late == 1
    assert desk.requests[0].reading == reading  # the decision rests on it
    governor.poll()
    assert governor.reading is not None
    assert (governor.reading.cycles, governor.reading.late) == (0, 0)
