"""`edge-daemon check`: config, bundle and devices, before the daemon is started."""

import argparse
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_daemon import exitcode
from edge_daemon.commands import options
from edge_daemon.permission import in_use, other_writer, writable
from edge_daemon.terminal import (
    GREEN,
    RED,
    paint,
    printable,
    standard_output,
    understands_colour,
)

if TYPE_CHECKING:
    from edge_daemon.capture.source import Chunk, Frame, Source
    from edge_daemon.config import Config

MEASURED_NS = 1_500_000_000
"""Time over which a camera's pictures are counted."""

_LIVE = frozenset({"camera", "picamera2", "microphone"})
"""Sources that only one program can have."""

Result = tuple[str, bool, str]
"""What was checked, whether it is right, and what was found."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Config, and whether to open devices."""
    options.add_config(parser)
    parser.add_argument(
        "--no-devices", action="store_true", help="do not open the camera and the microphone"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="seconds that a camera or microphone may take, default %(default)g",
    )
    parser.epilog = (
        "exit codes: 0 all right, 1 a device does not work, 78 config, bundle or profile wrong"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check everything and print a line for each; what is wrong says what to do."""
    config = options.load(arguments)
    out = standard_output()
    colour = understands_colour(out, os.environ)
    print(f"config   {options.config_path(arguments) or 'built-in defaults'}", file=out)
    right = True
    timeout_s = None if arguments.no_devices else arguments.timeout
    for name, good, detail in _results(config, timeout_s):
        right = right and good
        mark = paint("ok", GREEN, colour) if good else paint("trouble", RED, colour)
        print(f"{name:8} {mark}  {printable(detail)}", file=out, flush=True)
    return exitcode.OK if right else exitcode.TROUBLE


def _results(config: "Config", timeout_s: float | None) -> Iterator[Result]:
    from edge_daemon.inference.bundle import check_models, load_bundle

    bundle = load_bundle(config.bundle)
    reports = check_models(bundle)
    kib = sum(spec.bytes for spec in bundle.tiers.values()) / 1024
    yield "bundle", True, f"{bundle.name} {bundle.version}, {len(reports)} models, {kib:.0f} KiB"
    yield journal_place(config)
    yield _profile(config, bundle.sha256)
    if config.governor.readings != "system":
        from pathlib import Path

        from edge_daemon.governor.script import read_trace

        rows = read_trace(Path(config.governor.readings))
        yield "readings", True, f"{config.governor.readings}, {len(rows)} rows"
    if timeout_s is None:
        return
    if _LIVE & {config.video.source, config.audio.source} and in_use(config.journal.directory):
        detail = "the daemon runs and holds the devices: stop it first, or --no-devices"
        yield "devices", False, detail
    else:
        from edge_daemon.capture.build import build_sources
        from edge_daemon.clock import monotonic_ns

        video, sound = build_sources(
            config, sample_rate_hz=bundle.sample_rate_hz, clock=monotonic_ns
        )
        if video is not None:
            yield _device("video", video, _describe_frame, timeout_s)
        if sound is not None:
            yield _device("audio", sound, _describe_chunk, timeout_s)


def journal_place(config: "Config") -> Result:
    """Return whether the journal can be written where the config wants it; makes nothing."""
    directory = config.journal.directory
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not existing.is_dir():
        return "journal", False, f"{existing} is not a directory; set journal.directory"
    if existing == directory and (writer := other_writer(directory)) is not None:
        detail = (
            f"{directory} belongs to {writer}, who writes it: sudo -u {writer} edge-daemon check"
        )
        return "journal", True, detail
    if not writable(existing):
        return (
            "journal",
            False,
            f"{existing} cannot be written to; set journal.directory or its owner",
        )
    return "journal", True, f"{directory}"


def _profile(config: "Config", bundle_sha256: str) -> Result:
    """Return what the governor goes by; raises ProfileError, as `run` does, where it cannot."""
    from edge_daemon.governor.profilefile import board_name, choose_profile

    choice = choose_profile(config.governor.profile, bundle_sha256, board_name())
    return "profile", not choice.trouble, choice.why


def _device(
    name: str,
    source: "Source[Frame] | Source[Chunk]",
    describe: Callable[[object], str],
    timeout_s: float,
) -> Result:
    """Try a source on a thread of its own, which is left behind where a driver never answers."""
    found: list[Result] = []
    errors: list[Exception] = []

    def attempt() -> None:
        try:
            found.append(_tried(name, source, describe))
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=attempt, name=f"check {name}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    if found:
        return found[0]
    detail = f"{source.name} does not answer ({timeout_s:g} s): its driver or its network hangs"
    return name, False, f"{detail}; plug it in anew, or restart the board"


def _tried(
    name: str, source: "Source[Frame] | Source[Chunk]", describe: Callable[[object], str]
) -> Result:
    """Open a source and read what it gives in a second or two."""
    from edge_daemon.capture.source import EndOfSourceError, SourceError

    try:
        delivers = source.open()
        first = last = source.read()
        count = 0
        with suppress(EndOfSourceError):
            while last.captured_ns - first.captured_ns < MEASURED_NS:
                last = source.read()
                count += 1
        parts = [describe(last)]
        if name == "video" and last.captured_ns > first.captured_ns:
            rate_hz = count * 1e9 / (last.captured_ns - first.captured_ns)
            parts.insert(0, f"{rate_hz:.1f} pictures a second")
        if delivers is not None:
            parts.insert(0, delivers)
        return name, True, f"{source.name}: {'; '.join(parts)}"
    except SourceError as error:
        return name, False, str(error)
    except EndOfSourceError:
        return name, False, f"{source.name} is empty"
    finally:
        source.close()


def _describe_frame(item: object) -> str:
    from edge_daemon.capture.source import Frame

    assert isinstance(item, Frame)
    height, width = item.image.shape[:2]
    return f"{width}×{height}, mean brightness {item.image.mean() / 2.55:.0f} %"


def _describe_chunk(item: object) -> str:
    import numpy as np

    from edge_daemon.capture.source import Chunk

    assert isinstance(item, Chunk)
    level = float(np.sqrt(np.mean(np.square(item.samples)))) if len(item.samples) else 0.0
    shown = f"{20 * np.log10(level):.0f} dB" if level > 0 else "digital silence"
    return f"{len(item.samples)} samples, level {shown}"


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) <= 3600:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from above 0 to 3600")
