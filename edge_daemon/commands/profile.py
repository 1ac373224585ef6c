"""`edge-daemon profile`: what each tier costs on this device, for the governor to decide by."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon import exitcode
from edge_daemon.commands import options

if TYPE_CHECKING:
    from edge_daemon.config import Config
    from edge_daemon.governor.profile import Profile
    from edge_daemon.inference.bundle import Bundle
    from edge_daemon.profiling.stage import Setting

_ANYWAY = "--anyway takes the figures as they come"
_LOOK_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long to measure, and where the profile goes."""
    options.add_config(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: where the daemon looks for it"
    )
    parser.add_argument("--json", action="store_true", help="print the profile and no table")
    parser.add_argument("--quick", action="store_true", help="a rougher look, in seconds")
    parser.add_argument(
        "--anyway", action="store_true", help="measure and keep even what a busy board spoils"
    )
    parser.add_argument(
        "--sysroot", type=Path, default=Path("/"), metavar="DIR", help="look below DIR (for tests)"
    )
    parser.epilog = (
        "Takes about a minute, on an idle board, without camera and microphone. With a profile\n"
        "the governor decides by what a tier will cost here, without one by the published table.\n"
        "\n"
        "  sudo systemctl stop edge-daemon\n"
        "  sudo edge-daemon profile --config /etc/edge-daemon/config.yaml\n"
        "  sudo systemctl start edge-daemon\n\n"
        "exit codes: 0 measured and kept, 1 not kept, for the reasons that are named"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and keep the profile."""
    from datetime import UTC, datetime

    from edge_daemon.governor.profilefile import board_name, profile_path, write_profile
    from edge_daemon.inference.bundle import check_models, load_bundle
    from edge_daemon.profiling.costs import measure_profile
    from edge_daemon.profiling.plan import QUICK, THOROUGH
    from edge_daemon.profiling.stage import ProfilingError

    config = options.load(arguments)
    bundle = load_bundle(config.bundle)
    board = board_name(arguments.sysroot)
    path: Path = arguments.out or profile_path(
        _directory(arguments), bundle.name, bundle.sha256, board
    )
    if obstacles := list(_unwritable(path)):
        return _refuse("not measured", obstacles)
    if not arguments.anyway and (obstacles := _unfit(arguments.sysroot)):
        return _refuse(f"not measured; {_ANYWAY}", obstacles)
    check_models(bundle)
    progress = _Progress()
    try:
        measured = measure_profile(
            bundle,
            _setting(config),
            QUICK if arguments.quick else THOROUGH,
            root=arguments.sysroot,
            board=board,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            tell=progress.tell,
        )
    except ProfilingError as error:
        return _refuse("not measured", [str(error)])
    finally:
        progress.end()
    _print(measured.profile, measured.remarks, as_json=arguments.json)
    if measured.troubles and not arguments.anyway:
        troubles = [f"meanwhile {trouble}" for trouble in measured.troubles]
        return _refuse(f"not kept; {_ANYWAY}", troubles)
    try:
        write_profile(path, measured.profile)
    except OSError as error:
        return _refuse("not kept", [str(error)])
    _say(f"kept in {path}{_use(config, bundle, board, path)}")
    return exitcode.OK


def _directory(arguments: argparse.Namespace) -> Path:
    from edge_daemon.config.load import state_directory

    file = options.config_path(arguments)
    return state_directory(Path.cwd() if file is None else file.parent, os.environ)


def _setting(config: "Config") -> "Setting":
    from edge_daemon.profiling.stage import Setting

    return Setting(
        width_px=config.video.width_px,
        height_px=config.video.height_px,
        threads=config.inference.threads,
        period_ms=config.window.period_ms,
        reuse=config.window.reuse.enabled,
    )


def _unwritable(path: Path) -> Iterator[str]:
    """Yield why nothing could be kept there: better said before than after the measurement."""
    place = path.absolute().parent
    while not place.exists():
        place = place.parent
    if path.is_dir():
        yield f"{path} is a directory: name a file with --out"
    elif not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield (
            f"{place} may not be written to: run `sudo edge-daemon profile` for the service, or "
            "name a file with --out"
        )


def _unfit(root: Path) -> list[str]:
    """Return what would spoil the figures, after a second's look at the board."""
    import time

    from edge_daemon.governor.probes import Probes
    from edge_daemon.profiling.conditions import unfit

    probes = Probes(root)
    try:
        time.sleep(_LOOK_S)
        return list(unfit(probes.read()))
    finally:
        probes.close()


def _print(profile: "Profile", remarks: tuple[str, ...], *, as_json: bool) -> None:
    import msgspec

    from edge_daemon.bench import table

    if as_json:
        print(msgspec.json.format(msgspec.json.encode(profile), indent=2).decode())
    else:
        busy = max(0, int(profile.cores) - 1)
        print(
            f"{profile.runtime}, {profile.threads} thread{'s' * (profile.threads > 1)}, "
            f"{profile.cores:g} cores, a window every {profile.period_ms:g} ms"
        )
        print(table.tiers(profile))
        print(
            f"\nBeside {busy} busy core{'s' * (busy != 1)} a window takes "
            f"{100 * profile.contention:.0f} % longer. Slowed by its firmware, the board keeps "
            f"{100 * profile.slowed:.0f} % of its clock (not measured)."
        )
    for remark in remarks:
        _say(remark)


def _use(config: "Config", bundle: "Bundle", board: str, path: Path) -> str:
    """Return what is still to be done for the daemon to go by the profile."""
    from edge_daemon.governor.profilefile import ProfileError, choose_profile

    try:
        chosen = choose_profile(config.governor.profile, bundle.sha256, board).path
    except ProfileError:
        chosen = None
    if chosen is not None and chosen.absolute() == path.absolute():
        return "; it counts from the daemon's next start"
    return f"; for the daemon to go by it, set governor.profile to {path.absolute()}"


def _refuse(what: str, reasons: list[str]) -> int:
    for reason in reasons:
        _say(reason)
    _say(what)
    return exitcode.TROUBLE


def _say(text: str) -> None:
    print(f"edge-daemon: {text}", file=sys.stderr)


class _Progress:
    """One line on the terminal that says what is going on; nothing anywhere else."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def tell(self, text: str) -> None:
        """Replace the line."""
        if self._shown:
            print(f"\r\x1b[K{text} …", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Remove the line."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
