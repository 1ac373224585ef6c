"""The keys of config.yaml: sections as frozen structs, with defaults, ranges and meaning.

The defaults suit a Raspberry Pi with a USB camera and a USB microphone. Units are suffixes of
the names. A key marked `live` takes effect on SIGHUP; any other needs a restart. docs/config.md
is made from these classes, their `Attributes` included.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_daemon.governor.gauge import GaugeConfig
from edge_daemon.governor.limits import Limits
from edge_daemon.tier import Tier

_LIVE = {"live": True}

Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]
LiveFraction = Annotated[float, Meta(ge=0.0, le=1.0, extra=_LIVE)]

SHIPPED = "avdigits"
"""Name of the bundle that the package ships."""


class VideoConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The camera.

    Attributes:
        source: `camera` is USB, CSI through V4L2, or the network; `picamera2` is a CSI camera
            through libcamera; `replay` reads files; `synthetic` draws digits; `none` goes without.
        device: index, path (best a stable one from /dev/v4l/by-id), URL or GStreamer pipeline.
        width_px: width asked of the camera.
        height_px: height asked of the camera.
        rate_hz: frames a second asked of the camera.
        fourcc: pixel format asked of a V4L2 camera, MJPG being what many USB cameras need for
            their full rate; null takes the camera's own choice.
        may_repeat: whether equal pictures in a row are in order; with false they count as a
            stall, black ones excepted.
        rotate_deg: turns the picture clockwise.
        region: the part of the picture to look at, as [x, y, width, height], each a fraction of
            the turned picture; null is its central square.
    """

    source: Literal["camera", "picamera2", "replay", "synthetic", "none"] = "camera"
    device: Annotated[int, Meta(ge=0, le=255)] | Annotated[str, Meta(min_length=1)] = 0
    width_px: Annotated[int, Meta(ge=16, le=7680)] = 640
    height_px: Annotated[int, Meta(ge=16, le=4320)] = 480
    rate_hz: Annotated[float, Meta(ge=0.1, le=240.0)] = 15.0
    fourcc: Literal["MJPG", "YUYV", "NV12", "GREY"] | None = None
    may_repeat: bool = False
    rotate_deg: Literal[0, 90, 180, 270] = 0
    region: tuple[Fraction, Fraction, Fraction, Fraction] | None = None


class AudioConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The microphone.

    Attributes:
        source: `microphone` is any that PortAudio knows; `replay` reads a file; `synthetic` makes
            sounds; `none` goes without, and so no higher than `low`.
        device: the microphone's USB identity, as `vendor:product` or `vendor:product:serial`; the
            path of its sound card, below /dev/snd/by-path or /sys; part of its name; or its index,
            which may change; null is the system's default. `edge-daemon devices` lists them.
        rate_hz: samples a second asked of the microphone; null takes the model's rate where the
            microphone offers it, else its own.
    """

    source: Literal["microphone", "replay", "synthetic", "none"] = "microphone"
    device: Annotated[int, Meta(ge=0, le=255)] | Annotated[str, Meta(min_length=1)] | None = None
    rate_hz: Annotated[int, Meta(ge=4000, le=384_000)] | None = None


class CaptureConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do about a camera or microphone that fails.

    Attributes:
        stall_s: silence after which a source is taken for stalled and opened again; for pictures
            at least the time of two and a half of them at `rate_hz`. A camera may take two thirds
            of it for a picture, and always 2 s.
        retry_first_s: wait before the first attempt to open it again; it doubles each time.
        retry_max_s: longest wait between attempts.
        black_s: time after which a camera's black picture is reported; null never reports it.
        silence_s: time after which a microphone's digital silence, samples that are all equal, is
            reported; null never reports it.
    """

    stall_s: Annotated[float, Meta(ge=0.2, le=600.0)] = 3.0
    retry_first_s: Annotated[float, Meta(ge=0.05, le=60.0)] = 0.5
    retry_max_s: Annotated[float, Meta(ge=0.05, le=3600.0)] = 30.0
    black_s: Annotated[float, Meta(ge=0.5, le=86_400.0)] | None = 10.0
    silence_s: Annotated[float, Meta(ge=0.5, le=86_400.0)] | None = 60.0


class ReplayConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Files in the place of a camera or microphone.

    Attributes:
        video: a video file or a folder of images, for `video.source: replay`.
        audio: a sound file, for `audio.source: replay`.
        labels: what the recording shows, so that answers can be scored: CSV with the columns
            `start_s,label`; a label holds until the next, and an empty one says that nothing is
            shown.
        rate_hz: images a second of a folder of images.
        pace: `real_time` plays at the recording's speed; `lockstep` as fast as it goes, each
            window in its turn, so that equal input gives an equal journal.
        loop: starts again at the end; otherwise the daemon stops there.
    """

    video: Path | None = None
    audio: Path | None = None
    labels: Path | None = None
    rate_hz: Annotated[float, Meta(ge=0.1, le=240.0)] = 15.0
    pace: Literal["real_time", "lockstep"] = "real_time"
    loop: bool = False


class ReuseConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """When a window is so much like an earlier one that its scores come again.

    Attributes:
        enabled: whether scores are reused at all; false computes every window.
        picture: how much the part that changes most, a twelfth of the picture's side or less, may
            change in its mean grey, 0 to 1.
        sound: how much the column of the spectrogram that changes most may change on average, 0
            to 1; a sound that begins or goes is always a change.
        at_most_s: how long what was computed from a window may serve later ones.
    """

    enabled: bool = True
    picture: Fraction = 0.04
    sound: Fraction = 0.02
    at_most_s: Annotated[float, Meta(ge=0.0, le=60.0)] = 0.5


class WindowConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """When something is classified.

    Attributes:
        period_ms: time from one window to the next.
        reuse: when the scores of an earlier window come again.
    """

    period_ms: Annotated[int, Meta(ge=10, le=60_000, extra=_LIVE)] = 100
    reuse: Annotated[ReuseConfig, Meta(extra=_LIVE)] = ReuseConfig()


class PredictionConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How scores become an answer.

    Attributes:
        threshold: probability below which the answer is `unknown`.
        smoothing: weight, in the answer, of what was seen 100 ms before; 0 answers each window
            on its own.
        journal: `every` writes each window's prediction, `change` only a new answer or tier.
    """

    threshold: LiveFraction = 0.6
    smoothing: Annotated[float, Meta(ge=0.0, le=0.99, extra=_LIVE)] = 0.5
    journal: Annotated[Literal["every", "change"], Meta(extra=_LIVE)] = "every"


class InferenceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How models run.

    Attributes:
        threads: threads of the interpreter; the students are too small to gain from a second.
    """

    threads: Annotated[int, Meta(ge=1, le=16)] = 1


class GovernorConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What the governor looks at, and what it allows.

    Attributes:
        readings: `system` reads the board; a path plays back a resource trace instead, JSON lines
            such as `{"at_s": 4.5, "cpu_foreign": 0.56}`.
        reading_every_s: time from one `reading` line in the journal to the next.
        profile: what the tiers cost. `published` goes by the published resource states, the bands
            of `limits`; a path by what `edge-daemon profile` measured; `auto` by what it measured
            for this bundle on this board, else by the published states.
        battery_gauge: a battery that the kernel does not know, such as that of a UPS board on I²C.
        limits: when a tier may run.
    """

    readings: Annotated[str, Meta(min_length=1)] = "system"
    reading_every_s: Annotated[float, Meta(ge=1.0, le=86_400.0, extra=_LIVE)] = 60.0
    profile: Annotated[str, Meta(min_length=1)] = "auto"
    battery_gauge: GaugeConfig = GaugeConfig()
    limits: Annotated[Limits, Meta(extra=_LIVE)] = Limits()


class JournalConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the journal goes and how much room it may take.

    Attributes:
        directory: where its files lie; `auto` is the service's /var/log/edge-daemon for
            /etc/edge-daemon/config.yaml and ~/.local/state/edge-daemon for any other file.
        max_file_mib: size at which a file is closed and the next one begun.
        max_total_mib: size of all files together above which the oldest is deleted.
        buffer_lines: lines that wait in memory while the disk is slow, full or broken.
    """

    directory: Path = Path("auto")
    max_file_mib: Annotated[int, Meta(ge=1, le=4096, extra=_LIVE)] = 8
    max_total_mib: Annotated[int, Meta(ge=2, le=1_048_576, extra=_LIVE)] = 64
    buffer_lines: Annotated[int, Meta(ge=16, le=1_000_000, extra=_LIVE)] = 4096


class LogConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes to standard error, and so to journald.

    Attributes:
        level: the least grave message that is shown.
    """

    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(extra=_LIVE)] = "info"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """Which models run; the sections follow.

    Attributes:
        bundle: directory of the models; `avdigits` is the bundle that is shipped.
        tier: `auto` lets the governor choose; a tier's name pins it.
    """

    bundle: Path = Path(SHIPPED)
    tier: Annotated[Literal["auto", "critical", "low", "medium", "high"], Meta(extra=_LIVE)] = (
        "auto"
    )
    video: VideoConfig = VideoConfig()
    audio: AudioConfig = AudioConfig()
    capture: CaptureConfig = CaptureConfig()
    replay: ReplayConfig = ReplayConfig()
    window: WindowConfig = WindowConfig()
    prediction: PredictionConfig = PredictionConfig()
    inference: InferenceConfig = InferenceConfig()
    governor: GovernorConfig = GovernorConfig()
    journal: JournalConfig = JournalConfig()
    log: LogConfig = LogConfig()

    @property
    def pinned(self) -> Tier | None:
        """The tier that is pinned, if one is."""
        return None if self.tier == "auto" else Tier(self.tier)
