import gzip
from dataclasses import replace

import numpy as np
import pytest

from tests.tools.dataset.sources import SPLITS, TEST, TRAIN
from tools.dataset.folders import DatasetError, Folders
from tools.dataset.mnist import read_mnist, split_indices


def test_splits_share_no_picture_and_leave_none_out() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 60_000).astype(np.uint8)
    splits = split_indices(labels)
    assert len(splits["validation_last"]) == 5000
    assert splits["validation_last"][0] == 55_000
    assert abs(len(splits["validation"]) - 5000) <= 5
    together = np.concatenate(list(splits.values()))
    assert np.array_equal(np.sort(together), np.arange(60_000))


def test_validation_is_stratified_and_fixed() -> None:
    labels = np.repeat(np.arange(10), 6000).astype(np.uint8)
    np.random.default_rng(0).shuffle(labels)
    validation = split_indices(labels)["validation"]
    shares = np.bincount(labels[validation]) / np.bincount(labels[:55_000])
    np.testing.assert_allclose(shares, 1 / 11, atol=1e-3)
    np.testing.assert_array_equal(validation, split_indices(labels)["validation"])


def test_reads_every_split(folders: Folders) -> None:
    last = read_mnist(folders, "validation_last")
    assert len(last.labels) == TRAIN // 12
    sizes = {split: len(read_mnist(folders, split).labels) for split in SPLITS}
    assert sizes["train"] + sizes["validation"] == TRAIN - TRAIN // 12
    test = read_mnist(folders, "test")
    assert test.images.shape == (TEST, 28, 28)
    assert test.labels.tolist() == [number % 10 for number in range(TEST)]


def test_unpacked_files_do_as_well(own_folders: Folders) -> None:
    for path in list(own_folders.mnist.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(read_mnist(own_folders, "test").labels) == TEST


def test_another_train_file_is_refused(folders: Folders) -> None:
    with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte.gz: MD5 is .*fetch it anew"):
        read_mnist(replace(folders, mnist_md5="0" * 32), "train")


def test_a_missing_file_is_named(own_folders: Folders) -> None:
    path = own_folders.mnist / "t10k-labels-idx1-ubyte.gz"
    path.unlink()
    with pytest.raises(DatasetError, match=r"t10k-labels-idx1-ubyte.gz: missing; put it there"):
        read_mnist(own_folders, "test")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"not gzip", "cannot be unpacked"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x28" + bytes(40))[:20], "cannot be unpacked"),
        (gzip.compress(b"\0\0\x0d\x01\0\0\0\x01" + bytes(4)), "not an idx file of bytes"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x28" + bytes(39)), "39 values where"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "cut off in its header"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x03" + bytes(3)), "40 t10k images but 3 labels"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x28" + bytes([10] * 40)), "label 10 is no digit"),
    ],
)
def test_a_damaged_file_is_named(own_folders: Folders, data: bytes, complaint: str) -> None:
    (own_folders.mnist / "t10k-labels-idx1-ubyte.gz").write_bytes(data)
    with pytest.raises(DatasetError, match=complaint) as error:
        read_mnist(own_folders, "test")
    assert str(own_folders.mnist) in str(error.value)
