"""Who may read and write a journal, who has it in use, and what to do about it."""

import grp
import os
import pwd
import stat
from pathlib import Path

from edge_daemon.journal.rotation import ACTIVE

_READ_BY_GROUP = stat.S_IRGRP


def user_name() -> str:
    """Return the name of the user that asks, or the number where no name is known."""
    return _owner(os.geteuid())


def unreadable(path: Path) -> str | None:
    """Return why this user may not read a journal or a recording, and what to do about it.

    Args:
        path: the journal's directory, or a file.

    Returns:
        A sentence that begins with what is in the way; None where nothing is, or nothing is there.
    """
    path = path.absolute()
    for place in (*reversed(path.parents), path, path / ACTIVE):
        try:
            status = place.stat()
        except OSError:  # not there
            return None
        needed = os.R_OK if place in (path, path / ACTIVE) else os.X_OK
        if stat.S_ISDIR(status.st_mode):
            needed |= os.X_OK
        if not os.access(place, needed, effective_ids=True):
            return f"{place}: may not be read by this user{_by_group(status)}"
    return None


def other_writer(directory: Path) -> str | None:
    """Return whose a directory is that this user may not write to, where that is no trouble.

    The service's journal belongs to the service's user, and must: given to anybody else, the
    service could not rotate it any more.

    Returns:
        The name of another user than root and the one that asks; None where it is not so.
    """
    owner = directory.stat().st_uid
    if owner in (0, os.geteuid()) or writable(directory):
        return None
    return _owner(owner)


def writable(directory: Path) -> bool:
    """Return whether this user may make files in a directory."""
    return os.access(directory, os.W_OK | os.X_OK, effective_ids=True)


def in_use(directory: Path, locks: Path = Path("/proc/locks")) -> bool:
    """Return whether a daemon writes its journal there, without touching the lock that says so.

    Trying the lock would keep a daemon from starting that tries at the same moment. On btrfs the
    kernel's list and a file's status name different devices, and nothing is ever in use.

    Args:
        directory: of the journal; need not exist.
        locks: the kernel's list, proc_locks(5).
    """
    try:
        status = directory.stat()
        lines = locks.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    held = f"{device}:{status.st_ino}"
    return any("FLOCK" in fields and held in fields for fields in map(str.split, lines))


def _by_group(status: os.stat_result) -> str:
    """Return the way in by the group that may read, where there is one beside root's."""
    if not status.st_mode & _READ_BY_GROUP or status.st_gid == 0:
        return ""
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        return ""
    return f": sudo adduser {user_name()} {group}, and log in again"


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's made-up user
        return str(uid)
