"""Writes docs/config.md from the structs: `python -m edge_daemon.config.reference`."""

import re
import sys
from pathlib import Path

from msgspec import Struct

from edge_daemon.config.describe import allowed, unit
from edge_daemon.config.keys import Config
from edge_daemon.config.schema import Key, key_types, keys, section

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
    parts = [_HEAD]
    for name in key_types(Config):
        parts.extend(_section(name, Config, ""))
    return "\n".join(parts)


def attribute_docs(struct: type[Struct]) -> dict[str, str]:
    """Return the `Attributes:` of a struct's docstring, each on one line."""
    _, _, block = (struct.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", block, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _section(name: str, owner: type[Struct], prefix: str) -> list[str]:
    struct = section(key_types(owner)[name])
    if struct is None:
        return []
    path = prefix + name
    title = (struct.__doc__ or "").partition("\n")[0]
    own = [key for key in keys(Config) if key.name.rpartition(".")[0] == path]
    docs = attribute_docs(struct)
    lines = [f"## {path}\n\n{title}\n"]
    if own:
        lines += ["| key | meaning | allowed | default | live |", "|---|---|---|---|---|"]
        lines += [_row(key, docs) for key in own]
        lines.append("")
    for below in key_types(struct):
        lines += _section(below, struct, f"{path}.")
    return lines


def _row(key: Key, docs: dict[str, str]) -> str:
    name = key.name.rpartition(".")[2]
    unit_name = unit(name)
    kind = allowed(key.annotation) + (f", in {unit_name}" if unit_name else "")
    live = "yes" if key.live else "no"
    return f"| `{name}` | {docs[name]} | {kind} | `{_yaml(key.default)}` | {live} |"


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
