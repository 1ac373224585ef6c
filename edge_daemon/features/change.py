"""How much a picture or a sound differs from an earlier one: far cheaper than its features."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.image import grey, reduce

LEAST_CELLS = 12
"""Pictures are compared in so many cells along the shorter side, up to twice as many."""


def cells(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average a picture over the cells in which it is compared.

    Averaging leaves little of a sensor's noise (an eighth over 8×8 pixels), while a stroke still
    fills much of a cell.

    Args:
        picture: uint8 [height, width] grey or [height, width, 3] BGR.

    Returns:
        uint8 [rows, columns], the shorter side 12 to 23, or the picture where it is no larger.
    """
    return reduce(grey(picture), LEAST_CELLS)


def picture_change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    """Measure how much the cell differs that differs most.

    The largest and not the mean difference: a stroke that is added to a drawing changes one cell
    in a hundred, and the mean by less than the noise does.

    Args:
        before: uint8 [rows, columns], from `cells`.
        now: the same of a later picture.

    Returns:
        0 to 1, in units of the full range of grey; 1 where the shapes differ.
    """
    if before.shape != now.shape:
        return 1.0
    return float(cv2.norm(before, now, cv2.NORM_INF)) / 255.0


def sound_change(before: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """Measure how much the column of two audio tensors differs that differs most on average.

    The tensors begin at the onset of the newest sound: the same sound gives the same one wherever
    in the window it lies, a new sound or more of the same another one.

    Args:
        before: float32 [1, columns, bands, 1], 0 to 1.
        now: the same of a later window.

    Returns:
        0 to 1, in units of the tensor's range.
    """
    apart = before - now
    np.abs(apart, out=apart)
    return float(np.add.reduce(apart, axis=2).max() / before.shape[2])
