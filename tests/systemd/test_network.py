"""The service and the network: shut off, and let in where a drop-in says so."""

from collections.abc import Iterator

import pytest

from tests.systemd.guest import Guest
from tests.systemd.service import UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]

SHARE = "/opt/edge-daemon/share/edge-daemon"
ENABLED = f"/etc/systemd/system/{UNIT}.d"
SERVER = """
from tests.capture.mjpeg import MjpegServer
server = MjpegServer(rate_hz=15)
print(server.url, flush=True)
server.serve_forever()
"""


@pytest.fixture
def camera(machine: Guest, service: Service) -> Iterator[str]:
    """The URL of a camera in the network of the guest."""
    command = ("env", "-C", "/srv/checkout", "/opt/edge-daemon/bin/python", "-c", SERVER)
    with machine.running(*command) as told:
        yield told.readline().strip()


def network_sockets(service: Service) -> list[str]:
    """Return the TCP, UDP and raw sockets of the daemon."""
    listed = service.guest.run("ss", "--no-header", "-A", "inet", "-a", "-p", "-n")
    assert listed.returncode == 0, listed.stderr
    return [line for line in listed.stdout.splitlines() if f"pid={service.pid}," in line]


def test_it_does_all_its_work_without_a_network_socket(service: Service) -> None:
    service.configure(tier="high")
    service.start()
    found = service.wait_for("prediction", tier="high")
    assert (found["image"], found["audio"]) == (True, True)
    assert network_sockets(service) == []
    # And could not make one: the filter that systemd put on it knows local ones alone.
    assert service.show("RestrictAddressFamilies") == "AF_UNIX"
    assert "Seccomp:\t2" in service.guest.read(f"/proc/{service.pid}/status")


def test_a_network_camera_needs_the_drop_in_and_says_so(service: Service, camera: str) -> None:
    service.configure(video={"source": "camera", "device": camera})
    service.start()
    refused = service.wait_for("capture", source="video", state="reconnecting")
    assert f"{SHARE}/network-camera.conf" in refused["detail"]
    # The commands that the file names.
    text = service.guest.read(f"{SHARE}/network-camera.conf")
    commands = [line[4:] for line in text.splitlines() if line.startswith("#   sudo ")]
    assert len(commands) == 4
    without_sudo = "; ".join(["set -e", *(line.removeprefix("sudo ") for line in commands)])
    done = service.guest.run("sh", "-c", without_sudo)
    assert done.returncode == 0, done.stderr
    assert service.guest.run("readlink", f"{ENABLED}/network-camera.conf").returncode == 0
    service.wait_for("capture", source="video", state="healthy", after=refused["seq"])
    assert len(network_sockets(service)) == 1
