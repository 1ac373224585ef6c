import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon.clock import VirtualClock
from edge_daemon.sdnotify import Notifier


class Systemd:
    """The other end of the socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(5)
        self.environ = {"NOTIFY_SOCKET": address}

    def heard(self) -> list[str]:
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    abstract = request.param == "abstract"
    made = Systemd(f"@edge-daemon-test-{os.getpid()}" if abstract else str(tmp_path / "notify"))
    yield made
    made.socket.close()


def test_what_systemd_hears(systemd: Systemd) -> None:
    notifier = Notifier.from_environment(systemd.environ, clock=VirtualClock(1_234_567_891))
    notifier.ready()
    assert systemd.heard() == ["READY=1"]
    notifier.ready("running in high")
    assert systemd.heard() == ["READY=1", "STATUS=running in high"]
    notifier.status("low:\nthe board is hot")
    assert systemd.heard() == ["STATUS=low: the board is hot"]
    notifier.watchdog()
    assert systemd.heard() == ["WATCHDOG=1"]
    notifier.reloading()
    assert systemd.heard() == ["RELOADING=1", "MONOTONIC_USEC=1234567"]
    notifier.stopping("SIGTERM")
    assert systemd.heard() == ["STOPPING=1", "STATUS=SIGTERM"]
    notifier.close()


def test_without_systemd_nothing_happens() -> None:
    notifier = Notifier.from_environment({})
    notifier.ready()
    notifier.watchdog()
    notifier.stopping()
    notifier.close()
    assert notifier.watchdog_period_s is None


@pytest.mark.parametrize(
    ("environ", "period_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "77"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_period(environ: dict[str, str], period_s: float | None) -> None:
    assert Notifier.from_environment(environ, pid=77).watchdog_period_s == period_s


@pytest.mark.parametrize(
    ("period_s", "every_ns"), [(None, 10**9), (30.0, 10**9), (3.0, 10**9), (0.6, 2 * 10**8)]
)
def test_the_watchdog_is_to_be_fed_often_enough(period_s: float | None, every_ns: int) -> None:
    assert Notifier(None, period_s).watchdog_every_ns == every_ns


def test_a_socket_that_is_gone_is_logged_and_not_raised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(str(tmp_path / "none"))
    with caplog.at_level(logging.WARNING):
        notifier.ready()
    assert "READY=1" in caplog.text
    notifier.close()


@pytest.mark.parametrize("address", ["relative", "vsock:2:1234"])
def test_an_address_of_another_kind_is_logged(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    Notifier(address).ready()
    assert address in caplog.text


def test_a_manager_that_does_not_read_holds_nothing_up(systemd: Systemd) -> None:
    notifier = Notifier.from_environment(systemd.environ)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    address = systemd.environ["NOTIFY_SOCKET"]
    with pytest.raises(BlockingIOError):
        while True:
            sender.sendto(b"x", "\0" + address[1:] if address[0] == "@" else address)
    notifier.watchdog()  # returns
    sender.close()
    notifier.close()
    assert systemd.heard() == ["x"]


def test_a_text_that_is_not_unicode_is_sent(systemd: Systemd) -> None:
    notifier = Notifier.from_environment(systemd.environ)
    notifier.status("clip-\udcff.mp4")
    assert systemd.heard() == ["STATUS=clip-?.mp4"]
    notifier.close()


def test_what_comes_every_second_waits_for_nobody_and_is_missed_once(
    systemd: Systemd, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_daemon.sdnotify._SEND_S", 600.0)  # whoever waited would hang here
    notifier = Notifier.from_environment(systemd.environ)
    with caplog.at_level(logging.WARNING):
        for _ in range(3000):  # more than any queue takes
            notifier.watchdog()
            notifier.status("low")
    assert len(caplog.records) == 1
    assert "systemd was not told" in caplog.text
    assert systemd.heard() == ["WATCHDOG=1"]
    notifier.watchdog()
    notifier.close()
