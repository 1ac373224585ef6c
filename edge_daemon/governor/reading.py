"""One immutable look at the board."""

from msgspec import Struct

from edge_daemon.tier import Tier


class Reading(Struct, frozen=True, omit_defaults=True):
    """What the probes saw at one moment. `None` means not known.

    Attributes:
        time_ns: CLOCK_BOOTTIME of the reading.
        cpu_foreign: share of the usable cores that other processes keep busy, 0 to 1.
        cpu_own: share of the usable cores that this process keeps busy, 0 to 1.
        cpu_pressure: share of the time since the last reading in which something that could run
            waited for a core (PSI `some`); None where the kernel does not tell.
        cores: cores that this process may use: the least of quota, affinity and those online.
        memory_available_mib: memory that can be taken without swapping, within the cgroup's limit.
        memory_pressure: share of the time since the last reading in which everything that could
            run waited for memory (PSI `full`); None where the kernel does not tell.
        temperature_c: of the valid zone nearest to its limit, in degrees Celsius.
        temperature_zone: that zone's `type`.
        temperature_limit_c: where the board begins to slow down: the zone's passive trip point, or
            what is known of the board's firmware.
        temperature_critical_c: the zone's critical trip point, where the board powers off.
        battery_fraction: charge left, 0 to 1, over all batteries that feed the board.
        on_mains: whether it runs from the mains; None where nothing tells.
        power_w: what the batteries give while they feed the board; else what the sensors on its
            power rails say that it draws; None where neither tells.
        runtime_s: how long the charge lasts at that power.
        cycle_ms: mean time of the windows that were computed since the last reading.
        cycle_tier: the tier they were computed in; None where there were none, or a swap fell in.
        cycles: how many they were.
        due: windows whose time came since the last reading; 0 where nobody counts them.
        late: how many of them began a period or more too late, or never.
        throttled: why the firmware holds the board back now (`under-voltage`, `throttled`, …).
        absent: signals (`cpu`, `memory`, `temperature`, `battery`, `throttle`) that this board
            does not have: no constraint, by design.
        failed: signals it has but that could not be read this time, with the error; a value that
            stands beside it is the last good one, at most 5 s old.
        failed_s: how long ago each of them last answered in full, in seconds; where it never did,
            since it was first asked.
        sound: whether sound arrives that can be classified; None where that is not known, as before
            the microphone is open, or no model listens.
        picture: whether pictures arrive; None where that is not known.
    """

    time_ns: int
    cpu_foreign: float | None = None
    cpu_own: float | None = None
    cpu_pressure: float | None = None
    cores: float | None = None
    memory_available_mib: float | None = None
    memory_pressure: float | None = None
    temperature_c: float | None = None
    temperature_zone: str | None = None
    temperature_limit_c: float | None = None
    temperature_critical_c: float | None = None
    battery_fraction: float | None = None
    on_mains: bool | None = None
    power_w: float | None = None
    runtime_s: float | None = None
    cycle_ms: float | None = None
    cycle_tier: Tier | None = None
    cycles: int = 0
    due: int = 0
    late: int = 0
    throttled: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    failed: dict[str, str] = {}
    failed_s: dict[str, float] = {}
    sound: bool | None = None
    picture: bool | None = None
