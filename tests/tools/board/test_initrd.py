import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tools.board.initrd import INIT, cpio

FILES = {
    "bin": (stat.S_IFDIR | 0o755, b""),
    "bin/tool": (stat.S_IFREG | 0o755, bytes(range(256)) * 5),
    "empty": (stat.S_IFREG | 0o644, b""),
    "odd": (stat.S_IFREG | 0o600, b"abc"),
}


@pytest.mark.skipif(shutil.which("cpio") is None, reason="needs cpio")
def test_cpio_unpacks_what_was_packed(tmp_path: Path) -> None:
    archive = b"".join(cpio(FILES))
    done = subprocess.run(["cpio", "--extract"], cwd=tmp_path, input=archive, capture_output=True)
    assert done.returncode == 0, done.stderr
    for name, (mode, contents) in FILES.items():
        path = tmp_path / name
        assert stat.S_IFMT(path.stat().st_mode) == stat.S_IFMT(mode)
        if stat.S_ISREG(mode):
            assert path.read_bytes() == contents
            assert path.stat().st_mode == mode


def test_every_entry_begins_at_a_multiple_of_four() -> None:
    assert all(len(entry) % 4 == 0 for entry in cpio(FILES))
    assert list(cpio(FILES))[-1].startswith(b"070701")


def test_the_first_program_is_a_script_that_a_shell_takes(tmp_path: Path) -> None:
    script = tmp_path / "init"
    script.write_text(INIT, encoding="utf-8")
    assert subprocess.run(["sh", "-n", script], capture_output=True).stderr == b""
