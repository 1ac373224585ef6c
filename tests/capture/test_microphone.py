"""Through the real PortAudio, against a PulseAudio server of our own."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.blank import digital_silence
from edge_daemon.capture.feed import Feed
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.microphone import PortAudioMicrophone, list_microphones
from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Chunk, SourceError
from edge_daemon.clock import monotonic_ns
from edge_daemon.journal.events import Capture
from edge_daemon.worker import Worker
from tests.capture.pulse import PulseServer

pytestmark = pytest.mark.pulseaudio

MODEL_HZ = 8000
TONE_HZ = 1234.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulseServer]:
    """One server for all, since its first sound takes two seconds."""
    server = PulseServer(tmp_path_factory.mktemp("pulse"))
    before = {name: os.environ.get(name) for name in server.environment}
    os.environ.update(server.environment)
    try:
        server.start()
        yield server
    except OSError as error:
        pytest.skip(str(error))
    finally:
        server.kill()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture
def pulse(server: PulseServer) -> Iterator[PulseServer]:
    """The server, running."""
    if not server.running:
        server.start()
    yield server
    server.thaw()


@pytest.fixture
def tone(pulse: PulseServer, tmp_path: Path) -> Iterator[None]:
    """A tone, playing."""
    path = tmp_path / "tone.wav"
    times = np.arange(48_000 * 20) / 48_000
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * TONE_HZ * times), 48_000)
    player = pulse.play(path)
    yield
    player.kill()
    player.wait()


def hear(microphone: PortAudioMicrophone, seconds: float) -> np.ndarray:
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * MODEL_HZ:
        chunk = microphone.read()
        assert chunk.samples.dtype == np.float32
        assert chunk.captured_ns <= monotonic_ns()
        parts.append(chunk.samples)
    return np.concatenate(parts)


def loudest_hz(samples: np.ndarray, rate_hz: int = MODEL_HZ) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate_hz / len(samples))


def wait_for_tone(microphone: PortAudioMicrophone) -> None:
    """Read until the player has begun."""
    while np.abs(microphone.read().samples).max() < 0.1:
        pass


@pytest.mark.usefixtures("tone")
@pytest.mark.parametrize("rate_hz", [8000, 7000])
def test_a_tone_is_heard_at_its_frequency(rate_hz: int) -> None:
    microphone = PortAudioMicrophone("default", rate_hz)
    microphone.open()
    wait_for_tone(microphone)
    samples = hear(microphone, 1.0)
    microphone.close()
    assert loudest_hz(samples, rate_hz) == pytest.approx(TONE_HZ, abs=2.5)


@pytest.mark.usefixtures("tone")
def test_another_rate_of_the_device_is_resampled() -> None:
    microphone = PortAudioMicrophone("default", MODEL_HZ, try_rates_hz=(48_000,))
    microphone.open()
    assert microphone.opened is not None and microphone.opened.rate_hz == 48_000
    wait_for_tone(microphone)
    samples = hear(microphone, 1.0)
    microphone.close()
    assert loudest_hz(samples) == pytest.approx(TONE_HZ, abs=1.5)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.03)


@pytest.mark.usefixtures("tone")
def test_sample_times_advance_with_the_samples() -> None:
    microphone = PortAudioMicrophone(None, MODEL_HZ)
    microphone.open()
    wait_for_tone(microphone)
    hear(microphone, 0.2)
    first = microphone.read()
    count = len(hear(microphone, 1.0))
    last = microphone.read()
    microphone.close()
    elapsed_s = (last.captured_ns - first.captured_ns) / 1e9
    assert elapsed_s == pytest.approx((count + len(last.samples)) / MODEL_HZ, abs=0.5)


def test_a_server_that_dies_is_an_error_and_can_be_reopened(pulse: PulseServer) -> None:
    microphone = PortAudioMicrophone(None, MODEL_HZ)
    microphone.open()
    hear(microphone, 0.1)
    pulse.kill()
    # Mostly the stream ends at once; now and then only the deadline notices.
    with pytest.raises(SourceError, match=r"microphone (ended|gave no sound)"):
        while True:
            microphone.read()
    microphone.close()
    with pytest.raises(SourceError, match=r"no microphone|cannot be opened"):
        microphone.open()
    pulse.start()
    microphone.open()
    hear(microphone, 0.1)
    microphone.close()


def test_a_server_that_hangs_is_found_out_by_the_deadline(pulse: PulseServer) -> None:
    microphone = PortAudioMicrophone(None, MODEL_HZ, deadline_s=0.4)
    microphone.open()
    hear(microphone, 0.1)
    pulse.freeze()
    with pytest.raises(SourceError, match=r"gave no sound \(0\.4 s\)"):
        while True:
            microphone.read()
    pulse.thaw()
    microphone.close()
    microphone.open()
    hear(microphone, 0.1)
    microphone.close()


class Watch:
    """A feed on a microphone, and what it reported so far."""

    def __init__(self, silence_s: float = 60.0) -> None:
        self.events: list[Capture] = []
        self.ring = SampleRing(MODEL_HZ, MODEL_HZ)
        self._changed = threading.Condition()
        self.feed: Feed[Chunk] = Feed(
            "audio",
            PortAudioMicrophone(None, MODEL_HZ, deadline_s=0.4),
            self.ring.append,
            liveness=Liveness(failed_after=1000),
            clock=monotonic_ns,
            on_change=self._note,
            retry=Backoff(0.01, 0.1),
            remarks=[digital_silence(silence_s)],
        )
        self._worker = Worker("audio", self.feed.run)

    def __enter__(self) -> "Watch":
        self._worker.start()
        return self

    def __exit__(self, *_details: object) -> None:
        assert self._worker.stop(timeout_s=20)

    def wait_for(self, state: State, after: int = 0) -> int:
        """Wait for an event with `state` behind the first `after`; return how many there are."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: state in [event.state for event in self.events[after:]], 20
            )
            assert found, self.events
            return len(self.events)

    def _note(self, event: Capture) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()


