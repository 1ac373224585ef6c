"""What hangs under a real systemd: the process, a thread of it, a camera."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from edge_daemon.governor.watch import PATIENCE_S as GOVERNOR_S
from edge_daemon.inference.swap_watch import HANG_S as SWAP_S
from tests.systemd.guest import wait_until
from tests.systemd.service import PATIENCE_S, PYTHON, UNIT, Fields, Service

pytestmark = [pytest.mark.root, pytest.mark.slow]

WATCHDOG_S = 3.0  # as Service.reset sets it
STALL_S = 1.0  # less than that: what is reported is excused


@contextmanager
def frozen(service: Service, thread: str) -> Iterator[None]:
    """Stop one thread of the daemon for the length of a block."""
    script = "/srv/checkout/tests/systemd/freeze.py"
    with service.guest.running(PYTHON, script, str(service.pid), thread) as tracer:
        assert tracer.readline() == "frozen\n"
        yield


def restarts_over(
    service: Service, hang: Callable[[], object], within_s: float = PATIENCE_S
) -> None:
    """Check that a hang is noticed, and that a fresh process goes on with the journal."""
    service.start()
    service.wait_for("prediction")
    pid = service.pid
    hang()
    assert wait_until(lambda: service.restarted(pid), within_s)
    assert f"{UNIT}: Watchdog timeout" in service.log()
    second = service.wait_for("start", pid=service.pid)
    service.wait_for("prediction", after=second["seq"])
    assert service.show("NRestarts") == "1"


def goes_on_by_ear(service: Service, since_ns: int) -> None:
    """Check that it hears and does not see, for longer than the watchdog waits."""
    until_ns = since_ns + round(1.5 * WATCHDOG_S * 1e9)

    def heard() -> bool:
        last = service.lines("prediction")[-1]
        return bool(last["mono_ns"] > until_ns and last["audio"] and not last["image"])

    assert wait_until(heard, PATIENCE_S), service.lines("prediction")[-3:]
    assert service.show("NRestarts") == "0"


@contextmanager
def film(service: Service, fifo: str) -> Iterator[str]:
    """Write moving pictures into a pipe, and yield the process that does, in the guest's number."""
    writer = (
        "echo $$; exec ffmpeg -y -v quiet -re -f lavfi -i testsrc2=size=320x240:rate=30 "
        f"-pix_fmt yuv420p -f yuv4mpegpipe {fifo}"
    )
    with service.guest.running("sh", "-c", writer) as said:
        yield said.readline().strip()


@pytest.mark.parametrize("thread", ["edge-daemon", "journal"])
def test_a_daemon_with_a_thread_that_hangs_is_restarted(service: Service, thread: str) -> None:
    with ExitStack() as held:
        restarts_over(service, lambda: held.enter_context(frozen(service, thread)))
    assert "Fatal Python error: Aborted" in service.log()  # and where every thread was


def test_one_whose_governor_hangs_says_so_and_is_restarted_in_critical(service: Service) -> None:
    with ExitStack() as held:
        hang = lambda: held.enter_context(frozen(service, "governor"))  # noqa: E731
        restarts_over(service, hang, GOVERNOR_S + PATIENCE_S)
    fault = service.wait_for("fault", part="governor")
    assert fault["message"].startswith("no reading of the board for ")
    first, second = service.lines("start")
    assert second["tier"] == "critical"
    between = [
        line["mono_ns"]
        for line in service.lines("prediction")
        if first["seq"] < line["seq"] < second["seq"]
    ]
    assert between[-1] > fault["mono_ns"], "windows went on all the while"


