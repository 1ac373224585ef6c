"""Sound cards in a sysfs of our own, which may be plugged in, moved and pulled."""

import shutil
from pathlib import Path

SOCKETS = "sys/devices/platform/fd500000.pcie/usb1/1-1"


def plug(
    root: Path,
    number: int,
    socket: str,
    usb: str = "0d8c:0014",
    serial: str | None = None,
    *,
    by_path: bool = True,
) -> None:
    """Put a USB sound card into a socket (such as `1-1.2`) and give it a number."""
    device = root / SOCKETS / socket
    card = device / f"{socket}:1.0" / "sound" / f"card{number}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"Device{number or ''}\n")
    vendor, product = usb.split(":")
    (device / "idVendor").write_text(f"{vendor}\n")
    (device / "idProduct").write_text(f"{product}\n")
    if serial is not None:
        (device / "serial").write_text(f"{serial}\n")
    _link(root, number, card)
    if by_path:
        _by_path(root, number, f"platform-fd500000.pcie-usb-0:{socket}:1.0")


def solder(root: Path, number: int, name: str = "soc:sound") -> None:
    """Put a card onto the board, without USB."""
    card = root / "sys/devices/platform" / name / "sound" / f"card{number}"
    card.mkdir(parents=True)
    (card / "id").write_text("sndrpihifiberry\n")
    _link(root, number, card)


def unplug(root: Path, socket: str) -> None:
    """Pull a card; udev's links to it stay, as they do for a moment."""
    for card in (root / SOCKETS / socket).rglob("card[0-9]*"):
        (root / "sys/class/sound" / card.name).unlink()
    shutil.rmtree(root / SOCKETS / socket)


def _link(root: Path, number: int, card: Path) -> None:
    cards = root / "sys/class/sound"
    cards.mkdir(parents=True, exist_ok=True)
    (cards / f"card{number}").symlink_to(Path("../../..") / card.relative_to(root))


def _by_path(root: Path, number: int, name: str) -> None:
    links = root / "dev/snd/by-path"
    links.mkdir(parents=True, exist_ok=True)
    (links / name).unlink(missing_ok=True)
    (links / name).symlink_to(f"../controlC{number}")
