"""What a command may print where."""

import sys
from collections.abc import Mapping
from typing import TextIO

GREEN, YELLOW, RED, CYAN = "32", "33", "31", "36"


def understands_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def paint(text: str, colour: str, wanted: bool) -> str:
    """Return the text in an ANSI colour, where one is wanted."""
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted else text


def standard_output() -> TextIO:
    """Return standard output, able to take any character whatever the locale."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    return sys.stdout
