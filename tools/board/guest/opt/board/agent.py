"""Runs the commands that the host sends over a serial line: one JSON object a line, both ways.

Which line it is says the kernel's command line: `board.agent=/dev/ttyAMA0`. Standard library only:
this is the board's own Python, not the daemon's.
"""

import json
import os
import subprocess
import termios
import time
import tty
from pathlib import Path
from typing import Any


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Run one command and return its exit code and output."""
    try:
        done = subprocess.run(
            ["sh", "-c", request["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["timeout_s"],
        )
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, output = 124, error.stdout or b""
    return {"id": request["id"], "code": code, "output": output.decode(errors="replace")}


def serve(line: int) -> None:
    """Say hello and answer for ever; half a line from before the host went away is thrown away."""
    send(line, b'\n{"hello": 1}\n')
    waiting = b""
    while True:
        piece = os.read(line, 65536)
        if not piece:  # nobody at the other end
            waiting = b""
            time.sleep(0.05)
            continue
        *requests, waiting = (waiting + piece).split(b"\n")
        for request in requests:
            try:
                reply = answer(json.loads(request))
            except (ValueError, KeyError, TypeError) as error:
                reply = {"id": None, "code": 2, "output": repr(error)}
            send(line, json.dumps(reply).encode() + b"\n")


def send(line: int, reply: bytes) -> None:
    """Write all of it."""
    while reply:
        reply = reply[os.write(line, reply) :]


def find() -> str:
    """Return the path of the line."""
    words = [word.partition("=") for word in Path("/proc/cmdline").read_text().split()]
    (path,) = [value for name, _, value in words if name == "board.agent"]
    return path


def main() -> None:
    """Open the line as soon as its driver is there, and serve."""
    path = find()
    while not Path(path).exists():
        time.sleep(0.2)
    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    if os.isatty(line):
        tty.setraw(line, termios.TCSANOW)
    serve(line)


if __name__ == "__main__":
    main()
