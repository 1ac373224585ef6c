"""The boards in tests/data/sysroot, and copies of them that a test may change."""

import shutil
from pathlib import Path

BOARDS = Path(__file__).resolve().parent.parent / "data/sysroot"


def board(name: str) -> Path:
    return BOARDS / name


def copy_of(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(BOARDS / name, tmp_path / name))


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def seconds(value: float) -> int:
    return round(value * 1e9)
