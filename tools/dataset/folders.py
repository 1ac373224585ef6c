"""Where the three data sets lie, and what to say when they do not."""

from dataclasses import dataclass
from pathlib import Path

MNIST_TRAIN_MD5 = "6bbc9ace898e44ae57da46a324031adb"
"""MD5 of the unpacked train-images-idx3-ubyte: the canonical file."""


class DatasetError(Exception):
    """A file is missing or not what it should be; the text names it and what to do."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of the data sets, which their users bring.

    Attributes:
        mnist: the four idx files, packed (.gz) or not.
        fsdd: the wav files of the Free Spoken Digit Dataset.
        noise: the wav files of ESC-10, 8 kHz mono.
        mnist_md5: what the unpacked train images must hash to.
    """

    mnist: Path
    fsdd: Path
    noise: Path
    mnist_md5: str = MNIST_TRAIN_MD5


SOURCES = {
    "mnist": "MNIST in its original idx form, http://yann.lecun.com/exdb/mnist or a mirror",
    "fsdd": "the folder `recordings` of github.com/Jakobovski/free-spoken-digit-dataset",
    "noise": "ESC-10 of github.com/karoldvl/ESC-10 or ESC-50, resampled to 8 kHz mono 16-bit wav",
}
"""Where each data set is published."""
