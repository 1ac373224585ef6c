"""Control groups of a guest's own, so that limits set inside it apply."""

import os
import time
from pathlib import Path

from edge_daemon.governor.cgroup import controller_groups, unified_groups

CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "devices")
_GONE_S = 5.0


class Groups:
    """One new group in each hierarchy, beside or below the one that this process is in.

    With a hierarchy for each controller (v1) systemd-nspawn shows them read-only: `shown` names
    those that the guest must be allowed to write to. With the unified one (v2) nspawn hands its
    group on by itself.

    Args:
        name: of the groups.
    """

    def __init__(self, name: str) -> None:
        found = {controller: controller_groups(Path("/"), controller) for controller in CONTROLLERS}
        self.shown = [controller for controller, groups in found.items() if groups]
        self._paths = {groups[0] / name for groups in found.values() if groups}
        unified = unified_groups(Path("/"))
        if not self._paths and unified:
            # Beside our own: but for the root, no group with processes hands controllers on.
            self._paths = {unified[:2][-1] / name}

    def __enter__(self) -> "Groups":
        for path in self._paths:
            path.mkdir(exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + _GONE_S
        for path in self._paths:
            for folder, _folders, _files in os.walk(path, topdown=False):
                _remove(Path(folder), deadline)

    def join(self) -> None:
        """Move this process in; for `preexec_fn`."""
        for path in self._paths:
            (path / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


def _remove(group: Path, deadline: float) -> None:
    """Remove a group as soon as the kernel has let go of its processes."""
    while True:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