def test_a_swap_that_hangs_is_left_behind_and_holds_back_no_move_to_critical(
    service: Service,
) -> None:
    service.configure(tier="low")
    service.start()
    service.wait_for("prediction", tier="low")
    pid = service.pid

    def ask_for(tier: str) -> None:
        service.configure(tier=tier)
        service.systemctl("reload", UNIT)

    with frozen(service, "swap"):
        ask_for("medium")
        reload = service.wait_for("reload")
        ask_for("critical")
        down = service.wait_for("tier_change", after=reload["seq"], to="critical")
        service.wait_for("prediction", after=down["seq"], tier="critical")
        assert service.lines("fault") == [], "that did not wait until the hang was noticed"
        ask_for("high")
        fault = service.wait_for("fault", part="swap", within_s=SWAP_S + PATIENCE_S)
        assert fault["message"].startswith("high is not ready after 30 s, tried again in 2 s")
        assert "(1 of at most 3), a fresh one goes on" in fault["message"]
        since = {line["tier"] for line in service.lines("prediction") if line["seq"] > down["seq"]}
        assert since == {"critical"}
        up = service.wait_for("tier_change", after=fault["seq"], to="high")
        service.wait_for("prediction", after=up["seq"], tier="high")
    assert (service.pid, service.show("NRestarts")) == (pid, "0")
    assert len(service.lines("fault")) == 1
    service.systemctl("stop", UNIT)
    assert service.show("Result") == "success"


def test_a_picture_that_hangs_in_its_thread_leaves_the_sound(service: Service) -> None:
    service.configure(tier="high", capture={"stall_s": STALL_S})
    service.start()
    service.wait_for("prediction", image=True)
    with frozen(service, "video"):
        stalled = service.wait_for("capture", source="video", state="stalled")
        goes_on_by_ear(service, stalled["mono_ns"])
    service.wait_for("capture", source="video", state="healthy", after=stalled["seq"])
    assert service.show("NRestarts") == "0"


@pytest.mark.parametrize("sound", ["synthetic", "none"])
def test_a_camera_wedged_in_mid_stream_is_left_behind_and_taken_back_without_a_restart(
    service: Service, sound: str
) -> None:
    fifo = "/srv/wedged.y4m"
    service.guest.run("sh", "-c", f"test -p {fifo} || mkfifo --mode=666 {fifo}")
    if service.guest.run("sh", "-c", "command -v ffmpeg").returncode != 0:
        pytest.skip("no ffmpeg")
    service.configure(
        tier="high",
        video={"source": "camera", "device": f"file://{fifo}"},
        audio={"source": sound},
        capture={"stall_s": STALL_S},
    )
    service.start()
    pid = service.pid
    with film(service, fifo) as writer:
        service.wait_for("prediction", image=True)
        service.guest.run("kill", "-STOP", writer)
        stalled = service.wait_for("capture", source="video", state="stalled")
        if sound != "none":
            goes_on_by_ear(service, stalled["mono_ns"])

        def left_behind() -> list[Fields]:
            lines = service.lines("capture")
            return [line for line in lines if "(1 of at most 3)" in line["detail"]]

        # Ten seconds after the hang, which is three times what the watchdog would wait.
        assert wait_until(lambda: bool(left_behind()), PATIENCE_S)
        assert (service.pid, service.show("NRestarts")) == (pid, "0")
        shown = service.show("StatusText")
        assert shown.startswith("tier high (pinned), ")
        assert "video healthy" not in shown
        lost = left_behind()[0]
    with film(service, fifo):
        back = service.wait_for("capture", source="video", state="healthy", after=lost["seq"])
        service.wait_for("prediction", after=back["seq"], image=True)
    assert (service.pid, service.show("NRestarts")) == (pid, "0")


def test_a_stopped_daemon_is_restarted(service: Service) -> None:
    stop = ("kill", "--kill-whom=main", "--signal=STOP", UNIT)
    restarts_over(service, lambda: service.systemctl(*stop))


def test_a_camera_wedged_while_it_opens_neither_silences_nor_restarts_it_nor_holds_up_its_stop(
    service: Service,
) -> None:
    fifo = "/srv/wedged.mjpg"
    service.guest.run("sh", "-c", f"test -p {fifo} || mkfifo --mode=666 {fifo}")
    service.configure(tier="high", video={"source": "camera", "device": f"file://{fifo}"})
    service.start()
    stalled = service.wait_for("capture", source="video", state="stalled")
    goes_on_by_ear(service, stalled["mono_ns"])
    service.systemctl("stop", UNIT)
    assert service.show("Result") == "success"  # within TimeoutStopSec, or it would be `timeout`
    assert service.lines("stop")[-1]["reason"] == "SIGTERM"
