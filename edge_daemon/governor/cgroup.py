"""Where this process sits in the control groups, and how many cores they leave it.

Both versions: docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/. A limit counts on every
level up to the root, so each function returns the process's own group first and then its parents.
"""

from pathlib import Path

from edge_daemon.governor.kernelfile import KernelFile, text_of

_TOGETHER = ("cpu", "cpuacct")  # most systems mount these two as one


def unified_groups(root: Path) -> list[Path]:
    """Return the directories of the v2 hierarchy, own group first; [] without one.

    Args:
        root: the filesystem root.
    """
    return _groups(root, {""}, _unified_mounts(root))


def controller_groups(root: Path, controller: str) -> list[Path]:
    """Return the directories of a v1 controller, own group first; [] where it is not mounted.

    Args:
        root: the filesystem root.
        controller: `cpu`, `memory`, ...
    """
    base = root / "sys/fs/cgroup"
    mounts = [base / controller]
    if controller in _TOGETHER:
        mounts.append(base / ",".join(_TOGETHER))
    return _groups(root, {controller}, mounts)


def root_group(root: Path) -> Path | None:
    """Return the v2 hierarchy's very root, which holds the whole board; None out of its sight.

    Inside a container the mount shows the container's group in its place.
    """
    for mount in _unified_mounts(root):
        if (mount / "cgroup.controllers").exists():
            # Every group but that one has a type.
            whole = (mount / "cpu.stat").exists() and not (mount / "cgroup.type").exists()
            return mount if whole else None
    return None


def _unified_mounts(root: Path) -> list[Path]:
    return [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]


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
        if not _is_directory(own):
            # In a container without its own cgroup namespace the path is the host's, while the
            # mount shows the container's group as its root.
            own = mount
        groups = [own]
        while groups[-1] != mount:
            groups.append(groups[-1].parent)
        return groups
    return []


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long
        return False


def _own_path(root: Path, wanted: set[str]) -> str | None:
    for line in (text_of(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and wanted & set(controllers.split(",")):
            # A path above the namespace's root is shown as "/..": the mount is all there is.
            return "" if "/.." in path else path.strip("/")
    return None


class Quota:
    """The tightest CPU quota over our group and its parents.

    Args:
        root: the filesystem root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._v2: list[KernelFile] = []
        self._v1: list[tuple[KernelFile, KernelFile]] = []
        self.scan()

    def scan(self) -> None:
        """Look again for our group: a process can be moved."""
        self.close()
        # Whether they are there or not: systemd hands out the cpu controller when a quota is first
        # asked for, so that a running service's file comes with its quota and goes after it.
        self._v2 = [KernelFile(group / "cpu.max", 64) for group in unified_groups(self._root)]
        self._v1 = [
            (
                KernelFile(group / "cpu.cfs_quota_us", 64),
                KernelFile(group / "cpu.cfs_period_us", 64),
            )
            for group in controller_groups(self._root, "cpu")
            if (group / "cpu.cfs_quota_us").exists()
        ]

    def cores(self) -> float | None:
        """Return how many cores it leaves, None without a quota: about 1 µs for each group.

        A file that cannot be read or understood is no quota.
        """
        quotas = [_cores(*_pair(file)) for file in self._v2]
        quotas += [_cores(_text(quota), _text(period)) for quota, period in self._v1]
        return min((cores for cores in quotas if cores is not None), default=None)

    def close(self) -> None:
        """Close the files."""
        for file in (*self._v2, *(file for pair in self._v1 for file in pair)):
            file.close()


def quota_cores(root: Path) -> float | None:
    """Return how many cores the tightest CPU quota leaves now, or None without a quota."""
    quota = Quota(root)
    cores = quota.cores()
    quota.close()
    return cores


def _pair(file: KernelFile) -> tuple[str, str]:
    quota_us, _, period_us = _text(file).partition(" ")
    return quota_us, period_us


def _text(file: KernelFile) -> str:
    try:
        return file.read_text()
    except (OSError, ValueError):
        return ""


def _cores(quota_us: str, period_us: str) -> float | None:
    """Return the cores of a quota; "max" (v2) and "-1" (v1) stand for none."""
    if (
        not (quota_us.isdecimal() and period_us.isdecimal())
        or not int(quota_us)
        or not int(period_us)
    ):
        return None
    return int(quota_us) / int(period_us)
