"""Where this process sits in the control groups, and how many cores it may use there.

Both versions: docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/. A limit counts on every
level up to the root, so each function returns the process's own group first and then its parents.
"""

from pathlib import Path

from edge_daemon.governor.kernelfile import int_of, text_of


def unified_groups(root: Path) -> list[Path]:
    """Return the directories of the v2 hierarchy, own group first; [] without one.

    Args:
        root: the filesystem root.
    """
    return _groups(root, {""}, [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"])


def controller_groups(root: Path, controller: str) -> list[Path]:
    """Return the directories of a v1 controller, own group first; [] where it is not mounted.

    Args:
        root: the filesystem root.
        controller: `cpu`, `memory`, ...
    """
    base = root / "sys/fs/cgroup"
    mounts = [base / controller, base / "cpu,cpuacct"] if controller == "cpu" else []
    return _groups(root, {controller}, mounts or [base / controller])


def _groups(root: Path, wanted: set[str], mounts: list[Path]) -> list[Path]:
    path = _own_path(root, wanted)
    if path is None:
        return []
    # v1 mounts carry no cgroup.controllers; a v2 mount does at every level.
    marker = "cgroup.controllers" if wanted == {""} else "cgroup.procs"
    for mount in mounts:
        if not (mount / marker).exists():
            continue
        own = mount / path
        if not own.is_dir():
            # In a container without its own cgroup namespace the path is the host's, while the
            # mount shows the container's group as its root.
            own = mount
        groups = [own]
        while groups[-1] != mount:
            groups.append(groups[-1].parent)
        return groups
    return []


def _own_path(root: Path, wanted: set[str]) -> str | None:
    for line in (text_of(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and wanted & set(controllers.split(",")):
            # A path above the namespace's root is shown as "/..": the mount is all there is.
            return "" if "/.." in path else path.strip("/")
    return None


def quota_cores(root: Path) -> float | None:
    """Return how many cores the tightest CPU quota leaves, or None without a quota."""
    quotas: list[float] = []
    for group in unified_groups(root):
        quota, _, period = (text_of(group / "cpu.max") or "max 100000").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            quotas.append(int(quota) / int(period))
    for group in controller_groups(root, "cpu"):
        quota_us = int_of(group / "cpu.cfs_quota_us")
        period_us = int_of(group / "cpu.cfs_period_us")
        if quota_us is not None and quota_us > 0 and period_us is not None and period_us > 0:
            quotas.append(quota_us / period_us)
    return min(quotas, default=None)
