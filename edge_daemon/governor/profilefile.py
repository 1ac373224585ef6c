"""Measured profiles on the disk: what they are called, reading, finding and writing them."""

import os
import platform
import re
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from edge_daemon.governor.boards import board_model
from edge_daemon.governor.profile import FORMAT, PUBLISHED, Profile, TierCost, disorder
from edge_daemon.tier import TIERS, Tier

PUBLISHED_WORD = "published"
"""What stands in the place of a path for the published table."""

_MAX_BYTES = 1 << 16
_REMEDY = "measure again with `edge-daemon profile`"

Parsed = TypeVar("Parsed")


class ProfileError(Exception):
    """A profile cannot be used; the text names file and key, and says what to do."""


class Choice(NamedTuple):
    """The profile to go by.

    Attributes:
        profile: a measured one, or the published one.
        path: the file it was read from; None for the published one.
        why: why this one, in a sentence.
        trouble: whether there is a measured one that should serve and does not.
    """

    profile: Profile
    path: Path | None
    why: str
    trouble: bool = False


def board_name(root: Path = Path("/")) -> str:
    """Return what a profile calls this board: its model, else its architecture."""
    return board_model(root) or platform.machine()


def profile_path(directory: Path, bundle: str, bundle_sha256: str, board: str) -> Path:
    """Return where the profile of a bundle on a board lies.

    Args:
        directory: the state directory.
        bundle: name of the bundle; for people.
        bundle_sha256: hash of its manifest.
        board: as `board_name` returns it.
    """
    return directory / f"profile-{_slug(bundle)}-{_key(bundle_sha256, board)}.json"


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        ProfileError: it cannot be read, or a value is missing, of the wrong type, out of range or
            not possible beside the others.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path}: cannot be read: {error}; {_REMEDY}") from error
    try:
        return parse_profile(text)
    except ProfileError as error:
        raise ProfileError(f"{path}: {error}; {_REMEDY}") from error


def parse_profile(text: bytes) -> Profile:
    """Return the profile that a file's bytes hold.

    Raises:
        ProfileError: they hold none; the text begins with the key.
    """
    if len(text) > _MAX_BYTES:
        raise ProfileError(f"(whole file): larger than {_MAX_BYTES >> 10} KiB")
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProfileError(f"(whole file): is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ProfileError("(whole file): is not an object")
    found = document.get("format", FORMAT)
    if found != FORMAT:
        raise ProfileError(f"format: {found}; this version reads format {FORMAT}")
    tiers = document.get("tiers")
    costs: dict[Tier, TierCost] = {}
    if isinstance(tiers, dict):  # each alone, so that an error names its tier
        for key, value in tiers.items():
            if key not in TIERS:
                raise ProfileError(f"tiers.{key}: no such tier; there are {', '.join(TIERS)}")
            costs[Tier(key)] = _convert(value, TierCost, f"tiers.{key}")
        document["tiers"] = {}
    profile = replace(_convert(document, Profile, ""), tiers=costs)
    _refuse_disorder(profile)
    return profile


def write_profile(path: Path, profile: Profile) -> None:
    """Write a profile, whole or not at all; anybody may read it, as nothing in it is private.

    Raises:
        OSError: it cannot be written; the message names the file.
        ProfileError: `read_profile` would refuse it.
    """
    _refuse_disorder(profile)
    text = msgspec.json.format(msgspec.json.encode(profile), indent=2) + b"\n"
    parse_profile(text)
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        # Whatever root's umask says: the service has a user of its own.
        path.parent.chmod(0o755)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(text)
            file.flush()
            os.fchmod(fd, 0o644)
            os.fsync(fd)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    directory_fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory_fd)  # or a power cut may bring the old name back
    finally:
        os.close(directory_fd)


def find_profile(directory: Path, bundle_sha256: str, board: str) -> Profile | None:
    """Return what was measured of this bundle on this board; None where nothing was.

    Raises:
        ProfileError: the file that should say cannot be used.
    """
    found = _find(directory, bundle_sha256, board)
    return None if found is None else found[1]


def choose_profile(wanted: str, bundle_sha256: str, board: str) -> Choice:
    """Return the profile that `governor.profile` names for this bundle and board.

    A file that is named must serve. A directory (with a slash at its end: what `auto` stands for)
    is searched, and where it has no profile for this bundle and board, or only a broken one, the
    published table serves.

    Args:
        wanted: `published`, a file, or a directory with a slash at its end.
        bundle_sha256: hash of the bundle's manifest.
        board: as `board_name` returns it.

    Raises:
        ProfileError: the file that is named cannot be read, or is of another bundle or board.
    """
    if wanted == PUBLISHED_WORD:
        return Choice(PUBLISHED, None, "governor.profile asks for the published table")
    path = Path(wanted)
    if wanted.endswith("/"):
        return _search(path, bundle_sha256, board)
    profile = read_profile(path)
    stranger = _stranger(profile, bundle_sha256, board)
    if stranger is not None:
        raise ProfileError(
            f"{path}: {stranger}; {_REMEDY}, or set governor.profile to auto or published"
        )
    return Choice(profile, path, _measured(profile))


def _search(directory: Path, bundle_sha256: str, board: str) -> Choice:
    if os.access(directory, os.F_OK) and not os.access(directory, os.R_OK | os.X_OK):
        why = f"the published table serves, because this user may not look into {directory}"
        return Choice(PUBLISHED, None, why)
    try:
        found = _find(directory, bundle_sha256, board)
        others = [path.name for path in sorted(directory.glob("profile-*.json"))]
    except (ProfileError, OSError) as error:
        return Choice(PUBLISHED, None, f"the published table serves, because of {error}", True)
    if found is not None:
        path, profile = found
        return Choice(profile, path, _measured(profile))
    beside = f"; of another bundle or board: {', '.join(others)}" if others else ""
    why = f"nothing was measured of this bundle on this board ({directory}{beside})"
    return Choice(PUBLISHED, None, f"the published table serves, because {why}")


def _find(directory: Path, bundle_sha256: str, board: str) -> tuple[Path, Profile] | None:
    for path in sorted(directory.glob(f"profile-*-{_key(bundle_sha256, board)}.json")):
        profile = read_profile(path)
        if _stranger(profile, bundle_sha256, board) is None:
            return path, profile
    return None


def _stranger(profile: Profile, bundle_sha256: str, board: str) -> str | None:
    """Return what the profile is of, where that is something else; one of nothing is of all."""
    if profile.bundle_sha256 not in ("", bundle_sha256):
        return f"bundle_sha256: was measured with another bundle ({profile.bundle or 'unnamed'})"
    if profile.board not in ("", board):
        return f"board: was measured on another board ({profile.board}, this is {board})"
    return None


def _measured(profile: Profile) -> str:
    if not profile.measured:
        return "its figures are published, not measured"
    return f"measured {profile.made or 'at an unknown time'}"


def _refuse_disorder(profile: Profile) -> None:
    for key, text in disorder(profile):
        raise ProfileError(f"{key}: {text}")


def _convert(value: object, kind: type[Parsed], key: str) -> Parsed:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        where = (key + where.removesuffix("`")).lstrip(".")
        raise ProfileError(f"{where or '(whole file)'}: {what[:1].lower()}{what[1:]}") from error


def _key(bundle_sha256: str, board: str) -> str:
    return f"{_slug(bundle_sha256[:12])}-{_slug(board)}"


def _slug(text: str) -> str:
    """Return a piece of a file's name: lower case, digits and dashes, 48 of them at most."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48] or "unnamed"
