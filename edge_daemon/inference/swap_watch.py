"""Notices, from outside, a tier that does not get ready, and has a fresh thread go on."""

from collections.abc import Callable
from typing import Any

from edge_daemon.inference.swap import OnFault, Swapper
from edge_daemon.worker import Worker

HANG_S = 30.0
"""A preparation that takes longer will not end, as far as anyone can tell: it takes milliseconds,
and seconds from a bad card on a board that is short of memory."""

MOST_LEFT = 3
"""Threads that may be left behind at once."""


class SwapWatch:
    """Gives up a preparation that hangs: a model file on a dead disk, a wedged interpreter.

    It is reported as a load that failed, so that the policy stays with a tier that runs. The
    thread that hangs is left behind and a fresh one goes on; what the first brings after all is
    taken if it is still wanted. Where as many hang as may be left, the last one is waited for, and
    every tier that is asked for meanwhile counts as failed in its turn.

    Not even then is a restart asked for. What runs goes on, `critical` is in memory and taken over
    between two windows as ever, whereas a process that cannot read its models from a dead disk
    would find neither them nor its programs there when it starts again.

    Args:
        swapper: what is watched.
        on_fault: told the tier and what went wrong, as by the swapper itself.
        on_error: told of an exception that ends a thread, as by any worker.

    Attributes:
        worker: runs the swapper.
    """

    def __init__(
        self,
        swapper: Swapper[Any],
        on_fault: OnFault,
        on_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.worker = Worker("swap", swapper.run, on_error=on_error)
        self._swapper = swapper
        self._on_fault = on_fault

    def check(self) -> None:
        """Look whether a tier is late; from any one thread, often."""
        late = self._swapper.give_up(HANG_S)
        if late is None:
            return
        tier, pause_s = late
        self._on_fault(
            tier,
            f"{tier} is not ready after {HANG_S:g} s, tried again in {pause_s:g} s: reading "
            f"{self._swapper.model_file(tier)} or opening it does not return. See whether its disk "
            f"or network share answers, and the kernel's messages (`dmesg`); {self._go_on()}",
        )

    def _go_on(self) -> str:
        left = self.worker.left_behind
        if left >= MOST_LEFT:
            return f"{left} threads hang already, so that one is waited for: or else restart"
        if not self.worker.replace():
            return "no fresh thread could be had: is the board out of memory?"
        return f"the thread is left behind ({left + 1} of at most {MOST_LEFT}), a fresh one goes on"
