"""Writes docs/config.md from the structs: `python -m edge_daemon.config.reference`."""

import inspect
import re
import sys
from pathlib import Path

from msgspec import Struct

from edge_daemon.config.describe import allowed, unit
from edge_daemon.config.keys import Config
from edge_daemon.config.schema import Key, keys

_HEAD = """\
# Configuration

The daemon reads the file given with `--config`, else the one that `$EDGE_DAEMON_CONFIG` names,
else `/etc/edge-daemon/config.yaml`; without any of them the defaults below hold. The file is
UTF-8 YAML; [config.yaml](../config.yaml) states every key with its default. A key left out keeps
its default, and an unknown key, a wrong type, a value out of range or a doubled key is an error
that names the file, the line and what is allowed. Relative paths start at the file's directory.

Units are in the keys' names: `_s` seconds, `_ms` milliseconds, `_hz` hertz, `_px` pixels,
`_deg` degrees, `_c` degrees Celsius, `_mib` MiB.

**live**: a change takes effect on SIGHUP (`systemctl reload edge-daemon`). The others wait for a
restart; a reload names them in the journal.

This page is made from `edge_daemon/config/keys.py` by `make docs`.
"""


def reference() -> str:
    """Return the text of docs/config.md."""
    known = {key.name: key for key in keys(Config())}
    return "\n".join([_HEAD, *_section("", Config(), known)])


def attribute_docs(struct: type[Struct]) -> dict[str, str]:
    """Return the `Attributes:` of a struct's docstring, each on one line."""
    # Python 3.13 takes the indentation away by itself.
    _, _, block = inspect.cleandoc(struct.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", block, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _section(path: str, defaults: Struct, known: dict[str, Key]) -> list[str]:
    """Return the lines of a section, followed by those of the sections in it."""
    docs = attribute_docs(type(defaults))
    rows: list[str] = []
    below: list[str] = []
    for name in defaults.__struct_fields__:
        full = f"{path}.{name}".lstrip(".")
        held = getattr(defaults, name)
        if isinstance(held, Struct):
            below += _section(full, held, known)
        else:
            rows.append(_row(name, known[full], docs[name]))
    if rows:
        about = inspect.cleandoc(type(defaults).__doc__ or "").partition("Attributes:\n")[0]
        title = " ".join(about.split())
        head = ["| key | meaning | allowed | default | live |", "|---|---|---|---|---|"]
        rows = [f"## {path or 'top level'}\n\n{title}\n", *head, *rows, ""]
    return rows + below


def _row(name: str, key: Key, meaning: str) -> str:
    of_unit = unit(name)
    kind = allowed(key.annotation) + (f", in {of_unit}" if of_unit else "")
    live = "yes" if key.live else "no"
    return f"| `{name}` | {_capital(meaning)} | {kind} | `{_yaml(key.default)}` | {live} |"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _yaml(default: object) -> str:
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(_yaml(one) for one in default)}]"
    return default.as_posix() if isinstance(default, Path) else str(default)


if __name__ == "__main__":
    sys.stdout.write(reference())
