from pathlib import Path

import pytest

from edge_daemon.governor.kernelfile import KernelFile, int_of, text_of


def test_it_is_read_from_its_start_each_time(tmp_path: Path) -> None:
    path = tmp_path / "temp"
    path.write_text("48000\n")
    file = KernelFile(path)
    assert [file.read_int(), file.read_int()] == [48000, 48000]
    path.write_text("-5\n")
    assert file.read_int() == -5


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no/such/temp"):
        KernelFile(tmp_path / "no/such/temp").read()


@pytest.mark.parametrize("text", ["", "\n", "eleven\n", "1.5", "0x10", "12 34", "nan"])
def test_what_is_no_whole_number_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "capacity"
    path.write_text(text)
    with pytest.raises(ValueError, match="capacity"):
        KernelFile(path).read_int()
    assert int_of(path) is None


def test_a_read_error_is_an_error_and_not_a_value(tmp_path: Path) -> None:
    # Opens, but cannot be read: what a thermal zone of an engine that is off does with EAGAIN.
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        KernelFile(tmp_path).read()
    # The real thing: address 0 of our own memory gives EIO.
    with pytest.raises(OSError, match="/proc/self/mem"):
        KernelFile(Path("/proc/self/mem")).read()


def test_after_an_error_the_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "temp"
    path.mkdir()
    file = KernelFile(path)
    with pytest.raises(IsADirectoryError):
        file.read()
    path.rmdir()
    path.write_text("7")
    assert file.read_int() == 7


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "temp"
    path.write_text("7")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    file = KernelFile(path)
    file.read()
    assert len(list(descriptors.iterdir())) == before + 1
    file.close()
    file.close()
    for _ in range(10):
        text_of(path)
        text_of(tmp_path)
    assert len(list(descriptors.iterdir())) == before


def test_a_device_tree_string_ends_at_its_zero_byte(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert text_of(path) == "Raspberry Pi 5 Model B Rev 1.0"


def test_a_number_of_more_digits_than_the_kernel_has_is_none(tmp_path: Path) -> None:
    path = tmp_path / "trip_point_0_temp"
    for text, value in ((str(2**64 - 1), 2**64 - 1), ("9" * 21, None), ("9" * 4000, None)):
        path.write_text(text)
        assert int_of(path) == value
