"""Debian's kernel for arm64 with the modules that the boards need, and our own beside them."""

import os
import shutil
import tempfile
from pathlib import Path

from tools.board.apt import Apt, host_architecture
from tools.board.process import run

MODULES = (
    # What the root file system is on: virtio, or the Raspberry Pi's SD card.
    "virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "mmc_block", "bcm2835", "sdhci_iproc",
    # A line to the host, entropy; what systemd asks for.
    "virtio_console", "virtio_rng", "autofs4",
    # Camera, microphone, a second sound card; the Raspberry Pi's own thermal sensor.
    "vivid", "snd_aloop", "snd_hda_intel", "snd_hda_codec_generic", "bcm2835_thermal",
)  # fmt: skip

DEVICE_TREE = "broadcom/bcm2837-rpi-3-b.dtb"

SENSORS = Path(__file__).with_name("sensors")

RECIPE = repr((MODULES, DEVICE_TREE))


def build_kernel(directory: Path) -> None:
    """Make `vmlinuz`, the Raspberry Pi's device tree, and `modules`, as below /lib/modules."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir()
        apt = Apt(Path(scratch) / "apt")
        image = apt.needs("linux-image-arm64", "linux-image-")
        headers = apt.needs("linux-headers-arm64", "linux-headers-")
        common = apt.needs(headers, "linux-headers-")
        builder = f"{apt.needs(headers, 'linux-kbuild-')}:{host_architecture()}"
        apt.unpack(tree, image, headers, common, builder)
        release = image.removeprefix("linux-image-")
        shutil.copy(tree / f"boot/vmlinuz-{release}", directory / "vmlinuz")
        shutil.copy(tree / f"usr/lib/{image}" / DEVICE_TREE, directory)
        run("depmod", f"--basedir={tree}", release)
        target = directory / "modules" / release
        _copy_modules(tree, release, target)
        shutil.copy(_build_sensors(tree / "usr/src" / headers, Path(scratch)), target)
    # depmod looks below lib/modules.
    (directory / "lib").symlink_to(".")
    run("depmod", f"--basedir={directory}", release)
    (directory / "lib").unlink()


def load_order(base: Path, release: str, *modules: str) -> list[Path]:
    """Return the files of modules, each after those that it needs.

    Args:
        base: where `lib/modules` is.
        release: the kernel's.
        modules: their names.
    """
    files: list[Path] = []
    for module in modules:
        said = run("modprobe", "-d", base, "-S", release, "--show-depends", module)
        for line in said.splitlines():
            kind, _, rest = line.partition(" ")
            path = Path(rest.split()[0]) if rest else None
            if kind == "insmod" and path is not None and path not in files:
                files.append(path)
    return files


def _copy_modules(tree: Path, release: str, target: Path) -> None:
    source = tree / "lib/modules" / release
    for path in load_order(tree, release, *MODULES):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    for path in source.glob("modules.builtin*"):
        shutil.copy(path, target)
    shutil.copy(source / "modules.order", target)


def _build_sensors(headers: Path, scratch: Path) -> Path:
    """Cross-compile our module; return it."""
    # The one path that is not relative.
    makefile = headers / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("/usr/src", str(headers.parent)), encoding="utf-8")
    work = scratch / "sensors"
    shutil.copytree(SENSORS, work)
    run(
        "make", "--silent", f"--directory={headers}", f"M={work}", "ARCH=arm64",
        "CROSS_COMPILE=aarch64-linux-gnu-", "modules",
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    return work / "board_sensors.ko"
