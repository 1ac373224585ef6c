"""Sound cards by what stays the same when their numbers change: USB identity, or where they sit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}(:.+)?", re.IGNORECASE)
_NODE = re.compile(r"(?:control|pcm)C(\d+)")
_HARDWARE = re.compile(r"\((?:plug)?hw:(\d+),\d+\)$")


@dataclass(frozen=True, slots=True)
class SoundCard:
    """A card of ALSA's.

    Attributes:
        number: ALSA's, which goes by the order in which cards are found.
        id: ALSA's short name, such as `Device`.
        directory: the card in /sys/devices; the directories above are what it sits in.
        usb: `vendor:product` in lower-case hexadecimal; None where it is not on USB.
        serial: the USB device's serial number; None where it has none.
        by_path: udev's link in /dev/snd/by-path; None where there is none.
    """

    number: int
    id: str
    directory: Path
    usb: str | None = None
    serial: str | None = None
    by_path: str | None = None

    @property
    def identity(self) -> str | None:
        """`vendor:product:serial`, or as much of it as there is."""
        return self.usb if self.serial is None else f"{self.usb}:{self.serial}"


def list_cards(root: Path = Path("/")) -> list[SoundCard]:
    """Return the cards there are now, by number; none where there is no sound at all."""
    links = _by_path(root)
    cards = []
    for link in (root / "sys/class/sound").glob("card[0-9]*"):
        number = link.name.removeprefix("card")
        if number.isdecimal():
            directory = link.resolve()
            usb, serial = _usb(directory)
            card = SoundCard(
                int(number), _text(directory / "id"), directory, usb, serial, links.get(int(number))
            )
            cards.append(card)
    return sorted(cards, key=lambda card: card.number)


def card_number(device_name: str) -> int | None:
    """Return the card of PortAudio's `USB Audio: - (hw:1,0)`; None for what is no hardware."""
    found = _HARDWARE.search(device_name)
    return None if found is None else int(found[1])


def is_identity(wanted: str) -> bool:
    """Return whether a text means a card, and not a part of a device's name."""
    return wanted.startswith("/") or _USB.fullmatch(wanted) is not None


def find_cards(cards: Sequence[SoundCard], wanted: str, root: Path = Path("/")) -> list[SoundCard]:
    """Return the cards that an identity means.

    Args:
        cards: those there are.
        wanted: `vendor:product`, `vendor:product:serial`, or a path: a link below /dev/snd, or a
            directory of /sys that the card is in, such as a USB socket's.
        root: the filesystem root.
    """
    if not wanted.startswith("/"):
        vendor, product, *serial = wanted.split(":", 2)
        usb = f"{vendor}:{product}".lower()
        return [
            card for card in cards if card.usb == usb and (not serial or card.serial == serial[0])
        ]
    path = (root / wanted.lstrip("/")).resolve()
    node = _NODE.match(path.name)
    if node is not None:
        # udev's link may outlast its card for a moment: only cards that are there count.
        return [card for card in cards if card.number == int(node[1])]
    return [card for card in cards if path in (card.directory, *card.directory.parents)]


def name_cards(cards: Sequence[SoundCard], root: Path = Path("/")) -> dict[int, str]:
    """Return for each card's number what means it and no other one, to put into a config."""
    names = {}
    for card in cards:
        identity = card.identity
        if identity is not None and find_cards(cards, identity) == [card]:
            names[card.number] = identity
        elif card.by_path is not None:
            names[card.number] = card.by_path
        else:
            # Above sound/cardN: the device, whose place does not depend on the card's number.
            place = card.directory.parent.parent.relative_to(root.resolve())
            names[card.number] = f"/{place}"
    return names


def _usb(directory: Path) -> tuple[str | None, str | None]:
    for place in directory.parents:
        vendor, product = _text(place / "idVendor"), _text(place / "idProduct")
        if vendor and product:
            serial = _text(place / "serial")
            known = serial.isprintable() and serial != ""
            return f"{vendor}:{product}".lower(), serial if known else None
    return None, None


def _by_path(root: Path) -> dict[int, str]:
    links: dict[int, str] = {}
    for link in sorted((root / "dev/snd/by-path").glob("*")):
        node = _NODE.match(link.resolve().name)
        if node is not None:
            links.setdefault(int(node[1]), f"/dev/snd/by-path/{link.name}")
    return links


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # not there, or unplugged this moment
        return ""
