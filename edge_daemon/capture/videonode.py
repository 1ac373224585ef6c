"""The video devices that the kernel lists, and paths to them that do not change."""

from dataclasses import dataclass
from pathlib import Path

BOARD_PARTS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rp1-cfe", "rpi-hevc", "rpivid", "unicam")
"""How the names of a Raspberry Pi's own codecs, scalers and raw receivers begin."""


@dataclass(frozen=True, slots=True)
class VideoNode:
    """One V4L2 device node.

    Attributes:
        path: `/dev/video0`; the number may change whenever devices come and go.
        name: what the driver calls it.
        index: 0 for a camera's first node; its others often carry metadata only.
        by_id: a path that names maker, model and serial number and so follows the camera; None
            where there is none, as for the second of two cameras without serial numbers.
        by_path: a path that names the socket; None where there is none.
    """

    path: str
    name: str
    index: int
    by_id: str | None = None
    by_path: str | None = None

    @property
    def stable(self) -> str | None:
        """The path to put into the configuration: it is looked up anew at each opening."""
        return self.by_id or self.by_path

    @property
    def remark(self) -> str:
        """Why it is no camera to open, as far as its name and index tell; empty for a camera."""
        if self.name.startswith(BOARD_PARTS):
            return "part of the board; its CSI cameras are for video.source: picamera2"
        return "" if self.index == 0 else "not the camera's first node: often metadata"


def list_video_nodes(root: Path = Path("/")) -> list[VideoNode]:
    """Return the video devices in order of their numbers.

    Args:
        root: where `sys` and `dev` are.
    """
    by_id = _links(root, "by-id")
    by_path = _links(root, "by-path")
    nodes = [
        VideoNode(
            path=f"/dev/{node.name}",
            name=_text(node / "name") or "unknown",
            index=int(_text(node / "index") or 0),
            by_id=by_id.get(node.name),
            by_path=by_path.get(node.name),
        )
        for node in (root / "sys/class/video4linux").glob("video*")
        if node.name[5:].isdecimal()
    ]
    return sorted(nodes, key=lambda node: int(node.path.removeprefix("/dev/video")))


def node_remark(node: Path, root: Path = Path("/")) -> str:
    """Return why a device node is no camera to open, as far as the kernel tells; else nothing.

    Args:
        node: its path, or a link to it.
        root: where `sys` and `dev` are.
    """
    path = f"/dev/{node.resolve().name}"
    return next((one.remark for one in list_video_nodes(root) if one.path == path), "")


def _links(root: Path, kind: str) -> dict[str, str]:
    """Return the first link to each node, by the node's name."""
    directory = root / "dev/v4l" / kind
    links = sorted(directory.iterdir(), reverse=True) if directory.is_dir() else []
    return {link.resolve().name: f"/dev/v4l/{kind}/{link.name}" for link in links}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
