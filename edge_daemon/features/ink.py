"""Dark strokes on unevenly lit paper to bright strokes on black, centred."""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_PX = 96
"""Ink is looked for in pictures of this side up to twice as much."""

_LEAST_CONTRAST = 48
"""Of 255: strokes less dark than this against their paper are not ink."""

_LEAST_LIGHT = np.uint8(24)
"""Of 255: where paper is darker, nothing can be told apart."""

_INK_BOX = 20 / 28
"""The longer side of a fitted drawing over the side of the picture, as in MNIST."""


_JOIN = np.ones((3, 3), dtype=np.uint8)


class Box(NamedTuple):
    """Where a drawing is, in pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def longest(self) -> int:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)

    def gap(self, other: "Box") -> int:
        """Pixels between two boxes along the axis on which they are further apart."""
        return max(
            self.left - other.right,
            other.left - self.right,
            self.top - other.bottom,
            other.top - self.bottom,
        )


def ink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Measure how much darker than the paper around it each pixel is.

    The paper is what a morphological closing, wider than any stroke, makes of the picture; the
    share of the light that is missing does not depend on how much there is (Retinex with a maximum
    envelope). Only beside the border may a steep light gradient pass for ink; `drawing` leaves
    out what touches the border.

    Args:
        image: uint8 [height, width], grey.

    Returns:
        uint8 [height, width]: 0 paper, 255 the darkest strokes; all 0 where no stroke is clearly
        darker than the paper, so that noise is never amplified.
    """
    height, width = image.shape
    small = (max(1, width // 2), max(1, height // 2))
    tiny = (max(1, width // 4), max(1, height // 4))
    smooth = cv2.resize(image, tiny, interpolation=cv2.INTER_AREA)
    reach = max(3, min(tiny) // 4) | 1
    paper = cv2.blur(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, _square(reach)), (3, 3))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    light = np.maximum(paper, _LEAST_LIGHT)
    darkness = cv2.divide(cv2.subtract(paper, image), light, scale=255.0)
    # The contrast of the strokes, blind to single pixels.
    peak = int(cv2.resize(darkness, small, interpolation=cv2.INTER_AREA).max())
    if peak < _LEAST_CONTRAST:
        return np.zeros_like(image)
    return cv2.LUT(darkness, _stretch(peak))  # type: ignore[return-value]


@cache
def _stretch(peak: int) -> NDArray[np.uint8]:
    """Return a table that makes 0.3 of the strokes' darkness black and 0.8 of it white."""
    above = np.maximum(np.arange(256) - round(0.3 * peak), 0)
    stretched: NDArray[np.uint8] = np.minimum(np.rint(above * (255.0 / (0.5 * peak))), 255).astype(
        np.uint8
    )
    return stretched


def drawing(strokes: NDArray[np.uint8]) -> Box | None:
    """Find the drawing: the largest connected ink that does not touch the border, and its parts.

    What touches the border is a hand, the edge of the paper or the table.

    Args:
        strokes: uint8 [height, width], from `ink`.

    Returns:
        Its box, or None where there is nothing.
    """
    height, width = strokes.shape
    rows, columns = max(1, height // 2), max(1, width // 2)
    small = cv2.resize(strokes, (columns, rows), interpolation=cv2.INTER_AREA)
    _, mask = cv2.threshold(small, 96, 255, cv2.THRESH_BINARY)
    # Join what is hardly apart, but nothing to the border.
    joined = cv2.dilate(mask, _JOIN)
    joined[0], joined[-1] = mask[0], mask[-1]
    joined[:, 0], joined[:, -1] = mask[:, 0], mask[:, -1]
    # Outer outlines and holes, on two levels: a sheet's dark border encloses the drawing.
    outlines, tree = cv2.findContours(joined, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    least = 0.1 * max(rows, columns)
    boxes = []
    for number, outline in enumerate(outlines):
        if tree[0, number, 3] >= 0:
            continue  # a hole
        left, top, across, down = cv2.boundingRect(outline)
        box = Box(left, top, left + across, top + down)
        inside = left > 0 and top > 0 and box.right < columns and box.bottom < rows
        if inside and max(across, down) >= least:
            boxes.append(box)
    if not boxes:
        return None
    main = max(boxes, key=lambda box: box.longest)
    # Loose strokes of the same drawing, such as the bar of a 5, lie close to the rest.
    parts = [box for box in boxes if box.gap(main) <= 0.15 * main.longest]
    return Box(
        left=2 * min(box.left for box in parts),
        top=2 * min(box.top for box in parts),
        right=min(width, 2 * max(box.right for box in parts)),
        bottom=min(height, 2 * max(box.bottom for box in parts)),
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
