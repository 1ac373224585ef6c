"""Dark strokes on unevenly lit paper to bright strokes on black, centred."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_PX = 96
"""Ink is looked for in pictures of this side up to twice as much."""

_LEAST_CONTRAST = 48
"""Of 255: strokes less dark than this against their paper are not ink."""

_INK_BOX = 20 / 28
"""The longer side of a fitted drawing over the side of the picture, as in MNIST."""


class Box(NamedTuple):
    """Where a drawing is, in pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


def ink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Measure how much darker than the paper around it each pixel is.

    The paper is what a morphological closing, wider than any stroke, makes of the picture; the
    quotient of picture and paper does not depend on the light (Retinex with a maximum envelope).

    Args:
        image: uint8 [height, width], grey.

    Returns:
        uint8 [height, width]: 0 paper, 255 the darkest strokes; all 0 where no stroke is clearly
        darker than the paper, so that noise is never amplified.
    """
    height, width = image.shape
    small = (max(1, width // 2), max(1, height // 2))
    smooth = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    smooth = cv2.blur(smooth, (3, 3))
    reach = max(3, min(small) // 4) | 1
    paper = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _square(reach))
    paper = cv2.blur(paper, (5, 5))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    darkness = cv2.subtract(255, cv2.divide(image, paper, scale=255.0))  # type: ignore[call-overload]
    # The contrast of the strokes, blind to single pixels.
    peak = float(cv2.blur(darkness, (3, 3)).max())
    if peak < _LEAST_CONTRAST:
        return np.zeros_like(image)
    # From 0.3 to 0.8 of it, black becomes white.
    gain = 255.0 / (0.5 * peak)
    return cv2.convertScaleAbs(  # type: ignore[return-value]
        cv2.subtract(darkness, round(0.3 * peak)),
        alpha=gain,  # type: ignore[call-overload]
    )


def drawing(strokes: NDArray[np.uint8]) -> Box | None:
    """Find the drawing: the largest connected ink that does not touch the border, and its parts.

    What touches the border is a hand, the edge of the paper or the table.

    Args:
        strokes: uint8 [height, width], from `ink`.

    Returns:
        Its box, or None where there is nothing.
    """
    height, width = strokes.shape
    small = cv2.resize(
        strokes, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA
    )
    _, mask = cv2.threshold(small, 96, 255, cv2.THRESH_BINARY)
    if not mask.any():
        return None
    mask = cv2.dilate(mask, _square(3))
    rows, columns = mask.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    left, top = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[1:, cv2.CC_STAT_WIDTH], top + stats[1:, cv2.CC_STAT_HEIGHT]
    area = stats[1:, cv2.CC_STAT_AREA]
    tall = np.maximum(right - left, bottom - top) >= 0.1 * max(rows, columns)
    inside = (left > 0) & (top > 0) & (right < columns) & (bottom < rows) & tall
    if not inside.any():
        return None
    main = int(np.argmax(np.where(inside, area, 0)))
    # Loose strokes of the same drawing, such as the bar of a 5, lie close to the rest.
    near = 0.15 * max(right[main] - left[main], bottom[main] - top[main])
    apart = np.maximum(
        np.maximum(left - right[main], left[main] - right),
        np.maximum(top - bottom[main], top[main] - bottom),
    )
    parts = inside & (apart <= near) & (area >= 0.1 * area[main])
    return Box(
        left=max(0, 2 * int(left[parts].min())),
        top=max(0, 2 * int(top[parts].min())),
        right=min(width, 2 * int(right[parts].max())),
        bottom=min(height, 2 * int(bottom[parts].max())),
    )


def fit_ink(strokes: NDArray[np.uint8], box: Box, height: int, width: int) -> NDArray[np.uint8]:
    """Shrink a drawing to MNIST's proportions and centre its mass.

    Args:
        strokes: uint8 [.., ..], from `ink`.
        box: the drawing in it.
        height: rows of the result.
        width: columns of the result.

    Returns:
        uint8 [height, width]: the longer side of the box takes 20/28 of the shorter side.
    """
    side = min(height, width)
    # Small tensors are composed at twice their size: half a pixel off centre matters there.
    factor = 2 if side < 28 else 1
    longest = max(1, round(_INK_BOX * side * factor))
    part = strokes[box.top : box.bottom, box.left : box.right]
    scale = longest / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    part = cv2.resize(part, size, interpolation=how)  # type: ignore[assignment]
    canvas = np.zeros((height * factor, width * factor), dtype=np.uint8)
    moments = cv2.moments(part)
    mass = max(moments["m00"], 1.0)
    top = _place(moments["m01"] / mass, part.shape[0], canvas.shape[0])
    left = _place(moments["m10"] / mass, part.shape[1], canvas.shape[1])
    # Thin strokes fade when they shrink: bring the brightest back to white.
    gain = min(4.0, 255.0 / max(1.0, float(part.max())))
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = cv2.convertScaleAbs(
        part, alpha=gain
    )
    if factor == 1:
        return canvas
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _place(centre: float, length: int, room: int) -> int:
    """Return where a part begins so that its centre of mass is in the middle, but all fits."""
    return min(max(0, round(room / 2 - 0.5 - centre)), room - length)


def _square(side: int) -> NDArray[np.uint8]:
    return np.ones((side, side), dtype=np.uint8)
