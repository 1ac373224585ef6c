"""How long work waits for a resource: the kernel's pressure stall information (PSI)."""

from pathlib import Path

from edge_daemon.governor.kernelfile import KernelFile

MIN_SPAN_S = 0.2
"""Over a shorter span a single wait looks like pressure."""

_MIN_SPAN_NS = int(MIN_SPAN_S * 1e9)


class StallProbe:
    """The share of the time between two reads in which work waited for one resource.

    Counted from the running `total` of /proc/pressure (docs.kernel.org/accounting/psi.html): the
    averages beside it are brought up to date every 2 s only.

    It is the whole board's file and not that of the daemon's control group. The group's shows a
    wait once it has hit one of our few threads, and takes a CPU quota of our own for pressure;
    the board's shows work that queues before it reaches us, and means the same however the daemon
    was started.

    This signal is a supplement: many kernels come without it, and the Pi's want `psi=1` on their
    command line. Whatever is wrong with it, it is `None` and nothing else.

    Args:
        root: the filesystem root.
        resource: `cpu` or `memory`.
        kind: `some`, when at least one task waited, or `full`, when all that could run did.
    """

    def __init__(self, root: Path, resource: str, kind: str) -> None:
        self._file = KernelFile(root / "proc/pressure" / resource, size=256)
        self._line = kind.encode() + b" "
        self._read_ns = 0
        self._total_us: int | None = None
        self._share: float | None = None
        self.scan()

    def scan(self) -> None:
        """Look again for the file, and try again after it could not be read."""
        self._present = self._file.path.exists()

    def reset(self) -> None:
        """Forget the last total: the time between it and now was not all time that work ran."""
        self._total_us = None
        self._share = None

    def read(self, now_ns: int) -> float | None:
        """Return the share since the last read, 0 to 1; None where it cannot be told.

        Sooner than `MIN_SPAN_S` after the last one it is the last one.
        """
        if not self._present:
            return None
        span_ns = now_ns - self._read_ns
        before_us = self._total_us
        if before_us is not None and 0 < span_ns < _MIN_SPAN_NS:
            return self._share
        try:
            total_us = self._total_in(self._file.read())
        except OSError:
            # Kernels that have it switched off may show the file and fail with EOPNOTSUPP.
            self._present = False
            total_us = None
        except ValueError:
            total_us = None
        self._read_ns = now_ns
        self._total_us = total_us
        self._share = None
        if before_us is not None and total_us is not None and span_ns > 0:
            waited_ns = 1000 * (total_us - before_us)
            if waited_ns >= 0:
                self._share = waited_ns / span_ns if waited_ns < span_ns else 1.0
        return self._share

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _total_in(self, data: bytes) -> int:
        # A line ends "total=61410511".
        line, end, _ = data.partition(self._line)[2].partition(b"\n")
        if not end:
            raise ValueError(f"{self._file.path} holds {data[:32]!r}, not a pressure")
        return int(line.rpartition(b"total=")[2])
