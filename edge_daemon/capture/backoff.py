"""How long to wait before trying again."""


class Backoff:
    """Waits that double from `first_s` to `max_s` and stay there until reset.

    Deterministic: a board has one camera and one microphone, so there is no crowd to spread out.
    """

    def __init__(self, first_s: float = 0.5, max_s: float = 30.0) -> None:
        if not 0 < first_s <= max_s:
            raise ValueError(f"a backoff needs 0 < first_s <= max_s, not {first_s} and {max_s}")
        self.first_s = first_s
        self.max_s = max_s
        self._wait_s = first_s

    def next_s(self) -> float:
        """Return the wait before the next attempt, in seconds, and double the one after."""
        wait_s = self._wait_s
        self._wait_s = min(2 * wait_s, self.max_s)
        return wait_s

    def reset(self) -> None:
        """Begin at `first_s` again."""
        self._wait_s = self.first_s
