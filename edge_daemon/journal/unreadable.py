"""Files of the journal that cannot be read in full: what is said of each, once."""

import logging
from pathlib import Path

from edge_daemon.journal.events import Fault

log = logging.getLogger(__name__)


class Unreadable:
    """Keeps what is to be said until the journal can say it."""

    def __init__(self) -> None:
        self._untold: dict[Path, Fault] = {}

    def found(self, path: Path, error: OSError) -> None:
        """Take note of a file with blocks that cannot be read."""
        if path in self._untold:
            return
        message = (
            f"{path}: part of it cannot be read ({error.strerror}), and new lines go to another "
            "file; a card or disk that does so again should be replaced"
        )
        log.warning("journal: %s", message)
        self._untold[path] = Fault("journal", message)

    def take(self) -> list[Fault]:
        """Return what has not been told; it counts as told then."""
        untold, self._untold = self._untold, {}
        return list(untold.values())
