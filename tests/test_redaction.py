import pytest

from edge_daemon.redaction import redact


@pytest.mark.parametrize(
    ("device", "shown"),
    [
        ("0", "0"),
        ("/dev/v4l/by-id/usb-046d_C270-index0", "/dev/v4l/by-id/usb-046d_C270-index0"),
        ("rtsp://cam:554/1", "rtsp://cam:554/1"),
        ("rtsp://u:p@ss@cam/1", "rtsp://***@cam/1"),
        ("rtsp://u:p/w?x@cam/1?k=v", "rtsp://***@cam/1?***"),
        ("http://cam/mjpg?user=u&pwd=p", "http://cam/mjpg?***"),
        (
            "rtspsrc location=rtsp://cam/1 user-id='a b' proxy-pw=x ! appsink",
            "rtspsrc location=rtsp://cam/1 user-id=*** proxy-pw=*** ! appsink",
        ),
        ("nvarguscamerasrc sensor-id=0 ! appsink", "nvarguscamerasrc sensor-id=0 ! appsink"),
        (
            "rtspsrc location=rtsp://u:p@cam/1 ! appsink",
            "rtspsrc location=rtsp://***@cam/1 ! appsink",
        ),
        ('rtspsrc user-id=u user-pw="p q" ! appsink', "rtspsrc user-id=*** user-pw=*** ! appsink"),
    ],
)
def test_no_secret_is_left_in_a_text(device: str, shown: str) -> None:
    assert redact(device) == shown
