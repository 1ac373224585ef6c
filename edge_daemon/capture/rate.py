"""Whether a camera delivers as many pictures a second as were asked of it."""

from edge_daemon.capture.source import Frame

NS_PER_S = 1_000_000_000
SPAN_S = 10.0
"""Time over which the rate is measured: as long as cameras take to settle their exposure."""
TOO_FEW = 0.8
ENOUGH = 0.9


class Rate:
    """Says once that a camera is slower than asked, and once when it no longer is.

    Args:
        asked_hz: pictures a second that were asked for.
        span_s: time over which the rate is measured; at least three pictures always count.
    """

    def __init__(self, asked_hz: float, span_s: float = SPAN_S) -> None:
        self._asked_hz = asked_hz
        self._span_ns = round(max(span_s, 3 / asked_hz) * NS_PER_S)
        self._since_ns: int | None = None
        self._count = 0
        self._slow = False

    def __call__(self, frame: Frame | None, now_ns: int) -> str | None:
        """Return what is to be said now that this frame has come; None for nothing.

        No frame says that the camera was opened anew, and with it the measurement begins anew.
        """
        if frame is None:
            self._since_ns = None
            return None
        if self._since_ns is None:
            self._since_ns, self._count = now_ns, 0
            return None
        self._count += 1
        elapsed_ns = now_ns - self._since_ns
        if elapsed_ns < self._span_ns:
            return None
        rate_hz = self._count * NS_PER_S / elapsed_ns
        self._since_ns, self._count = now_ns, 0
        return self._judge(rate_hz)

    def _judge(self, rate_hz: float) -> str | None:
        slow = rate_hz < (ENOUGH if self._slow else TOO_FEW) * self._asked_hz
        if slow is self._slow:
            return None
        self._slow = slow
        found = f"{rate_hz:.1f} pictures a second, {self._asked_hz:g} were asked for"
        if not slow:
            return found
        return (
            f"{found}: in poor light a camera exposes longer; by USB, video.fourcc: MJPG or a "
            "smaller size may help; else lower video.rate_hz"
        )
