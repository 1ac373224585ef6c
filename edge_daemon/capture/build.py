"""Makes the sources that the config asks for, with their feeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_daemon.capture.backoff import Backoff
from edge_daemon.capture.blank import black_picture, digital_silence
from edge_daemon.capture.feed import HANG_S, Feed
from edge_daemon.capture.inputs import Inputs
from edge_daemon.capture.liveness import Liveness, State
from edge_daemon.capture.picture import Region
from edge_daemon.capture.rate import Rate
from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.slot import FrameSlot
from edge_daemon.capture.source import Chunk, Frame, Source
from edge_daemon.clock import Clock
from edge_daemon.config import Config, ConfigError
from edge_daemon.journal.events import Capture

RING_S = 3.0
"""Seconds of sound kept: the span that a pipeline looks back over, and room for a slow window."""

_READ_LEAST_S = 2.0
_STALL_PICTURES = 2.5
"""Periods without a picture after which a slow source is stalled: one may be lost, one late."""

Item = TypeVar("Item", Frame, Chunk)

_DOWN = frozenset({State.STALLED, State.RECONNECTING, State.FAILED, State.ENDED})


@dataclass(frozen=True, slots=True)
class Capturing:
    """The sources at work.

    Attributes:
        inputs: where the loop cuts windows from.
        feeds: one for each source that there is.
        video: the video source's name; `none` without one.
        audio: the audio source's name; `none` without one.
        listens: whether a model takes sound.
        needs_picture: whether the models have no answer to sound alone.
        picture_ns: time from one picture to the next.
    """

    inputs: Inputs
    feeds: tuple[Feed[Frame] | Feed[Chunk], ...]
    video: str
    audio: str
    listens: bool
    needs_picture: bool
    picture_ns: int

    def check(self, now_ns: int) -> None:
        """Let each feed notice whether its source has fallen silent."""
        for feed in self.feeds:
            feed.check(now_ns)

    @property
    def ended(self) -> bool:
        """Whether nothing will ever follow from any source."""
        return all(feed.state is State.ENDED for feed in self.feeds)

    def picture(self) -> bool | None:
        """Whether pictures arrive; None where that is not known yet."""
        return self._arrives("video")

    def sound(self) -> bool | None:
        """Whether sound arrives that can be classified; None where that is not known yet.

        None too where no model listens. With models that need a picture, sound is of no use while
        none comes.
        """
        if not self.listens:
            return None
        sound = self._arrives("audio")
        return False if sound and self.needs_picture and self.picture() is False else sound

    def _arrives(self, kind: str) -> bool | None:
        state = next((feed.state for feed in self.feeds if feed.kind == kind), State.ENDED)
        return None if state is State.STARTING else state is State.HEALTHY

    def down(self, *, listens: bool) -> bool:
        """Whether every source that counts has ended or is in a failure that was reported.

        A microphone that works is of no use to models that need a picture, and of none to a tier
        that does not listen.

        Args:
            listens: whether the active tier takes sound.
        """
        hears = listens and not self.needs_picture
        return all(feed.state in _DOWN for feed in self.feeds if hears or feed.kind == "video")


def build_capture(
    config: Config,
    *,
    sample_rate_hz: int | None,
    shrink: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    clock: Clock,
    on_change: Callable[[Capture], None],
    needs_picture: bool = False,
    root: Path = Path("/"),
) -> Capturing:
    """Make sources, slot, ring and feeds; opens nothing.

    Args:
        config: which sources, and how patient to be with them.
        shrink: makes a picture as small as the models allow, on the video feed's thread: what
            waits in the slot is then a fiftieth of a camera's frame or less.
        sample_rate_hz: rate of the samples that the models want; None where no model listens.
        clock: monotonic nanoseconds.
        on_change: takes each change of a source's state.
        needs_picture: whether the models have no answer to sound alone.
        root: where sysfs and the paths of microphones are.

    Raises:
        ConfigError: no source is left that a model takes.
    """
    video, audio = build_sources(config, sample_rate_hz=sample_rate_hz, clock=clock, root=root)
    if video is None and audio is None:
        raise ConfigError(
            "video.source is none, and no model of the bundle listens: nothing is left to classify"
        )
    slot = None if video is None else FrameSlot()
    ring = None
    if audio is not None and sample_rate_hz is not None:
        ring = SampleRing(round(RING_S * sample_rate_hz), sample_rate_hz)
    video_stall_s, audio_stall_s = _video_stall_s(config), config.capture.stall_s
    inputs = Inputs(
        slot,
        ring,
        round(audio_stall_s * 1e9),
        picture_age_ns=round(video_stall_s * 1e9),
        needs_picture=needs_picture,
    )

    def feed(
        kind: Literal["video", "audio"],
        source: Source[Item],
        sink: Callable[[Item], None],
        dropped: Callable[[], int],
        remarks: Sequence[Callable[[Item | None, int], str | None]] = (),
        renew: Callable[[], Source[Item]] | None = None,
    ) -> Feed[Item]:
        capture = config.capture
        stall_s = video_stall_s if kind == "video" else audio_stall_s
        return Feed(
            kind,
            source,
            sink,
            liveness=Liveness(stall_s),
            clock=clock,
            on_change=on_change,
            retry=Backoff(capture.retry_first_s, capture.retry_max_s),
            dropped=dropped,
            remarks=remarks,
            renew=renew,
            hang_s=max(HANG_S, 2 * stall_s),
        )

    feeds: list[Feed[Frame] | Feed[Chunk]] = []
    if video is not None and slot is not None:
        put = slot.put

        def put_small(frame: Frame) -> None:
            put(replace(frame, image=shrink(frame.image)))

        feeds.append(
            feed(
                "video",
                video,
                put_small,
                lambda: inputs.dropped_frames,
                _camera_remarks(config),
                (lambda: _camera(config, clock)) if _is_camera(config) else None,
            )
        )
    if audio is not None and ring is not None:
        sample_hz = ring.rate_hz
        feeds.append(
            feed(
                "audio",
                audio,
                ring.append,
                lambda: inputs.lost_samples,
                _microphone_remarks(config),
                (lambda: _microphone(config, sample_hz, clock, root))
                if config.audio.source == "microphone"
                else None,
            )
        )
    return Capturing(
        inputs,
        tuple(feeds),
        video="none" if video is None else video.name,
        audio="none" if audio is None else audio.name,
        listens=sample_rate_hz is not None,
        needs_picture=needs_picture,
        picture_ns=round(_picture_s(config) * 1e9),
    )


def build_sources(
    config: Config, *, sample_rate_hz: int | None, clock: Clock, root: Path = Path("/")
) -> tuple[Source[Frame] | None, Source[Chunk] | None]:
    """Make the video and the audio source, those of a recording in step; opens nothing."""
    from edge_daemon.capture.replay import Recording, ReplayAudio, ReplayVideo
    from edge_daemon.capture.synthetic import Scene, SyntheticAudio, SyntheticVideo

    video: Source[Frame] | None = None
    audio: Source[Chunk] | None = None
    rate_hz = sample_rate_hz or 8000
    replay = config.replay
    recording = Recording(
        replay.video if config.video.source == "replay" else None,
        replay.audio if config.audio.source == "replay" else None,
        sample_rate_hz=rate_hz,
        labels=replay.labels,
        rate_hz=replay.rate_hz,
        loops=replay.loop,
        clock=clock,
    )
    scene = Scene(clock=clock)
    match config.video.source:
        case "camera" | "picamera2":
            video = _camera(config, clock)
        case "replay":
            video = ReplayVideo(
                recording, rotate_deg=config.video.rotate_deg, region=_region(config)
            )
        case "synthetic":
            video = SyntheticVideo(scene, rate_hz=config.video.rate_hz)
        case "none":
            pass
    match config.audio.source if sample_rate_hz is not None else "none":
        case "microphone":
            audio = _microphone(config, rate_hz, clock, root)
        case "replay":
            audio = ReplayAudio(recording)
        case "synthetic":
            audio = SyntheticAudio(scene, rate_hz)
        case "none":
            pass
    return video, audio


def _picture_s(config: Config) -> float:
    """Return the time from one picture to the next."""
    replay = config.video.source == "replay"
    return 1 / (config.replay.rate_hz if replay else config.video.rate_hz)


def _video_stall_s(config: Config) -> float:
    """Return the silence after which pictures count as stalled: longer than they are apart."""
    return max(config.capture.stall_s, _STALL_PICTURES * _picture_s(config))


def _is_camera(config: Config) -> bool:
    return config.video.source in ("camera", "picamera2")


def _camera_remarks(config: Config) -> list[Callable[[Frame | None, int], str | None]]:
    if not _is_camera(config):
        return []
    remarks: list[Callable[[Frame | None, int], str | None]] = [Rate(config.video.rate_hz)]
    if config.capture.black_s is not None:
        remarks.append(black_picture(config.capture.black_s))
    return remarks


def _microphone_remarks(config: Config) -> list[Callable[[Chunk | None, int], str | None]]:
    if config.audio.source != "microphone" or config.capture.silence_s is None:
        return []
    return [digital_silence(config.capture.silence_s)]


def _region(config: Config) -> Region | None:
    return None if config.video.region is None else Region(*config.video.region)


def _camera(config: Config, clock: Clock) -> Source[Frame]:
    video = config.video
    region = _region(config)
    # Given up before it counts as stalled, and later where a camera is known to be slow.
    read_s = max(_READ_LEAST_S, _video_stall_s(config) * 2 / 3)
    if video.source == "picamera2":
        from edge_daemon.capture.picamera import Picamera2Camera

        return Picamera2Camera(
            int(video.device),
            width_px=video.width_px,
            height_px=video.height_px,
            rate_hz=video.rate_hz,
            rotate_deg=video.rotate_deg,
            region=region,
            may_repeat=video.may_repeat,
            read_timeout_s=read_s,
            clock=clock,
        )
    from edge_daemon.capture.camera import OpenCvCamera

    return OpenCvCamera(
        video.device,
        width_px=video.width_px,
        height_px=video.height_px,
        rate_hz=video.rate_hz,
        rotate_deg=video.rotate_deg,
        region=region,
        fourcc=video.fourcc or "",
        may_repeat=video.may_repeat,
        read_timeout_ms=round(1000 * read_s),
        clock=clock,
    )


def _microphone(config: Config, rate_hz: int, clock: Clock, root: Path) -> Source[Chunk]:
    from edge_daemon.capture.microphone import PortAudioMicrophone

    return PortAudioMicrophone(
        config.audio.device,
        rate_hz,
        clock=clock,
        try_rates_hz=() if config.audio.rate_hz is None else (config.audio.rate_hz,),
        root=root,
    )
