"""Digits drawn by code: fonts and plain strokes, distorted, in MNIST's format."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.ink import Box, fit_ink

_CANVAS_PX = 160
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def draw_digit(label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a digit in one of OpenCV's fonts, bent a little.

    Args:
        label: 0 to 9.
        random: the source of font, pen and distortion.

    Returns:
        uint8 [28, 28], bright on black, centred as in MNIST.
    """
    canvas = np.zeros((_CANVAS_PX, _CANVAS_PX), dtype=np.uint8)
    font = int(random.choice(_FONTS))
    pen = int(random.integers(4, 15))
    (width, height), _ = cv2.getTextSize(str(label), font, 1.0, 1)
    scale = 90.0 / max(height, 1)
    at = (round((_CANVAS_PX - width * scale) / 2), round((_CANVAS_PX + 90) / 2))
    cv2.putText(canvas, str(label), at, font, scale, 255, pen, cv2.LINE_AA)
    bent = _bend(canvas, random)
    rows, columns = np.flatnonzero(bent.any(axis=1)), np.flatnonzero(bent.any(axis=0))
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return fit_ink(bent, box, 28, 28)


def _bend(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Shift points smoothly by up to a few pixels (elastic distortion, Simard et al., 2003)."""
    side = len(image)
    strength = random.uniform(0.0, 9.0)
    across = np.arange(side, dtype=np.float32)
    shifts = [
        cv2.resize(
            random.uniform(-strength, strength, (5, 5)).astype(np.float32),
            (side, side),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    ]
    return cv2.remap(  # type: ignore[return-value]
        image,
        across + shifts[0].astype(np.float32),
        across[:, None] + shifts[1].astype(np.float32),
        cv2.INTER_LINEAR,
    )
