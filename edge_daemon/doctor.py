"""Looks at the system the daemon is to run on and says what to change.

Each check is a function of the filesystem root and of what `host.py` found; it returns findings
that a command prints. Nothing is changed. What is installed is looked at in `installation.py`.
"""

import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from edge_daemon.finding import Finding, Verdict
from edge_daemon.governor.boards import board_model
from edge_daemon.governor.cgroup import controller_groups, quota_cores
from edge_daemon.governor.firmware import UNDER_VOLTAGE
from edge_daemon.governor.kernelfile import text_of
from edge_daemon.governor.probes import Probes
from edge_daemon.governor.profilefile import ProfileError
from edge_daemon.governor.supply import list_batteries
from edge_daemon.governor.thermal import list_zones
from edge_daemon.governor.throttle import ThrottleProbe, throttled_since_boot
from edge_daemon.host import Host
from edge_daemon.installation import libraries, runtime, software
from edge_daemon.permission import other_writer, writable

CMDLINE = "/boot/firmware/cmdline.txt"


def collect(root: Path, host: Host) -> list[Finding]:
    """Return all findings, in the order in which a reader wants them.

    Args:
        root: the filesystem root.
        host: what `inspect_host` found.
    """
    return [
        *software(host),
        runtime(host),
        *_board(root),
        _sensors(root),
        *_thermal(root),
        _throttle(root),
        _batteries(root),
        _pressure(root),
        _memory_cgroup(root),
        *_bundle(host),
        _profile(host),
        *_devices(root, host),
        *libraries(host, _is_a_pi(root)),
        _journal(host),
        _clock(host),
    ]


def _board(root: Path) -> Iterator[Finding]:
    model = board_model(root)
    yield Finding("board", Verdict.INFO, model or "no device tree and no DMI name it")
    quota = quota_cores(root)
    if quota is not None:
        yield Finding("CPU quota", Verdict.INFO, f"a control group leaves {quota:g} cores")


def _sensors(root: Path) -> Finding:
    probes = Probes(root)
    reading = probes.read()
    probes.close()
    if reading.failed:
        detail = "; ".join(f"{name}: {error}" for name, error in reading.failed.items())
        remedy = "until they can be read, the daemon does not move up to a higher tier"
        return Finding("sensors", Verdict.FAIL, detail, remedy)
    found = [
        name
        for name in ("cpu", "memory", "temperature", "battery", "throttle")
        if name not in reading.absent
    ]
    without = f"; this board has no {', no '.join(reading.absent)}" if reading.absent else ""
    return Finding("sensors", Verdict.OK, f"{', '.join(found)}{without}")


def _thermal(root: Path) -> Iterator[Finding]:
    zones = list_zones(root)
    if not zones:
        detail = "no zone that shows the board's own heat: temperature is no constraint"
        yield Finding("thermal zones", Verdict.INFO, detail)
        return
    good: list[str] = []
    bad: list[str] = []
    for zone in zones:
        try:
            value_c = zone.read()
        except (OSError, ValueError) as error:
            bad.append(str(error))
        else:
            good.append(f"{zone.type} {'parked' if value_c is None else f'{value_c:.1f} °C'}")
        zone.file.close()
    if good:
        yield Finding("thermal zones", Verdict.OK, ", ".join(good))
    if bad:
        verdict = Verdict.INFO if good else Verdict.WARN
        remedy = (
            "a zone that never works is left out; one that works at times can be left out with "
            "governor.limits.temperature.ignored_zones"
        )
        yield Finding("thermal zones", verdict, "; ".join(bad), remedy)


def _throttle(root: Path) -> Finding:
    name = "throttling"
    probe = ThrottleProbe(root)
    if not probe.present:
        return Finding(name, Verdict.INFO, "this board does not tell")
    try:
        now = probe.read(0)
    except (OSError, ValueError) as error:
        return Finding(name, Verdict.WARN, str(error), "update the firmware and the kernel")
    finally:
        probe.close()
    since = throttled_since_boot(root)
    power = "use the power supply that the board asks for, and a short cable"
    cooling = "improve the cooling"
    for flags, when in ((now, "now"), (since, "since the boot")):
        if flags:
            remedy = power if UNDER_VOLTAGE in flags else cooling
            return Finding(name, Verdict.WARN, f"{', '.join(flags)} {when}", remedy)
    return Finding(name, Verdict.OK, "not held back")


def _batteries(root: Path) -> Finding:
    found: list[str] = []
    for battery in list_batteries(root):
        try:
            found.append(f"{battery.name} {100 * battery.fraction():.0f} %")
        except (OSError, ValueError) as error:
            return Finding(
                "batteries", Verdict.WARN, str(error), "see whether its driver is loaded"
            )
        finally:
            battery.close()
    if found:
        return Finding("batteries", Verdict.OK, ", ".join(found))
    detail = (
        "none: the charge is no constraint (a UPS board that does not show in sysfs can be read "
        "with governor.battery_gauge)"
    )
    return Finding("batteries", Verdict.INFO, detail)


def _pressure(root: Path) -> Finding:
    name = "pressure stall information"
    # Built in and switched off, the file is there and cannot be read.
    if text_of(root / "proc/pressure/memory") is not None:
        return Finding(name, Verdict.OK, "on")
    if "psi=1" in _cmdline(root):
        return Finding(name, Verdict.INFO, "off although psi=1 is given: not built into the kernel")
    remedy = f"psi=1 on the kernel command line{_of_a_pi(root)} shows the governor memory stalls"
    return Finding(name, Verdict.INFO, "off", remedy)


