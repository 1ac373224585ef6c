"""Makes system calls of a running process fail or hang, with strace(1)."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tools.drills.needs import SkipError, need_programs

_ATTACH_S = 10.0


@contextlib.contextmanager
def injected(pid: int, file: Path, effect: str) -> Iterator[None]:
    """Let each read of a file, by any thread, come to a certain end until the block does.

    Args:
        pid: the process.
        file: the file, also where it has been open for long.
        effect: `error=EIO`, or `delay_enter=` and microseconds.
    """
    need_programs("strace")
    command = ["strace", "--follow-forks", f"--attach={pid}", f"--trace-path={file}"]
    command += ["--trace=pread64", f"--inject=pread64:{effect}", "--output=/dev/null"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        first = strace.stderr.readline()
        if "attached" not in first:
            strace.kill()
            raise SkipError(f"strace cannot attach here: {first.strip()}")
        try:
            yield
        finally:
            strace.terminate()
