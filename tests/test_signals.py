"""Real signals to real processes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Tells what it hears on standard output; `loop` is what the main thread does meanwhile.
PROGRAM = """
import os, subprocess, sys, threading, time
from edge_daemon import signals
from edge_daemon.worker import Worker

def say(text):
    os.write(1, (text + "\\n").encode())

stopped = threading.Event()
signals.block()
{setup}
worker = Worker("signals", signals.Signals({arguments}).run)
worker.start()
say("ready")
{main}
say("end")
"""
STOP = "lambda name: (say(name), stopped.set())"
WAIT = "stopped.wait(20)"
TICKS = "ticks = iter(range(0, 10**12, 10**9))"
LATER = "clock=lambda: next(ticks)"  # each signal comes a second after the one before


@contextmanager
def program(arguments: str, main: str = WAIT, setup: str = "") -> Iterator["Program"]:
    source = PROGRAM.format(arguments=arguments, main=main, setup=setup)
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            made = Program(process)
            assert made.line() == "ready"
            yield made
        finally:
            process.kill()


class Program:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.send = process.send_signal

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def code(self) -> int:
        return self.process.wait(10)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_stops(sent: signal.Signals) -> None:
    with program(f"{STOP}, None") as running:
        running.send(sent)
        assert [running.line(), running.line()] == [sent.name, "end"]
        assert running.code() == 0


def test_sighup_reloads_as_often_as_it_comes() -> None:
    with program(f"{STOP}, lambda: say('reload')") as running:
        for _ in range(3):
            running.send(signal.SIGHUP)
            assert running.line() == "reload"
        running.send(signal.SIGTERM)
        assert running.line() == "SIGTERM"


def test_it_hears_after_the_process_stood_still() -> None:
    with program(f"{STOP}, lambda: say('reload')") as running:
        for _ in range(2):
            running.send(signal.SIGSTOP)
            time.sleep(0.7)  # longer than any wait with a time limit would be
            running.send(signal.SIGCONT)
            running.send(signal.SIGHUP)
            assert running.line() == "reload"
        running.send(signal.SIGTERM)
        assert [running.line(), running.line()] == ["SIGTERM", "end"]
        assert running.code() == 0


def test_sighup_stops_what_cannot_reload() -> None:
    with program(f"{STOP}, None") as running:
        running.send(signal.SIGHUP)
        assert [running.line(), running.line()] == ["SIGHUP", "end"]


def test_a_callback_that_fails_does_not_cost_the_next_signal() -> None:
    with program(f"{STOP}, lambda: 1 / 0") as running:
        running.send(signal.SIGHUP)
        running.send(signal.SIGTERM)
        assert running.line() == "SIGTERM"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_stop_signal_ends_at_once_after_last_words(second: signal.Signals) -> None:
    arguments = f"say, None, lambda: say('flushed'), {LATER}"
    with program(arguments, main="time.sleep(60)", setup=TICKS) as running:
        running.send(signal.SIGTERM)
        assert running.line() == "SIGTERM"
        running.send(second)
        assert running.line() == "flushed"
        assert running.code() == 128 + second


def test_an_echo_of_the_first_stop_signal_is_no_second_one() -> None:
    arguments = "lambda name: (say(name), threading.Timer(0.2, stopped.set).start()), None"
    with program(f"{arguments}, clock=lambda: 0") as running:
        running.send(signal.SIGTERM)
        assert running.line() == "SIGTERM"
        running.send(signal.SIGTERM)
        assert running.line() == "end"
        assert running.code() == 0


def test_last_words_that_hang_or_fail_are_not_waited_for() -> None:
    for words in ("lambda: time.sleep(60)", "lambda: 1 / 0"):
        arguments = f"say, None, {words}, {LATER}"
        with program(arguments, main="time.sleep(60)", setup=TICKS) as running:
            running.send(signal.SIGTERM)
            assert running.line() == "SIGTERM"
            running.send(signal.SIGTERM)
            assert running.code() == 128 + signal.SIGTERM


def test_a_main_thread_that_waits_for_the_event_is_not_deadlocked() -> None:
    # The loop of a daemon: it takes the event's lock thousands of times a second, which a
    # handler on the same thread would sooner or later find taken.
    main = "\nwhile not stopped.wait(1e-5): pass\n"
    for _ in range(5):
        with program(f"{STOP}, lambda: say('reload')", main=main) as running:
            for _ in range(20):
                running.send(signal.SIGHUP)
                assert running.line() == "reload"
            running.send(signal.SIGTERM)
            assert running.line() == "SIGTERM"
            assert running.code() == 0


CHILD = """
from edge_daemon import signals
code = {code!r}
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True{extra})
child.stdout.readline()
child.terminate()
try:
    say(str(child.wait(2)))
except subprocess.TimeoutExpired:
    child.kill()
    say("cannot be terminated")
"""
SLEEP = "print('up', flush=True); import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("code", "extra", "result"),
    [
        (SLEEP, "", "cannot be terminated"),
        ("from edge_daemon.signals import unblock; unblock(); " + SLEEP, "", "-15"),
        (SLEEP, ", preexec_fn=signals.unblock", "-15"),
    ],
    ids=["inherits", "unblocks itself", "is unblocked"],
)
def test_a_child_can_be_terminated_once_it_is_unblocked(code: str, extra: str, result: str) -> None:
    setup = CHILD.format(code=code, extra=extra)
    source = PROGRAM.format(arguments=f"{STOP}, None", main="", setup=setup)
    ran = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [result, "ready", "end"]
