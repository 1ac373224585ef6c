"""A sound server with a microphone that hears beeps: PulseAudio with a null sink."""

import contextlib
import os
import signal
import subprocess
import threading
import time
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tools.drills.needs import SkipError, need_programs

RATE_HZ = 16_000
_SINK = ("module-null-sink", "sink_name=microphone", f"rate={RATE_HZ}", "channels=1")


class SoundServer:
    """A PulseAudio of its own, whose default source is the monitor of a sink that beeps.

    Args:
        folder: an empty directory; also its home.

    Raises:
        SkipError: PulseAudio does not start here.
    """

    def __init__(self, folder: Path) -> None:
        need_programs("pulseaudio", "pactl", "paplay")
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._beeps = folder / "beeps.wav"
        _write_beeps(self._beeps)
        self._player = threading.Thread(target=self._play, daemon=True)
        self.start()
        self._player.start()

    @property
    def environ(self) -> Mapping[str, str]:
        """What a client of this server needs in its environment."""
        return {
            "XDG_RUNTIME_DIR": str(self._folder),
            "HOME": str(self._folder),
            "PULSE_SERVER": f"unix:{self._folder}/pulse/native",
        }

    def start(self) -> None:
        """Start the server, again where it was killed."""
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        self._server = subprocess.Popen(
            ["pulseaudio", *options, "-L", "module-native-protocol-unix"],
            env={**os.environ, **self.environ},
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            if self._server.poll() is None and self.plug_in():
                return
            time.sleep(0.05)
        self.kill()
        raise SkipError("PulseAudio does not start here")

    def plug_in(self) -> bool:
        """Add the microphone and make it the default; return whether that succeeded."""
        if not self._control("load-module", *_SINK):
            return False
        return self._control("set-default-source", "microphone.monitor")

    def unplug(self) -> None:
        """Take the microphone away from the running server."""
        self._control("unload-module", "module-null-sink")

    def freeze(self) -> None:
        """Let the server hang, with every connection open."""
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def close(self) -> None:
        """End the server and its player."""
        self._closing.set()
        self.thaw()
        self.kill()
        self._player.join()

    def _play(self) -> None:
        """Beep for ever, whatever becomes of the server."""
        command = ["paplay", "--device=microphone", str(self._beeps)]
        environ = {**os.environ, **self.environ}
        while not self._closing.wait(0.1):
            with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as player:
                while player.poll() is None and not self._closing.wait(0.1):
                    pass
                player.kill()

    def _control(self, *arguments: str) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                ["pactl", *arguments],
                env={**os.environ, **self.environ},
                capture_output=True,
                timeout=5,
                check=False,
            )
            return done.returncode == 0
        return False


@contextlib.contextmanager
def sound_server(folder: Path) -> Iterator[SoundServer]:
    """Run a sound server for the length of a drill."""
    server = SoundServer(folder)
    try:
        yield server
    finally:
        server.close()


def _write_beeps(path: Path) -> None:
    """Write a minute of half a second of tone and a quarter of silence, again and again."""
    seconds = np.arange(60 * RATE_HZ) / RATE_HZ
    tone = np.sin(2 * np.pi * 600 * seconds) * (seconds % 0.75 < 0.5)
    samples = (tone * 8000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