def _memory_cgroup(root: Path) -> Finding:
    name = "memory control group"
    controllers = text_of(root / "sys/fs/cgroup/cgroup.controllers")
    if "memory" in (controllers or "").split() or controller_groups(root, "memory"):
        return Finding(name, Verdict.OK, f"on (version {1 if controllers is None else 2})")
    remedy = f"add cgroup_enable=memory to the kernel command line{_of_a_pi(root)} and reboot"
    if "cgroup_enable=memory" in _cmdline(root):
        remedy = "it is on the kernel command line already: reboot, or build it into the kernel"
    detail = "off: the service's memory limits (MemoryMax, MemoryHigh) have no effect"
    return Finding(name, Verdict.WARN, detail, remedy)


def _bundle(host: Host) -> Iterator[Finding]:
    if host.bundle_exposed is not None:
        remedy = "chown -R root and chmod -R o-w the bundle: models are trusted like programs"
        yield Finding("bundle", Verdict.WARN, host.bundle_exposed, remedy)


def _profile(host: Host) -> Finding:
    name = "profile of the tiers"
    measure = "`edge-daemon profile` measures, on an idle board and in a minute, what they cost"
    if host.profile is None:
        return Finding(name, Verdict.INFO, "unknown, because the bundle cannot be loaded")
    if isinstance(host.profile, ProfileError):
        return Finding(name, Verdict.FAIL, str(host.profile), measure)
    profile, path, why, trouble = host.profile
    if path is None:
        return Finding(name, Verdict.WARN if trouble else Verdict.INFO, why, measure)
    detail = f"{_age(profile.made, host.now)} ({path})"
    installed = [f"{runtime} {version}" for runtime, version in host.runtimes.items()]
    if profile.runtime and profile.runtime not in installed:
        return Finding(name, Verdict.WARN, f"{detail}, with {profile.runtime}", measure)
    return Finding(name, Verdict.OK, detail)


def _age(made: str, now: datetime) -> str:
    try:
        age = now - datetime.fromisoformat(made)
    except (ValueError, TypeError):  # no time, or none with a zone
        return "measured at an unknown time"
    if age < timedelta(minutes=-5):
        return f"measured at {made}, which is still to come by this clock"
    if age >= timedelta(days=1):
        return f"measured {age.days} day{'s' * (age.days > 1)} ago"
    return "measured within the last day"


def _devices(root: Path, host: Host) -> Iterator[Finding]:
    for name, pattern, group in (
        ("camera devices", "video*", "video"),
        ("sound devices", "snd/pcm*c", "audio"),
    ):
        nodes = sorted((root / "dev").glob(pattern))
        closed = [node.name for node in nodes if not _may_use(node, host)]
        if closed:
            remedy = f"sudo usermod -aG {group} {host.user}, then log in again"
            detail = f"{host.user} may not open {', '.join(closed)}"
            yield Finding(name, Verdict.FAIL, detail, remedy)
        elif nodes:
            yield Finding(name, Verdict.OK, ", ".join(node.name for node in nodes))
        else:
            yield Finding(name, Verdict.INFO, "none in /dev")


def _journal(host: Host) -> Finding:
    name = "journal directory"
    journal = host.journal.absolute()
    place = next(path for path in (journal, *journal.parents) if path.exists())
    if not place.is_dir():
        remedy = "remove it, or name another directory with journal.directory"
        return Finding(name, Verdict.FAIL, f"{place} is no directory", remedy)
    if place == journal and (writer := other_writer(place)) is not None:
        detail = f"{place} belongs to {writer}, who writes it"
        return Finding(name, Verdict.INFO, detail, f"sudo -u {writer} edge-daemon doctor")
    if not writable(place):
        what = f"chown {host.user}" if place == journal else f"install -d -o {host.user}"
        remedy = f"sudo {what} {journal}, or name another with journal.directory"
        return Finding(name, Verdict.FAIL, f"{host.user} may not write to {place}", remedy)
    free_mib = shutil.disk_usage(place).free / 2**20
    used_mib = sum(file.stat().st_size for file in place.glob("*.jsonl*")) / 2**20
    detail = f"{host.journal}, {free_mib:.0f} MiB free"
    if free_mib + used_mib < host.journal_mib:
        remedy = "free some, or lower journal.max_total_mib"
        return Finding(name, Verdict.WARN, f"{detail} of {host.journal_mib:g} allowed", remedy)
    return Finding(name, Verdict.OK, detail)


def _clock(host: Host) -> Finding:
    if host.clock_synchronised is None:
        return Finding("wall clock", Verdict.INFO, "the kernel does not tell whether it is right")
    if not host.clock_synchronised:
        detail = "not synchronised: the journal's `ts` may be wrong; nothing else depends on it"
        return Finding("wall clock", Verdict.WARN, detail, "sudo timedatectl set-ntp true")
    return Finding("wall clock", Verdict.OK, "synchronised")


def _of_a_pi(root: Path) -> str:
    """Return where a Pi keeps the kernel command line; other boards' loaders differ."""
    return f" ({CMDLINE})" if _is_a_pi(root) else ""


def _is_a_pi(root: Path) -> bool:
    return (board_model(root) or "").startswith("Raspberry Pi")


def _cmdline(root: Path) -> list[str]:
    return (text_of(root / "proc/cmdline") or "").split()


def _may_use(node: Path, host: Host) -> bool:
    """Whether the user may read and write a device node, by its owner, group and mode."""
    if host.uid == 0:
        return True
    status = node.stat()
    if status.st_uid == host.uid:
        needed = stat.S_IRUSR | stat.S_IWUSR
    elif status.st_gid in host.gids:
        needed = stat.S_IRGRP | stat.S_IWGRP
    else:
        needed = stat.S_IROTH | stat.S_IWOTH
    return status.st_mode & needed == needed
