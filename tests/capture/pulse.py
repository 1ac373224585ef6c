"""A sound server with a microphone that hears what is played into it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest


@contextlib.contextmanager
def pulse_server(runtime: Path) -> Iterator["PulseServer"]:
    """A server under way, killed at the end; the test skips where there can be none."""
    server = PulseServer(runtime)
    try:
        server.start()
    except OSError as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.kill()


class PulseServer:
    """PulseAudio with a null sink whose monitor is the default source.

    Args:
        runtime: an empty directory of its own; also its home.
        rate_hz: rate of the sink.
    """

    def __init__(self, runtime: Path, rate_hz: int = 48_000) -> None:
        runtime.chmod(0o700)
        self._runtime = runtime
        self._rate_hz = rate_hz
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What a client of this server needs in its environment."""
        return {
            "XDG_RUNTIME_DIR": str(self._runtime),
            "HOME": str(self._runtime),
            "PULSE_SERVER": f"unix:{self._runtime}/pulse/native",
        }

    @property
    def running(self) -> bool:
        """Whether it was started and not killed."""
        return self._process is not None

    def start(self) -> None:
        """Start the server and wait until it answers; raises OSError when it does not."""
        if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
            raise OSError("pulseaudio or pactl is not installed")
        sink = f"module-null-sink sink_name=mic rate={self._rate_hz} channels=1"
        arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        log = (self._runtime / "pulseaudio.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                ["pulseaudio", *arguments, "-L", "module-native-protocol-unix", "-L", sink],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        for _ in range(100):
            if self._pactl("set-default-source", "mic.monitor").returncode == 0:
                # An idle null sink moves on every two seconds only; silence keeps it going.
                self._keeper = self._client("pacat", "--raw", "/dev/zero")
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)  # there is nothing to wait on
        self.kill()
        raise OSError("pulseaudio does not start here")

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Play a file into the microphone."""
        return self._client("paplay", str(path))

    def mute(self, muted: bool) -> None:
        """Turn the microphone's switch."""
        done = self._pactl("set-source-mute", "mic.monitor", "1" if muted else "0")
        assert done.returncode == 0, done.stderr

    def freeze(self) -> None:
        """Make it hang, without closing any connection."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        for process in (self._process, self._keeper):
            if process is not None:
                process.kill()
                process.wait()
        self._process = self._keeper = None

    def _client(self, *command: str) -> subprocess.Popen[bytes]:
        program, *arguments = command
        return subprocess.Popen(
            [program, "--device=mic", "--latency-msec=20", *arguments],
            env={**os.environ, **self.environment},
            stderr=subprocess.DEVNULL,
        )

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["pactl", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=5,
            check=False,
        )
