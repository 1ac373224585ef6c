"""Clocks of one program that a drill may set, while the machine's own go on.

The wall clock belongs to the whole machine and to all who work on it, and no namespace has one of
its own. So a small library stands before libc in the program's process (clock.c) and adds what a
drill asks for. What a real step does inside the kernel, to timers set to a wall-clock time, it
does not show; the daemon has none.
"""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.drills.needs import SkipError

_SOURCE = Path(__file__).with_name("clock.c")


class ShiftedClock:
    """The clocks of a program that is started with `environ`.

    Args:
        folder: where the library is built.

    Raises:
        SkipError: there is no compiler.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            raise SkipError("needs cc")
        self._library = folder / "clock.so"
        self._file = folder / "clock"
        self._file.write_bytes(bytes(16))
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(self._library), str(_SOURCE)]
        subprocess.run(command, check=True)

    @property
    def environ(self) -> Mapping[str, str]:
        """What the program needs in its environment."""
        return {"LD_PRELOAD": str(self._library), "DRILL_CLOCK": str(self._file)}

    def shift(self, *, wall_s: float, boot_s: float = 0.0) -> None:
        """Set how far the wall clock and the time since boot are ahead."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("=qq", round(wall_s * 1e9), round(boot_s * 1e9)))
