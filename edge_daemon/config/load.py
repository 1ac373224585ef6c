"""Finds config.yaml, reads it, checks keys against each other and makes paths absolute."""

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from edge_daemon.config.bind import Findings, Problem, bind
from edge_daemon.config.document import DocumentError, read_document
from edge_daemon.config.keys import SHIPPED, Config
from edge_daemon.governor.gauge import gauge_problems
from edge_daemon.governor.limits import disorder
from edge_daemon.resources import shipped_bundle

VARIABLE = "EDGE_DAEMON_CONFIG"
SYSTEM = Path("/etc/edge-daemon/config.yaml")
SYSTEM_JOURNAL = Path("/var/log/edge-daemon")
SYSTEM_STATE = Path("/var/lib/edge-daemon")
_MAX_BYTES = 1 << 17


class ConfigError(Exception):
    """The configuration cannot be used; the text has one line for each problem."""


def find_config(
    given: Path | None, environ: Mapping[str, str], system: Path = SYSTEM
) -> Path | None:
    """Return the file to load: `given`, else $EDGE_DAEMON_CONFIG, else the system's if it exists.

    None means that there is none and the built-in defaults hold.
    """
    if given is not None:
        return given
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    return system if system.exists() else None


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration from a file, or the defaults for None.

    Args:
        path: the file, as `find_config` returns it.
        environ: the environment, for `journal.directory: auto`.

    Raises:
        ConfigError: the file cannot be read or is wrong; every problem is named with its line.
    """
    if path is None:
        return resolve(Config(), Path.cwd(), environ)
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"{path}: {reason}; `edge-daemon config` prints one to start from"
        ) from None
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than 128 KiB, so this is no configuration")
    return parse_config(raw, path, environ)


def parse_config(raw: bytes, path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration that a file's bytes hold.

    Raises:
        ConfigError: they are wrong; every problem is named with its line.
    """
    findings = Findings()
    try:
        config = bind(Config(), read_document(raw), findings)
    except DocumentError as error:
        raise _refuse(path, [Problem(error.line, error.reason)]) from None
    if not findings.problems:  # a default in the place of a wrong value could mislead
        _check_together(config, findings)
    if findings.problems:
        raise _refuse(path, findings.problems)
    try:
        return resolve(config, path.parent, environ)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def resolve(config: Config, base: Path, environ: Mapping[str, str]) -> Config:
    """Make every path absolute: relative ones start at `base`; `auto` and the shipped are named."""
    base = base.absolute()
    replay, governor = config.replay, config.governor
    shipped = str(config.bundle) == SHIPPED
    readings = governor.readings
    if readings != "system":
        readings = str(_under(base, Path(readings)))
    gauge = governor.battery_gauge
    gauge = replace(gauge, file=gauge.file and _under(base, gauge.file))
    profile = governor.profile
    if profile == "auto":
        profile = f"{state_directory(base, environ)}/"  # the slash says: look in there
    elif profile != "published":
        profile = str(_under(base, Path(profile)))
    return replace(
        config,
        bundle=shipped_bundle(SHIPPED) if shipped else _under(base, config.bundle),
        replay=replace(
            replay,
            video=replay.video and _under(base, replay.video),
            audio=replay.audio and _under(base, replay.audio),
            labels=replay.labels and _under(base, replay.labels),
        ),
        governor=replace(governor, readings=readings, profile=profile, battery_gauge=gauge),
        journal=replace(
            config.journal, directory=_journal_directory(config.journal.directory, base, environ)
        ),
    )


def _under(base: Path, path: Path) -> Path:
    try:
        return base / path.expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such user's home directory") from None


def _journal_directory(directory: Path, base: Path, environ: Mapping[str, str]) -> Path:
    if str(directory) != "auto":
        return _under(base, directory)
    # systemd lists several directories with colons in between; the unit asks for one.
    from_systemd = environ.get("LOGS_DIRECTORY", "").partition(":")[0]
    if from_systemd:
        return Path(from_systemd)
    if base == SYSTEM.parent:  # `edge-daemon tail` beside the service
        return SYSTEM_JOURNAL
    return _user_state(environ)


def state_directory(base: Path, environ: Mapping[str, str]) -> Path:
    """Return where the daemon keeps what it learns about the board.

    Args:
        base: the directory of the config: the service's has the service's state beside it.
        environ: the environment, in which systemd names the service's.
    """
    from_systemd = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if from_systemd:
        return Path(from_systemd)
    return SYSTEM_STATE if base.absolute() == SYSTEM.parent else _user_state(environ)


def _user_state(environ: Mapping[str, str]) -> Path:
    state = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/"), ".local/state"))
    return Path(state, "edge-daemon")


def _check_together(config: Config, findings: Findings) -> None:
    """Note values that are right by themselves but not with each other."""
    video, audio, replay = config.video.source, config.audio.source, config.replay

    def wrong(key: str, text: str) -> None:
        findings.add(findings.line_of(key), f"{key} {text}")

    for key, text in gauge_problems(config.governor.battery_gauge):
        wrong(f"governor.battery_gauge.{key}", text)
    if video == "none" and audio == "none":
        wrong("audio.source", "is none, and so is video.source: nothing is left to classify")
    if video == "replay" and replay.video is None:
        wrong("video.source", "is replay, but replay.video names no file")
    if audio == "replay" and replay.audio is None:
        wrong("audio.source", "is replay, but replay.audio names no file")
    if video == "picamera2" and not str(config.video.device).isdecimal():
        wrong("video.device", "must be the camera's number where video.source is picamera2")
    if replay.pace == "lockstep" and ({video, audio} & {"camera", "picamera2", "microphone"}):
        wrong(
            "replay.pace", "is lockstep, which live devices cannot follow; use replay or synthetic"
        )
    if config.capture.retry_max_s < config.capture.retry_first_s:
        wrong("capture.retry_max_s", "is shorter than capture.retry_first_s")
    if config.journal.max_total_mib < 2 * config.journal.max_file_mib:
        wrong("journal.max_total_mib", "is less than twice journal.max_file_mib")
    if config.video.region is not None:
        x, y, width, height = config.video.region
        if width <= 0 or height <= 0 or x + width > 1.0 + 1e-9 or y + height > 1.0 + 1e-9:
            wrong("video.region", "reaches outside the picture, or is empty")
    for key, text in disorder(config.governor.limits):
        wrong(f"governor.limits.{key}", text)


def _refuse(path: Path, problems: list[Problem]) -> ConfigError:
    ordered = sorted(problems, key=lambda one: one.line or 0)
    lines = (
        f"{path}:{one.line}: {one.text}" if one.line else f"{path}: {one.text}" for one in ordered
    )
    return ConfigError("\n".join(lines))
