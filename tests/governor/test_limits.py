import msgspec
import pytest

from edge_daemon.governor.limits import (
    BatteryLimits,
    CpuLimits,
    Limits,
    MemoryLimits,
    TemperatureLimits,
    disorder,
)


def test_the_defaults_are_in_order() -> None:
    assert list(disorder(Limits())) == []


def test_the_defaults_are_the_gaps_of_the_published_table() -> None:
    cpu, memory = CpuLimits(), MemoryLimits()
    assert cpu.bands == ((0.80, 0.90), (0.60, 0.70), (0.30, 0.50))
    assert memory.bands[1:] == ((60, 40), (120, 80))
    assert memory.bands[0].leave == 20


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (Limits(cpu=CpuLimits(high_enter=0.5)), "cpu.high_enter"),
        (Limits(cpu=CpuLimits(low_leave=0.5)), "cpu.low_enter"),
        (Limits(cpu=CpuLimits(high_leave=0.75)), "cpu.high_leave"),
        (Limits(cpu=CpuLimits(medium_enter=0.2)), "cpu.high_enter"),
        (Limits(memory=MemoryLimits(medium_leave_mib=60)), "memory.medium_enter_mib"),
        (Limits(memory=MemoryLimits(high_leave_mib=30)), "memory.high_leave_mib"),
        (Limits(memory=MemoryLimits(reserve_mib=25)), "memory.reserve_mib"),
        (Limits(temperature=TemperatureLimits(high_enter_c=9)), "temperature.high_enter_c"),
        (Limits(battery=BatteryLimits(low_leave=0.15)), "battery.low_enter"),
        (Limits(up_after_s=700), "up_after_max_s"),
    ],
)
def test_disorder_is_named_by_its_key(limits: Limits, key: str) -> None:
    assert key in [name for name, _ in disorder(limits)]


def test_what_is_wrong_says_what_to_do() -> None:
    found = dict(disorder(Limits(cpu=CpuLimits(high_enter=0.6))))
    assert found["cpu.high_enter"] == (
        "must lie below cpu.high_leave (0.5), or high would be entered and left at the same "
        "value, not 0.6"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"cpu": {"high_enter": 1.1}},
        {"cpu": {"high_entr": 0.3}},
        {"poll_min_s": 0},
        {"down_polls": 0},
        {"memory": {"reserve_mib": -1}},
        {"temperature": {"limit_c": 5}},
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Limits)


def test_limits_are_a_section_of_a_file() -> None:
    limits = msgspec.convert({"poll_min_s": 0.4, "memory": {"reserve_mib": 8}}, Limits)
    assert limits.poll_min_s == 0.4
    assert limits.memory.reserve_mib == 8
    assert limits.cpu == CpuLimits()
