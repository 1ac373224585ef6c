"""The drills, in the order in which they run."""

from tools.drills.fault import Fault
from tools.drills.faults import (
    camera_dies,
    camera_freezes,
    camera_goes_black,
    camera_repeats,
    clock_stepped,
    cores_busy,
    descriptors_exhausted,
    disk_full,
    disk_full_for_long,
    disk_read_only,
    disk_slow,
    journal_deleted,
    killed,
    labels_wrong,
    memory_short,
    model_bit_flipped,
    model_replaced,
    model_swapped,
    model_truncated,
    reload_bad,
    reload_storm,
    sensors_garbage,
    sensors_hung,
    sensors_unreadable,
    sound_killed,
    sound_stopped,
    sound_unplugged,
    suspended,
)

FAULTS: tuple[Fault, ...] = (
    camera_dies,
    camera_freezes,
    camera_repeats,
    camera_goes_black,
    sound_killed,
    sound_stopped,
    sound_unplugged,
    model_truncated,
    model_swapped,
    model_bit_flipped,
    model_replaced,
    labels_wrong,
    disk_full,
    disk_full_for_long,
    disk_read_only,
    disk_slow,
    journal_deleted,
    reload_storm,
    reload_bad,
    sensors_garbage,
    sensors_unreadable,
    sensors_hung,
    clock_stepped,
    suspended,
    memory_short,
    descriptors_exhausted,
    cores_busy,
    killed,
)


def name_of(fault: Fault) -> str:
    """Return a drill's name, as commands and tables have it."""
    return fault.__name__.rpartition(".")[2]


def phrase_of(fault: Fault) -> str:
    """Return what happens in it, in a phrase."""
    return (fault.__doc__ or "").splitlines()[0]
