"""Builds the board from what is missing: the parts, in their order, and what each is made from."""

import shutil
import tempfile
from pathlib import Path

from tools.board import emulation, kernel, rootfs
from tools.board.cache import Cache, fingerprint
from tools.board.disk import write_disk
from tools.board.initrd import write_initrd
from tools.board.kernel import build_kernel
from tools.board.process import run
from tools.board.rootfs import CHECKOUT, build_board, build_debian
from tools.board.state import save_state
from tools.board.wheels import build_wheel, fetch_dependencies

_HERE = Path(__file__).parent


def build(cache: Cache, wheel: Path | None = None, *, programs_only: bool = False) -> None:
    """Make sure that the cache holds a board with this checkout's daemon, or another wheel.

    The first time takes ten to fifteen minutes, most of it Debian's packages that set themselves up
    under emulation; with a changed daemon a minute and a half.

    Args:
        cache: where.
        wheel: the daemon to install; None: this checkout's.
        programs_only: leave the booted board out; its programs can be run one by one all the same.

    Raises:
        BoardError: a program is missing or failed.
    """
    emulation.ensure()
    with cache.locked(), tempfile.TemporaryDirectory() as scratch:
        wheel = wheel or build_wheel(Path(scratch))
        _build(cache, wheel, programs_only)


def _build(cache: Cache, wheel: Path, programs_only: bool) -> None:
    kernel_key = fingerprint(kernel.RECIPE, kernel.SENSORS, _HERE / "kernel.py")
    debian_key = fingerprint(rootfs.RECIPE)
    wheels_key = fingerprint(CHECKOUT / "constraints.txt", CHECKOUT / "pyproject.toml")
    board_key = fingerprint(
        kernel_key, debian_key, wheels_key, wheel, rootfs.GUEST, rootfs.VOICE, *rootfs.INSTALLER,
        _HERE / "rootfs.py", _HERE / "initrd.py", _HERE / "disk.py",
    )  # fmt: skip

    kernel_part = cache.part("kernel", kernel_key, build_kernel)
    debian = cache.part("debian", debian_key, build_debian)
    dependencies = cache.part("wheels", wheels_key, lambda part: fetch_dependencies(part, wheel))

    def board(part: Path) -> None:
        with tempfile.TemporaryDirectory(dir=part) as scratch:
            wheels = Path(scratch) / "wheels"
            shutil.copytree(dependencies, wheels)
            shutil.copy(wheel, wheels)
            build_board(part, debian, kernel_part, wheels)
        root = part / "root"
        (release,) = (path.name for path in (kernel_part / "modules").iterdir())
        write_initrd(part / "initrd", root / "bin/busybox", root, release)
        write_disk(part / "disk.ext4", root)

    board_part = cache.part("board", board_key, board)
    if programs_only:
        return
    state_key = fingerprint(
        board_key, run("qemu-system-aarch64", "--version"), _HERE / "models.py", _HERE / "state.py"
    )
    cache.part("state", state_key, lambda part: save_state(part, board_part, kernel_part))
