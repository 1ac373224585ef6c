"""How a camera's picture becomes the upright part that matters."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Region(NamedTuple):
    """A part of the upright picture, in fractions of its width and height from the top left."""

    x: float
    y: float
    width: float
    height: float


class Pose:
    """Rotation, then region of interest.

    Args:
        rotate_deg: 0, 90, 180 or 270, clockwise.
        region: the part of the rotated picture to keep; None for all of it.
    """

    def __init__(self, rotate_deg: int = 0, region: Region | None = None) -> None:
        if rotate_deg not in (0, 90, 180, 270):
            raise ValueError(f"a picture is rotated by 0, 90, 180 or 270 degrees, not {rotate_deg}")
        if region is not None:
            x, y, width, height = region
            if not (0 <= x < x + width <= 1 and 0 <= y < y + height <= 1):
                raise ValueError(f"a region lies within 0 to 1 and is not empty: {tuple(region)}")
        self.rotate_deg = rotate_deg
        self.region = region

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright region of `image`, uint8 [height, width(, 3)], C-contiguous."""
        # Both steps are views; only what is kept is copied, and a whole upright picture is not.
        upright = np.rot90(image, -self.rotate_deg // 90) if self.rotate_deg else image
        if self.region is not None:
            height, width = upright.shape[:2]
            left, top = int(self.region.x * width), int(self.region.y * height)
            right = max(left + 1, round((self.region.x + self.region.width) * width))
            bottom = max(top + 1, round((self.region.y + self.region.height) * height))
            upright = upright[top:bottom, left:right]
        return np.ascontiguousarray(upright)
