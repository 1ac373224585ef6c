"""What the service tells systemd: ready, alive, reloading, stopping; without libsystemd.

The protocol, sd_notify(3): a datagram of `KEY=value` lines to the AF_UNIX socket that NOTIFY_SOCKET
names
(https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html).
"""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Self

from edge_daemon.clock import Clock, monotonic_ns

log = logging.getLogger(__name__)

_SEND_S = 0.2
_PING_S = 1.0
_PINGS = 3  # within the watchdog's period: one may be missed


class Notifier:
    """Tells systemd what the service is doing. Never raises; without a socket it does nothing.

    Args:
        address: of the socket: a path, or `@` and an abstract name; None for no systemd.
        watchdog_period_s: see the attribute.
        clock: CLOCK_MONOTONIC in nanoseconds, which systemd compares with its own.

    Attributes:
        watchdog_period_s: systemd restarts a service whose `watchdog` it has not heard for this
            long. None when the unit sets no WatchdogSec.
    """

    def __init__(
        self,
        address: str | None,
        watchdog_period_s: float | None = None,
        clock: Clock = monotonic_ns,
    ) -> None:
        self.watchdog_period_s = watchdog_period_s
        self._clock = clock
        self._address = address
        self._socket: socket.socket | None = None
        self._unheard = False
        if address is None:
            return
        if not address.startswith(("/", "@")):
            log.warning("NOTIFY_SOCKET %r is neither a path nor an abstract name", address)
            return
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        except OSError as error:
            log.warning("systemd is not told anything: %s", error)
            return
        # A manager that does not read must not hold the daemon up, and the loop not at all.
        self._socket.settimeout(_SEND_S)
        self._hasty = self._socket.dup()
        self._hasty.settimeout(0.0)

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], pid: int | None = None, clock: Clock = monotonic_ns
    ) -> Self:
        """Make the notifier that systemd's environment asks for.

        Args:
            environ: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read.
            pid: of the process that WATCHDOG_PID must name; this one when None.
            clock: CLOCK_MONOTONIC in nanoseconds.
        """
        pid = os.getpid() if pid is None else pid
        period_us = environ.get("WATCHDOG_USEC", "")
        for_us = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        period_s = int(period_us) / 1e6 if for_us and period_us.isdecimal() else 0.0
        return cls(environ.get("NOTIFY_SOCKET") or None, period_s or None, clock)

    @property
    def watchdog_every_ns(self) -> int:
        """How often to call `watchdog`: each second, and more often for an impatient systemd."""
        period_s = self.watchdog_period_s
        return round(1e9 * (_PING_S if period_s is None else min(_PING_S, period_s / _PINGS)))

    def ready(self, status: str = "") -> None:
        """The service has started, or its reload is complete."""
        self._send("READY=1", *self._status(status))

    def status(self, text: str) -> None:
        """Say in a sentence what it is doing; `systemctl status` shows it. Never waits."""
        self._send(*self._status(text), waits=False)

    def watchdog(self) -> None:
        """The service is alive and does its work. Never waits: the next one is soon enough."""
        self._send("WATCHDOG=1", waits=False)

    def reloading(self) -> None:
        """A reload begins; `ready` ends it. Type=notify-reload needs the time (systemd 253)."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={self._clock() // 1000}")

    def stopping(self, status: str = "") -> None:
        """The service is about to end."""
        self._send("STOPPING=1", *self._status(status))

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._hasty.close()
            self._socket = None

    @staticmethod
    def _status(text: str) -> list[str]:
        line = " ".join(text.split())
        return [f"STATUS={line}"] if line else []

    def _send(self, *lines: str, waits: bool = True) -> None:
        if self._socket is None or self._address is None or not lines:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        channel = self._socket if waits else self._hasty
        try:
            channel.sendto("\n".join(lines).encode("utf-8", "replace"), address)
        except OSError as error:
            if waits or not self._unheard:  # what is said every second is missed once
                log.warning("systemd was not told %s: %s", lines[0], error)
            self._unheard = True
        else:
            self._unheard = False
