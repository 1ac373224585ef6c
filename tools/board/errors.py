"""What can go wrong with the virtual board."""


class BoardError(Exception):
    """The board cannot be built or run here; the text says what is missing and what to do."""
