import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from edge_daemon.governor.command import MOST_BYTES, Command, CommandError
from edge_daemon.signals import SIGNALS


def sh(script: str, timeout_s: float = 10.0) -> Command:
    return Command(["sh", "-c", script], timeout_s)


def wait_for(happened: Callable[[], bool]) -> bool:
    for _ in range(500):
        if happened():
            return True
        time.sleep(0.01)
    return False


def ended(process: int) -> bool:
    """Whether a process is gone, or dead and not yet reaped by whoever adopted it."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def number_in(path: Path) -> int:
    assert wait_for(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def test_what_a_program_prints() -> None:
    assert Command(["echo", "73 %"], 10.0).output() == "73 %"


def test_there_is_no_shell() -> None:
    assert Command(["echo", "$HOME; ls"], 10.0).output() == "$HOME; ls"


def test_it_reads_nothing_of_our_own_input() -> None:
    ours = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    try:
        assert sh("readlink /proc/self/fd/0").output() == "/dev/null"
    finally:
        os.dup2(ours, 0)
        for descriptor in (ours, reading, writing):
            os.close(descriptor)


def test_a_program_that_fails_says_why_in_its_own_words() -> None:
    with pytest.raises(CommandError, match=r"failed with exit code 3: no chip at 0x36$"):
        sh("echo 50; echo no chip at 0x36 >&2; exit 3").output()


def test_a_program_that_is_killed_says_by_what() -> None:
    with pytest.raises(CommandError, match="was ended by SIGSEGV"):
        sh("kill -SEGV $$").output()


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(CommandError, match=r"ups-charge cannot be started: .*No such file"):
        Command(["ups-charge", "--all"], 10.0).output()


def test_a_program_that_may_not_be_run(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\necho 50\n")
    with pytest.raises(CommandError, match="Permission denied"):
        Command([str(tmp_path / "script")], 10.0).output()


def test_complaints_of_a_program_that_succeeds_are_no_output() -> None:
    assert sh("echo warning >&2; echo 50").output() == "50"


def test_a_program_that_sleeps_for_ever_is_killed_with_its_children(tmp_path: Path) -> None:
    numbers = tmp_path / "child"
    command = sh(f"sleep 1000 & echo $! > {numbers}; echo 50; wait", timeout_s=0.5)
    with pytest.raises(CommandError, match=r"ran for more than 0\.5 s and was killed"):
        command.output()
    child = number_in(numbers)
    assert wait_for(lambda: ended(child))


def test_a_program_that_ignores_signals_is_killed() -> None:
    with pytest.raises(CommandError, match="was killed"):
        sh("trap '' TERM INT HUP; while :; do sleep 0.05; done", timeout_s=0.3).output()


def test_a_grandchild_that_lingers_holds_nothing_up_and_does_not_stay(tmp_path: Path) -> None:
    numbers = tmp_path / "child"
    command = sh(f"(sleep 1000; echo late) & echo $! > {numbers}; echo 50", timeout_s=60.0)
    assert command.output() == "50"
    child = number_in(numbers)
    assert wait_for(lambda: ended(child))


def test_a_flood_is_an_error_and_fills_no_memory() -> None:
    before_kib = peak_kib()
    with pytest.raises(CommandError, match=f"prints more than {MOST_BYTES} bytes"):
        sh("head -c 1000000000 /dev/zero | tr '\\0' 7").output()
    assert peak_kib() - before_kib < 10_000


def test_a_flood_that_never_ends_is_an_error() -> None:
    with pytest.raises(CommandError, match="prints more than"):
        Command(["yes", "73"], 10.0).output()


def test_a_flood_of_complaints_is_cut() -> None:
    with pytest.raises(CommandError) as caught:
        sh("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1").output()
    assert len(str(caught.value)) < 500


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert sh("printf '\\377\\376'").output() == "\N{REPLACEMENT CHARACTER}" * 2


def test_a_stop_ends_it_at_once() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(CommandError, match="was stopped and was killed"):
        sh("sleep 5", timeout_s=60.0).output(stop)


def test_it_can_be_ended_politely_though_our_own_signals_are_blocked() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        blocked = Command(["grep", "SigBlk", "/proc/self/status"], 10.0).output()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    mask = int(blocked.split()[1], 16)  # a library may have blocked others
    assert not any(mask >> (number - 1) & 1 for number in SIGNALS)


def test_no_program_stays_behind() -> None:
    process = int(sh("echo $$").output())
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(CommandError) as caught:
        sh("echo $$ >&2; sleep 1000", timeout_s=0.2).output()
    process = int(str(caught.value).rpartition(": ")[2])
    assert not Path(f"/proc/{process}").exists()


def test_no_descriptor_stays_behind() -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    for script in ("echo 50", "exit 1", "sleep 1000"):
        with suppress(CommandError):
            sh(script, timeout_s=0.2).output()
    with suppress(CommandError):
        Command(["/nonexistent"], 1.0).output()
    assert len(list(descriptors.iterdir())) == before


def peak_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the kernel tells no peak")


def test_it_inherits_no_file_of_the_daemon(tmp_path: Path) -> None:
    with (tmp_path / "of the daemon").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # as a library might leave one
        look = "for file in /proc/$$/fd/*; do readlink $file; done; true"
        seen = Command(["/bin/sh", "-c", look], 10.0).output().splitlines()
    assert seen[0] == "/dev/null"
    assert all(name == "/dev/null" or name.startswith("/memfd:") for name in seen), seen


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("upsc", "--password=hunter2", "ups@host"), "upsc"),
        (("python3", "/opt/ups.py", "--token", "hunter2"), "python3 /opt/ups.py"),
        (("/usr/bin/ups",), "/usr/bin/ups"),
    ],
)
def test_it_is_called_by_its_program_alone(arguments: tuple[str, ...], shown: str) -> None:
    assert Command(arguments, 1.0).name == shown


@pytest.mark.parametrize(
    "said",
    [
        "bad password hunter2",
        "GET http://anna:hunter2@ups/charge: 404",
        "no answer from http://ups/charge?key=hunter2",
        "password = hunter2 refused",
        "x" * 150 + " http://anna:hunter2@ups/" + "y" * 180,  # the cut falls into the address
    ],
)
@pytest.mark.parametrize("ending", ["exit 3", "sleep 30"])
def test_what_it_was_told_in_confidence_is_not_told_on(said: str, ending: str) -> None:
    arguments = ("/bin/sh", "-c", f"echo '{said}' >&2; {ending}", "hunter2")
    with pytest.raises(CommandError) as caught:
        Command(arguments, 0.3).output()
    assert "hunter2" not in str(caught.value)
    assert "/bin/sh " in str(caught.value)
