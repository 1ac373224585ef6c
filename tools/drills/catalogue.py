"""The drills, in the order in which they run."""

from tools.drills.fault import Fault
from tools.drills.faults import (
    camera_dies,
    camera_freezes,
    camera_goes_black,
    camera_repeats,
    disk_full,
    disk_full_for_long,
    disk_read_only,
    disk_slow,
    journal_deleted,
    sound_killed,
    sound_stopped,
    sound_unplugged,
)

FAULTS: tuple[Fault, ...] = (
    camera_dies,
    camera_freezes,
    camera_repeats,
    camera_goes_black,
    sound_killed,
    sound_stopped,
    sound_unplugged,
    disk_full,
    disk_full_for_long,
    disk_read_only,
    disk_slow,
    journal_deleted,
)


def name_of(fault: Fault) -> str:
    """Return a drill's name, as commands and tables have it."""
    return fault.__name__.rpartition(".")[2]


def phrase_of(fault: Fault) -> str:
    """Return what happens in it, in a phrase."""
    return (fault.__doc__ or "").splitlines()[0]
