"""Who else could change a bundle: a model is parsed by native code, and trusted like a program."""

import os
import pwd
import stat

from edge_daemon.inference.bundle import MANIFEST, Bundle


def exposure(bundle: Bundle, uid: int) -> str | None:
    """Return who beside root and a user could change a bundle; None where nobody could.

    Groups are left out: many systems give each user a group of its own, which may then write. A
    file system without owners, such as FAT, may show all of it as writable for anybody.

    Args:
        bundle: the bundle.
        uid: the user that the daemon runs as.

    Raises:
        BundleError: a model is not there any more.
    """
    models = [bundle.model_path(tier) for tier in bundle.tiers]
    try:
        directory = bundle.path.resolve(strict=True)
        between = {
            folder
            for model in models
            for folder in model.resolve(strict=True).parents
            if directory in folder.parents
        }
        for path in (directory, bundle.path / MANIFEST, *sorted(between), *models):
            status = path.stat()
            if status.st_mode & stat.S_IWOTH:
                return f"anybody may write to {path}"
            if status.st_uid not in (0, uid):
                return f"{path} belongs to {_name(status.st_uid)}"
        for above in directory.parents:
            mode = above.stat().st_mode
            if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
                return f"anybody may rename what is in {above}, and so replace the bundle"
    except OSError as error:  # gone meanwhile: whoever loads it next will say so
        return f"{bundle.path} cannot be looked at: {error}"
    return None


def exposed_to_others(bundle: Bundle) -> str | None:
    """Return the same for the user that this process runs as."""
    return exposure(bundle, os.geteuid())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
