"""The two boards: one with every device, and the Raspberry Pi 3 as QEMU has it."""

from pathlib import Path

from tools.board.kernel import DEVICE_TREE
from tools.board.machine import Machine


def start_virtual(
    board: Path, kernel: Path, disk: Path, console: Path, saved: Path | None = None
) -> Machine:
    """Start the board that has a camera, a microphone, a battery and a thermal zone.

    Its processor is that of the Raspberry Pi 4; cheap to emulate beside newer ones.

    Args:
        board: the part with `initrd`.
        kernel: the part with `vmlinuz`.
        disk: a layer of its own over `disk.ext4`.
        console: a file for what the kernel says.
        saved: a state to go on from; the disk must be a layer over the one it was saved with.
    """
    command = [
        "qemu-system-aarch64", "-machine", "virt,gic-version=2", "-cpu", "cortex-a72",
        "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024",
        "-kernel", str(kernel / "vmlinuz"), "-initrd", str(board / "initrd"),
        "-append", "root=/dev/vda console=ttyAMA0 quiet panic=-1 "
        "board.agent=/dev/virtio-ports/agent",
        "-drive", f"file={disk},if=none,id=disk,format=qcow2",
        "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci",
        "-audiodev", "none,id=silence", "-device", "intel-hda,addr=0x10",
        "-device", "hda-micro,audiodev=silence",
    ]  # fmt: skip
    agent = [
        "-serial", "chardev:console", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=agent,name=agent",
    ]  # fmt: skip
    return Machine(command, console, agent, saved)


def start_raspberry(board: Path, kernel: Path, disk: Path, console: Path) -> Machine:
    """Start QEMU's Raspberry Pi 3 Model B from an SD card, with its own thermal sensor.

    It has no virtio: the agent is at the second serial line. The first belongs to Bluetooth in its
    device tree, so that only the kernel's earliest console can write there.
    """
    command = [
        "qemu-system-aarch64", "-machine", "raspi3b",
        "-kernel", str(kernel / "vmlinuz"), "-initrd", str(board / "initrd"),
        "-dtb", str(kernel / Path(DEVICE_TREE).name),
        "-append", "root=/dev/mmcblk0 quiet panic=-1 earlycon=pl011,0x3f201000 keep_bootcon "
        "console=tty0 board.agent=/dev/ttyS1 modprobe.blacklist=vivid,board_sensors",
        "-drive", f"file={disk},if=sd,format=qcow2",
    ]  # fmt: skip
    return Machine(command, console, ["-serial", "chardev:console", "-serial", "chardev:agent"])
