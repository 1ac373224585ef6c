"""Limits that systemd sets on the service: they apply, and the governor lives within them."""

import json
import re
from typing import Any

import pytest

from tests.systemd.guest import wait_until
from tests.systemd.service import COMMAND, CONFIG, PATIENCE_S, PYTHON, STATE, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]

QUICK = {"poll_max_s": 0.5, "up_after_s": 0.5, "ups_per_hour": 3600}
REST = ["temperature", "battery", "throttle"]


@pytest.fixture
def limited(service: Service) -> Service:
    """The service on a machine whose limits bite; elsewhere the test skips."""
    grow = "held = bytearray(b'x') * (128 << 20)"
    limit = ("-p", "MemoryMax=32M", "-p", "MemorySwapMax=0")
    grown = service.guest.run("systemd-run", "--wait", *limit, PYTHON, "-c", grow)
    if grown.returncode == 0:
        pytest.skip("this kernel's control groups are not the guest's to set limits in")
    service.systemctl("reset-failed")
    return service


def explained(service: Service) -> dict[str, Any]:
    """Return what `edge-daemon explain` says."""
    done = service.guest.run(COMMAND, "explain", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def limit(service: Service, setting: str) -> None:
    """Set a limit as an operator does on a running service."""
    service.systemctl("set-property", "--runtime", UNIT, setting)


def memory_in_use(service: Service) -> int:
    """Return the bytes that the service cannot give back: file pages that lie idle do not count."""
    group = "$(systemctl show -p ControlGroup --value edge-daemon)"
    stat = f"cat /sys/fs/cgroup/memory{group}/memory.stat /sys/fs/cgroup{group}/memory.stat"
    counters = service.guest.run("sh", "-c", stat).stdout.split()
    name = "total_inactive_file" if "total_inactive_file" in counters else "inactive_file"
    return int(service.show("MemoryCurrent")) - int(counters[counters.index(name) + 1])


def test_it_gives_way_when_its_memory_is_limited_and_comes_back(limited: Service) -> None:
    limits = {**QUICK, "ignored": ["cpu", *REST]}
    limited.configure(governor={"limits": limits, "profile": "published"})
    limited.start()
    high = limited.wait_for("tier_change", to="high")
    # Room for 12 MiB more, within the reserve of 16.
    limit(limited, f"MemoryMax={memory_in_use(limited) + (12 << 20)}")
    down = limited.wait_for("tier_change", to="critical", after=high["seq"])
    assert (down["resource"], down["rule"]) == ("memory", "memory_reserve")
    assert down["reading"]["memory_available_mib"] < 16
    why = " ".join(explained(limited)["text"])
    assert down["reason"] in why
    assert "must be at least 30 MiB for low" in why
    said = r"tier critical \(available memory is \d+ MiB, .* MiB\), .* windows/s, .*"
    assert wait_until(lambda: bool(re.fullmatch(said, limited.show("StatusText"))), PATIENCE_S)
    limit(limited, "MemoryMax=infinity")
    limited.wait_for("tier_change", to="high", after=down["seq"])
    assert limited.show("NRestarts") == "0"


@pytest.mark.parametrize("profile", ["measured", "published"])
def test_it_gives_way_when_its_quota_shrinks_and_comes_back(limited: Service, profile: str) -> None:
    # With a group of its own from the start, as everywhere but on cgroup v1; starved, not hung.
    limited.drop_in("50-cpu", "[Service]\nCPUAccounting=yes\nWatchdogSec=30\n")
    # On a machine that others use as well, a window in ten may be 10 ms late without any quota.
    limits = {**QUICK, "ignored": ["memory", *REST], "cpu": {"late_enter": 0.35}}
    governed: dict[str, object] = {"limits": limits}
    limited.configure(window={"period_ms": 10}, governor=governed)
    # Measured as root, before the service has ever run, and found by the service's user.
    arguments = ("--quick", "--anyway", "--config", CONFIG)
    measured = limited.guest.run(COMMAND, "profile", *arguments)
    assert measured.returncode == 0, measured.stderr
    kept = re.search(rf"kept in ({STATE}/profile-\S+\.json)", measured.stderr)
    assert kept is not None
    costs = json.loads(limited.guest.read(kept[1]))["tiers"]
    if profile == "published":
        governed["profile"] = profile
        limited.configure(window={"period_ms": 10}, governor=governed)
    limited.start()
    said = limited.wait_for("start")["profile"]
    assert said.startswith("measured ") is (profile == "measured")
    assert limited.guest.run("stat", "-c", "%U", STATE).stdout.strip() == "edge-daemon"
    high = limited.wait_for("tier_change", to="high")
    # Half of what the windows of the lowest tier ask for: however fast the machine, it is late.
    percent = max(1, int(100 * costs["critical"]["cpu_ms"] / 10 / 2))
    limit(limited, f"CPUQuota={percent}%")
    # Three tiers one after the other, by a daemon that gets 20 ms of each second.
    down = limited.wait_for("tier_change", to="critical", after=high["seq"], within_s=150.0)
    assert (down["resource"], down["rule"]) == ("cpu", "cpu_limit")
    assert down["reading"]["cores"] == percent / 100
    if profile == "published":
        assert down["binding"]["quantity"] == "late_windows"
    assert down["reason"] in " ".join(explained(limited)["text"])
    group = "$(systemctl show -p ControlGroup --value edge-daemon)"
    stat = f"cat /sys/fs/cgroup/cpu{group}/cpu.stat /sys/fs/cgroup{group}/cpu.stat"
    counters = limited.guest.run("sh", "-c", stat).stdout.split()
    assert int(counters[counters.index("nr_throttled") + 1]) > 0
    limit(limited, "CPUQuota=")
    limited.wait_for("tier_change", to="low", after=down["seq"], within_s=150.0)
    assert limited.show("NRestarts") == "0"


def test_no_device_is_open_to_it_but_cameras_and_microphones(limited: Service) -> None:
    limited.start()
    group = "$(systemctl show -p ControlGroup --value edge-daemon)"
    listed = limited.guest.run("sh", "-c", f"cat /sys/fs/cgroup/devices{group}/devices.list")
    if listed.returncode != 0:
        pytest.skip("only control groups of version 1 list the devices")
    known = limited.guest.read("/proc/devices").splitlines()
    names = {"video4linux", "media", "dma_heap", "alsa"}
    allowed = {words[0] for line in known if len(words := line.split()) == 2 and words[1] in names}
    # What DevicePolicy=closed leaves: null, zero, full, random, terminals.
    closed = {"1", "5", "136", "0"}
    majors = {line.split()[1].split(":")[0] for line in listed.stdout.splitlines()}
    assert majors <= closed | allowed
    assert "1:3" in listed.stdout
    assert "1:1 " not in listed.stdout  # /dev/mem
    assert not [line for line in listed.stdout.splitlines() if line.startswith("a")]