def test_the_feed_brings_a_lost_microphone_back(pulse: PulseServer) -> None:
    with Watch() as watch:
        seen = watch.wait_for(State.HEALTHY)
        pulse.kill()
        seen = watch.wait_for(State.RECONNECTING, seen)
        before = watch.ring.end
        pulse.start()
        watch.wait_for(State.HEALTHY, seen)
    assert watch.ring.end > before
    assert watch.feed.counts.reconnects == 1


def test_a_microphone_that_is_absent_at_the_start_is_waited_for(pulse: PulseServer) -> None:
    pulse.kill()
    with Watch() as watch:
        seen = watch.wait_for(State.RECONNECTING)
        assert watch.ring.end == 0
        pulse.start()
        watch.wait_for(State.HEALTHY, seen)
    assert watch.ring.end > 0
    assert [event.state for event in watch.events] == ["reconnecting", "healthy"]


def test_a_server_that_stops_without_a_word_is_left_and_found_again(pulse: PulseServer) -> None:
    with Watch() as watch:
        seen = watch.wait_for(State.HEALTHY)
        pulse.freeze()
        seen = watch.wait_for(State.RECONNECTING, seen)
        assert "gave no sound (0.4 s)" in watch.events[seen - 1].detail
        pulse.thaw()
        watch.wait_for(State.HEALTHY, seen)


@pytest.mark.usefixtures("tone")
def test_a_muted_microphone_is_reported_and_left_open(pulse: PulseServer) -> None:
    with Watch(silence_s=0.5) as watch:
        while not np.abs(watch.ring.since(0)[0]).max(initial=0.0) > 0.1:
            threading.Event().wait(0.02)  # until the player has begun
        seen = len(watch.events)
        pulse.mute(True)
        seen = watch.wait_for(State.HEALTHY, seen)
        assert "digital silence for" in watch.events[-1].detail
        assert "alsamixer" in watch.events[-1].detail
        pulse.mute(False)
        watch.wait_for(State.HEALTHY, seen)
        assert watch.events[-1].detail.startswith("digital silence is over after")
        # Whatever came before the player had begun belongs to the start.
        assert len(watch.events) == seen + 1
    assert watch.feed.counts.reconnects == 0


def test_twenty_reopenings_leave_nothing_behind(pulse: PulseServer) -> None:
    microphone = PortAudioMicrophone(None, MODEL_HZ)

    def once() -> tuple[int, int]:
        microphone.open()
        microphone.close()
        return len(list(Path("/proc/self/task").iterdir())), len(
            list(Path("/proc/self/fd").iterdir())
        )

    once()
    threads, descriptors = once()
    later = [once() for _ in range(20)]
    # The kernel may still be taking a thread away when it is counted: the least of many counts.
    assert min(count for count, _ in later[10:]) <= threads
    assert min(count for _, count in later[10:]) <= descriptors


@pytest.mark.usefixtures("tone")
def test_a_reader_that_sleeps_loses_the_oldest_sound_and_is_told() -> None:
    microphone = PortAudioMicrophone(None, MODEL_HZ, queue_s=0.1)
    microphone.open()
    wait_for_tone(microphone)
    threading.Event().wait(0.5)  # asleep
    woke_ns = monotonic_ns()
    chunks = [microphone.read() for _ in range(5)]
    microphone.close()
    assert sum(chunk.overflows for chunk in chunks) >= 5
    assert chunks[0].captured_ns > woke_ns - 400_000_000


@pytest.mark.usefixtures("pulse")
def test_lists_the_microphones_and_their_rates() -> None:
    microphones = {m.name: m for m in list_microphones((8000, 16_000, 48_000))}
    assert microphones["default"].is_default
    assert microphones["default"].rates_hz == (8000, 16_000, 48_000)
    assert microphones["default"].channels >= 1


@pytest.mark.usefixtures("pulse")
def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(SourceError, match=r"microphone trumpet: no microphone matches.*default"):
        PortAudioMicrophone("trumpet", MODEL_HZ).open()


def test_without_portaudio_the_remedy_is_named(tmp_path: Path) -> None:
    # A process in which no library can be loaded.
    program = (
        "from edge_daemon.capture.microphone import PortAudioMicrophone\n"
        "import ctypes\n"
        "def nothing(name):\n"
        "    raise OSError(name)\n"
        "ctypes.CDLL = nothing\n"
        "try:\n"
        "    PortAudioMicrophone(None, 8000).open()\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == (
        "SourceError microphone: PortAudio is not installed: apt install libportaudio2"
    )
