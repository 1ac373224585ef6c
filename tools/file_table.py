"""Writes the README's table of files from the first line of each file: `make docs`."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- files: made by `make docs` -->", "<!-- end of files -->"

OTHERS = {
    "Makefile": "every target sets up what it needs: `make help`",
    "config.yaml": "every key with its meaning and default",
    "pyproject.toml": "package, dependencies, and the settings of ruff, mypy and pytest",
    "constraints.txt": "the exact versions that the daemon is tested with",
    "models/avdigits/": "the shipped bundle: `bundle.yaml` and four int8 models",
    "systemd/": "the unit, its user, and what installs and removes them",
    "docs/architecture.md": "how it is put together and why, with a glossary",
    "docs/config.md": "every config key (made by `make docs`)",
    "docs/journal.md": "every event of the journal, with its JSON Schema beside it",
    "docs/training.md": "how the models are made: teacher, distillation, compression, comparison",
    "docs/tutorial.md": "your own classes: from a folder of files to a running daemon",
    "docs/operations.md": "install, tune, read the journal, update, recover",
    "docs/results.md": "what was measured, with the commands",
    "docs/LOG.md": "experiments, negatives included",
    "tests/": "mirrors the packages; `daemon` runs the whole program, `data` has sample boards",
    ".ci/run": "checks and tests on a clean checkout: all but the virtual board and the drills",
}


def table(root: Path = ROOT) -> str:
    """Return the table as Markdown."""
    rows = [f"| `{name}` | {phrase} |" for name, phrase in OTHERS.items()]
    return "\n".join(["| file | what |", "|---|---|", *_modules(root), *rows])


def insert(readme: str, rows: str) -> str:
    """Return the README with the table between its marks replaced.

    Raises:
        ValueError: the marks are missing.
    """
    if BEGIN not in readme or END not in readme:
        raise ValueError(f"README.md: the marks {BEGIN} and {END} are needed")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{rows}\n{END}", readme, count=1)


def _modules(root: Path) -> Iterator[str]:
    for package in ("edge_daemon", "tools"):
        for path in sorted((root / package).rglob("*.py"), key=_packages_first):
            phrase = _first_line(path)
            name = path.relative_to(root).as_posix()
            if path.name == "__init__.py":
                name = f"**{name.removesuffix('__init__.py')}**"
            else:
                name = f"`{name}`"
            yield f"| {name} | {phrase} |"


def _packages_first(path: Path) -> tuple[str, bool, str]:
    return path.parent.as_posix(), path.name != "__init__.py", path.name


def _first_line(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    if not text:
        raise ValueError(f"{path}: has no docstring")
    line = text.partition("\n")[0].rstrip(".")
    first = line.partition(" ")[0]
    # Names are written as they are: PortAudio, V4L2, JSON.
    return line if any(map(str.isupper, first[1:])) else line[:1].lower() + line[1:]


def main() -> None:
    """Rewrite README.md, or with --check fail when it is out of date."""
    path = ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = insert(before, table())
    if "--check" in sys.argv and after != before:
        raise SystemExit("README.md: its table of files is out of date; run `make docs`")
    path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
