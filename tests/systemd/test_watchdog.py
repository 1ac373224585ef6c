"""What hangs under a real systemd: the process, a thread of it, a camera."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.systemd.guest import wait_until
from tests.systemd.service import PATIENCE_S, PYTHON, UNIT, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]

WATCHDOG_S = 3.0  # as Service.reset sets it


def restarts_over(service: Service, hang: Callable[[], object]) -> None:
    """Check that a hang is noticed, and that a fresh process goes on with the journal."""
    service.start()
    service.wait_for("prediction")
    pid = service.pid
    hang()
    assert wait_until(lambda: service.restarted(pid), PATIENCE_S)
    assert f"{UNIT}: Watchdog timeout" in service.log()
    second = service.wait_for("start", pid=service.pid)
    service.wait_for("prediction", after=second["seq"])
    assert service.show("NRestarts") == "1"


@pytest.mark.parametrize("thread", ["edge-daemon", "journal"])
def test_a_daemon_with_a_thread_that_hangs_is_restarted(service: Service, thread: str) -> None:
    with ExitStack() as held:

        def freeze() -> None:
            script = "/srv/checkout/tests/systemd/freeze.py"
            tracer = service.guest.running(PYTHON, script, str(service.pid), thread)
            assert held.enter_context(tracer).readline() == "frozen\n"

        restarts_over(service, freeze)
    assert "Fatal Python error: Aborted" in service.log()  # and where every thread was


def test_a_stopped_daemon_is_restarted(service: Service) -> None:
    stop = ("kill", "--kill-whom=main", "--signal=STOP", UNIT)
    restarts_over(service, lambda: service.systemctl(*stop))


def test_a_wedged_camera_neither_silences_nor_restarts_it_nor_holds_up_its_stop(
    service: Service,
) -> None:
    fifo = "/srv/wedged.mjpg"
    service.guest.run("sh", "-c", f"test -p {fifo} || mkfifo --mode=666 {fifo}")
    service.configure(tier="high", video={"source": "camera", "device": f"file://{fifo}"})
    service.start()
    stalled = service.wait_for("capture", source="video", state="stalled")
    # It goes on by ear for longer than the watchdog waits.
    until_ns = stalled["mono_ns"] + round(1.5 * WATCHDOG_S * 1e9)

    def heard() -> bool:
        last = service.lines("prediction")[-1]
        return bool(last["mono_ns"] > until_ns and last["audio"] and not last["image"])

    assert wait_until(heard, PATIENCE_S), service.lines("prediction")[-3:]
    assert service.show("NRestarts") == "0"
    service.systemctl("stop", UNIT)
    assert service.show("Result") == "success"  # within TimeoutStopSec, or it would be `timeout`
    assert service.lines("stop")[-1]["reason"] == "SIGTERM"
