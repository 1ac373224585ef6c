"""Puts into a reading whether sound and pictures arrive, which only their sources know."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from edge_daemon.governor.reading import Reading


@dataclass(frozen=True, slots=True)
class Senses:
    """Completes readings.

    Attributes:
        sound: returns `Reading.sound`, on the governor's thread.
        picture: returns `Reading.picture`.
    """

    sound: Callable[[], bool | None]
    picture: Callable[[], bool | None]

    def complete(self, reading: Reading) -> Reading:
        """Return the reading with what arrives now."""
        sound, picture = self.sound(), self.picture()
        if sound is None and picture is None:
            return reading
        return replace(reading, sound=sound, picture=picture)
