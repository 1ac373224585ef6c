"""What a command may print where."""

import logging
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


def printable(text: str) -> str:
    """Make control characters visible: what a device or a file says must not drive the terminal.

    Line ends and tabs become spaces. What Unicode calls not printable goes too: C1 controls, and
    the marks that turn the direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c in "\n\t" else f"\\x{ord(c):02x}" for c in text
    )


def printable_lines(text: str) -> str:
    """Return the text with its line ends as they are and each line `printable`."""
    return "\n".join(printable(line) for line in text.split("\n"))


class PrintableFormatter(logging.Formatter):
    """Formats log records, tracebacks included, as text that drives no terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text."""
        return printable_lines(super().format(record))


def standard_output() -> TextIO:
    """Return standard output, able to take any character whatever the locale."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    return sys.stdout
