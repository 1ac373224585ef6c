"""`edge-daemon devices`: cameras, microphones, thermal zones and batteries of this board."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge_daemon import exitcode
from edge_daemon.terminal import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The filesystem root."""
    parser.add_argument(
        "--sysroot", type=Path, default=Path("/"), metavar="DIR", help="look below DIR (for tests)"
    )
    parser.epilog = (
        "Put a camera's second path, which does not change, into video.device, and what stands\n"
        "behind the rates of a microphone, or a part of its name, into audio.device."
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what there is; nothing is changed, and no camera is opened."""
    root: Path = arguments.sysroot
    _section("cameras", list(_cameras(root)), "none; is one plugged in, and is its driver loaded?")
    _section("microphones", list(_microphones(root)), "none that PortAudio knows")
    _section("thermal zones", list(_zones(root)), "none: temperature will be no constraint")
    _section("batteries", list(_batteries(root)), "none: taken to run from the mains")
    return exitcode.OK


def _section(title: str, rows: Sequence[str], nothing: str) -> None:
    print(title)
    for row in rows or [nothing]:
        print(f"  {printable(row)}")


def _cameras(root: Path) -> Iterator[str]:
    from edge_daemon.capture.picamera import list_picameras
    from edge_daemon.capture.source import SourceError
    from edge_daemon.capture.videonode import list_video_nodes

    for node in list_video_nodes(root):
        stable = f"  {node.stable}" if node.stable else ""
        remark = f"  ({node.remark})" if node.remark else ""
        yield f"{node.path:14} {node.name}{stable}{remark}"
    if root == Path("/"):
        try:
            models = list_picameras()
        except SourceError as error:
            yield str(error)
            return
        for number, model in enumerate(models):
            yield f"{number:<14} {model}, for video.source: picamera2"


def _microphones(root: Path) -> Iterator[str]:
    from edge_daemon.capture.microphone import list_microphones
    from edge_daemon.capture.source import SourceError

    try:
        microphones = list_microphones(root=root)
    except SourceError as error:
        yield str(error)
        return
    for microphone in microphones:
        rates = ", ".join(f"{rate_hz / 1000:g}" for rate_hz in microphone.rates_hz)
        identity = f"  {microphone.identity}" if microphone.identity else ""
        default = "  (default)" if microphone.is_default else ""
        rates = f"{rates} kHz" if rates else "no usual rate"
        yield f"{microphone.index:3} {microphone.name}: {rates}{identity}{default}"


def _zones(root: Path) -> Iterator[str]:
    from edge_daemon.governor.thermal import list_zones

    for zone in list_zones(root):
        try:
            value_c = zone.read()
        except (OSError, ValueError) as error:
            yield f"{zone.type}: cannot be read: {error}"
            continue
        finally:
            zone.file.close()
        shown = "no value" if value_c is None else f"{value_c:.1f} °C"
        trips = [
            f"{name} {trip_c:.0f} °C"
            for name, trip_c in (("passive", zone.passive_c), ("critical", zone.critical_c))
            if trip_c is not None
        ]
        yield f"{zone.type}: {shown}{''.join(f', {trip}' for trip in trips)}"


def _batteries(root: Path) -> Iterator[str]:
    from edge_daemon.governor.supply import list_batteries

    for battery in list_batteries(root):
        try:
            store = battery.read()
        except (OSError, ValueError) as error:
            yield f"{battery.name}: cannot be read: {error}"
            continue
        finally:
            battery.close()
        amounts = ((store.energy_wh, "Wh"), (store.power_w, "W"))
        known = [f"{amount:.1f} {unit}" for amount, unit in amounts if amount is not None]
        yield ", ".join([f"{battery.name}: {store.fraction:.0%}", store.status.lower(), *known])
