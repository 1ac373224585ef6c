from pathlib import Path

from edge_daemon.capture.videonode import VideoNode, list_video_nodes, node_remark

LOGITECH = "/dev/v4l/by-id/usb-046d_C270-video-index0"


def add_node(root: Path, number: int, name: str, index: int) -> None:
    node = root / f"sys/class/video4linux/video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text(f"{index}\n")


def link(root: Path, path: str, number: int) -> None:
    place = root / path.removeprefix("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(f"../../video{number}")


def test_lists_what_the_kernel_lists_by_number(tmp_path: Path) -> None:
    assert list_video_nodes(tmp_path) == []
    add_node(tmp_path, 10, "USB Camera: one", 0)
    add_node(tmp_path, 11, "USB Camera: one", 1)
    add_node(tmp_path, 2, "", 0)
    link(tmp_path, LOGITECH, 10)
    assert list_video_nodes(tmp_path) == [
        VideoNode("/dev/video2", "unknown", 0),
        VideoNode("/dev/video10", "USB Camera: one", 0, by_id=LOGITECH),
        VideoNode("/dev/video11", "USB Camera: one", 1),
    ]


def test_two_alike_without_serial_numbers_are_told_apart_by_their_sockets(tmp_path: Path) -> None:
    # udev gives both the same name by id; the second one's link replaces the first one's.
    sockets = ["/dev/v4l/by-path/usb-0:1.1-video-index0", "/dev/v4l/by-path/usb-0:1.2-video-index0"]
    for number, socket in zip((0, 2), sockets, strict=True):
        add_node(tmp_path, number, "C270", 0)
        link(tmp_path, socket, number)
    link(tmp_path, LOGITECH, 2)
    assert [node.stable for node in list_video_nodes(tmp_path)] == [sockets[0], LOGITECH]


def test_what_is_no_camera_to_open_is_told(tmp_path: Path) -> None:
    add_node(tmp_path, 0, "C270 HD WEBCAM", 0)
    add_node(tmp_path, 1, "C270 HD WEBCAM", 1)
    add_node(tmp_path, 10, "bcm2835-codec-decode", 0)
    add_node(tmp_path, 14, "unicam-image", 0)
    camera, second, codec, receiver = list_video_nodes(tmp_path)
    assert camera.remark == ""
    assert "metadata" in second.remark
    assert "picamera2" in codec.remark and "picamera2" in receiver.remark


def test_the_remark_of_a_node_is_found_through_its_links(tmp_path: Path) -> None:
    add_node(tmp_path, 0, "unicam-image", 0)
    add_node(tmp_path, 1, "C270 HD WEBCAM", 0)
    (tmp_path / "dev").mkdir()
    for name in ("video0", "video1"):
        (tmp_path / "dev" / name).touch()
    link(tmp_path, "/dev/v4l/by-path/platform-fe801000.csi-video-index0", 0)
    by_path = tmp_path / "dev/v4l/by-path/platform-fe801000.csi-video-index0"
    assert "picamera2" in node_remark(tmp_path / "dev/video0", tmp_path)
    assert "picamera2" in node_remark(by_path, tmp_path)
    assert node_remark(tmp_path / "dev/video1", tmp_path) == ""
    assert node_remark(tmp_path / "dev/video7", tmp_path) == ""
