"""Pictures to tensors: centre, grey, ink, size, range."""

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.ink import WORK_PX, drawing, fit_ink, ink
from edge_daemon.features.spec import ImageSpec

# The pictures are small: OpenCV's other threads would cost more in waking up than they save.
cv2.setNumThreads(1)


def centred(image: NDArray[np.uint8], aspect: float = 1.0) -> NDArray[np.uint8]:
    """Cut out the largest centred part whose width / height is `aspect`, without copying."""
    height, width = image.shape[:2]
    part_height = max(1, min(height, round(width / aspect)))
    part_width = max(1, min(width, round(height * aspect)))
    top, left = (height - part_height) // 2, (width - part_width) // 2
    return image[top : top + part_height, left : left + part_width]


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGR to ITU-R BT.601 luma, uint8 [height, width]; a grey picture is returned as it is."""
    if image.ndim == 2:
        return image
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a picture of shape {image.shape}: [height, width] or [.., 3] is needed")
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]


def reduce(image: NDArray[np.uint8], least_px: int) -> NDArray[np.uint8]:
    """Halve a grey picture while its shorter side stays at least `least_px`.

    Each step averages 2×2 pixels, the one area reduction for which OpenCV has vector code: two
    steps take a seventh of the time of one reduction by four.
    """
    while min(image.shape) >= 2 * least_px:
        height, width = image.shape[0] // 2, image.shape[1] // 2
        even = image[: 2 * height, : 2 * width]
        image = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return image


def work_px(specs: Iterable[ImageSpec]) -> int:
    """Return the shorter side that a picture must keep for all of these inputs.

    What is looked at is its largest part with an input's proportions: for an oblong input less
    than the shorter side.
    """
    return max(_least_px(spec) for spec in specs)


def _least_px(spec: ImageSpec) -> int:
    longer, shorter = max(spec.height, spec.width), min(spec.height, spec.width)
    return math.ceil(max(WORK_PX, shorter) * longer / shorter)


def shrink(image: NDArray[np.uint8], least_px: int) -> NDArray[np.uint8]:
    """Make a picture grey and no larger than is looked at.

    The first steps of `ImageFeatures`, which finds nothing left to do in them: so they can be
    taken where the picture is captured, on another core, and only the small result is kept.

    Args:
        image: uint8, [height, width] or [height, width, 3] BGR.
        least_px: from `work_px`.

    Returns:
        uint8 [height, width], its shorter side `least_px` to twice as much, or as it was.
    """
    return reduce(grey(image), least_px)


class ImageFeatures:
    """A picture to a model's image input."""

    def __init__(self, spec: ImageSpec) -> None:
        self._spec = spec
        low, high = spec.range
        self._scale = np.float32((high - low) / 255.0)
        self._low = np.float32(low)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the tensor.

        Args:
            image: uint8, [height, width] grey or [height, width, 3] BGR. Its largest centred part
                with the tensor's proportions is used.

        Returns:
            float32 [1, height, width, 1] in the spec's range. With contrast `ink` it is all black
            where nothing is drawn.
        """
        picture = self.picture(image)
        tensor = picture.astype(np.float32)
        tensor *= self._scale
        if self._low:
            tensor += self._low
        return tensor.reshape(1, *picture.shape, 1)

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Compute the same as uint8 [height, width], black 0 and white 255: what training keeps."""
        spec = self._spec
        part = grey(centred(image, spec.width / spec.height))
        if spec.contrast == "none":
            return _resize(reduce(part, min(spec.height, spec.width)), spec)
        strokes = ink(reduce(part, WORK_PX))
        if spec.fit == "frame":
            return _resize(strokes, spec)
        box = drawing(strokes)
        if box is None:
            return np.zeros((spec.height, spec.width), dtype=np.uint8)
        return fit_ink(strokes, box, spec.height, spec.width)


def _resize(image: NDArray[np.uint8], spec: ImageSpec) -> NDArray[np.uint8]:
    if image.shape == (spec.height, spec.width):
        return image
    shrinks = image.shape[0] >= spec.height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (spec.width, spec.height), interpolation=how)  # type: ignore[return-value]
