"""A digit on a sheet of paper, photographed: light, perspective, blur, noise, JPEG."""

import cv2
import numpy as np
from numpy.typing import NDArray

_GLYPH_PX = 112
_SIDES_PX = (96, 112, 128, 144, 160)


def photograph(digit: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph a digit.

    Grey, as the features see it: coloured ink and paper differ from black and white by their
    luma alone.

    Args:
        digit: uint8 [28, 28], bright on black, centred as in MNIST.
        random: the source of all choices.

    Returns:
        uint8 [side, side], side 96 to 160: dark ink on light paper.
    """
    side = int(random.choice(_SIDES_PX))
    cover = _place(_pen(digit, random), side, random)
    ink = random.uniform(0.05, 0.4) if random.random() < 0.9 else random.uniform(0.4, 0.6)
    grain = 1.0 - random.uniform(0.0, 0.25) * _clouds(side, 24, random)
    reflectance = 1.0 - cover * grain * np.float32(1.0 - ink)
    _clutter(reflectance, random)
    picture = reflectance * _light(side, random) * np.float32(random.uniform(110.0, 250.0))
    picture = _blur(picture, random)
    sigma = np.float32(random.uniform(0.5, 6.0))
    picture += random.standard_normal(picture.shape, dtype=np.float32) * sigma
    shot = np.clip(picture, 0.0, 255.0).astype(np.uint8)
    if random.random() < 0.8:
        quality = int(random.integers(40, 96))
        _, data = cv2.imencode(".jpg", shot, [cv2.IMWRITE_JPEG_QUALITY, quality])
        shot = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)  # type: ignore[assignment]
    return shot


def blank_sheet(random: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph a sheet on which nothing is drawn."""
    return photograph(np.zeros((28, 28), dtype=np.uint8), random)


def _pen(digit: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float32]:
    """Draw the digit again with another pen: float32 [112, 112], 0 to 1."""
    large = cv2.resize(digit, (_GLYPH_PX, _GLYPH_PX), interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), 1.6)
    level = random.uniform(60.0, 150.0)
    sharp = (large.astype(np.float32) - np.float32(level)) * np.float32(1.0 / 24.0)
    cover = np.clip(sharp + np.float32(0.5), 0.0, 1.0)
    wider = int(random.integers(-1, 4))
    if wider > 0:
        round_pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wider + 1, 2 * wider + 1))
        cover = cv2.dilate(cover, round_pen)
    return cover.astype(np.float32, copy=False)


def _place(
    cover: NDArray[np.float32], side: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Turn, slant, tilt, scale and shift, so that all of it is in view: float32 [side, side]."""
    glyph = _GLYPH_PX * 20 / 28  # the box that MNIST's digits fill
    size = random.uniform(0.28, 0.85) * side
    angle = np.deg2rad(random.uniform(-12.0, 12.0))
    slant, aspect = random.uniform(-0.12, 0.12), random.uniform(0.88, 1.14)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.array([[aspect, slant], [0.0, 1.0]])
    corners = _bounds(cover)
    outline = (corners - _GLYPH_PX / 2) @ shape.T * (size / glyph)
    outline += random.uniform(-0.04, 0.04, outline.shape) * size
    margin = 0.06 * side
    extent = np.ptp(outline, axis=0)
    scale = min(1.0, (side - 2 * margin) / float(extent.max()))
    outline *= scale
    free = side - 2 * margin - extent * scale
    outline += margin - outline.min(axis=0) + random.uniform(0.0, 1.0, 2) * free
    scale *= size / glyph
    if scale < 0.8:
        cover = cv2.GaussianBlur(cover, (0, 0), 0.45 / scale)  # type: ignore[assignment]
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), outline.astype(np.float32))
    return cv2.warpPerspective(cover, matrix, (side, side), flags=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _bounds(cover: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the corners of the box around the ink, float64 [4, 2] as x and y; never empty."""
    rows = np.flatnonzero(cover.max(axis=1) > 0.3)
    columns = np.flatnonzero(cover.max(axis=0) > 0.3)
    top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (16, 96)
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (16, 96)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def _light(side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A light gradient, uneven paper and, at times, a soft shadow: float32 [side, side]."""
    light = np.float32(1.0) - np.float32(random.uniform(0.0, 0.55)) * _ramp(side, random)
    light *= np.float32(1.0) - np.float32(0.04) * _clouds(side, 6, random)
    if random.random() < 0.35:
        width, at = random.uniform(0.04, 0.3), random.uniform(0.2, 0.8)
        edge = np.clip((_ramp(side, random) - np.float32(at)) / np.float32(width) + 0.5, 0.0, 1.0)
        light *= np.float32(1.0) - np.float32(random.uniform(0.1, 0.5)) * edge
    return light.astype(np.float32, copy=False)


def _clutter(reflectance: NDArray[np.float32], random: np.random.Generator) -> None:
    """Draw ruled lines, dirt, a finger at the border and the table beside the sheet, at times."""
    side = len(reflectance)
    if random.random() < 0.12:
        pitch, first = int(random.integers(8, 24)), int(random.integers(0, 8))
        darkness = np.float32(random.uniform(0.82, 0.95))
        reflectance[first::pitch] *= darkness
        if random.random() < 0.5:
            reflectance[:, first::pitch] *= darkness
    if random.random() < 0.2:
        for _ in range(int(random.integers(1, 5))):
            at = random.integers(0, side, 2)
            radius = max(1, round(random.uniform(0.004, 0.016) * side))
            cv2.circle(reflectance, (int(at[0]), int(at[1])), radius, random.uniform(0.2, 0.8), -1)
    if random.random() < 0.12:
        along = random.uniform(0.0, 1.0) * side
        border = (along, 0.0) if random.random() < 0.5 else (0.0, along)
        if random.random() < 0.5:
            border = (side - border[0], side - border[1])
        size = (random.uniform(0.03, 0.09) * side, random.uniform(0.05, 0.14) * side)
        cv2.ellipse(
            reflectance,
            (border, (2 * size[0], 2 * size[1]), random.uniform(0.0, 180.0)),
            random.uniform(0.3, 0.8),
            -1,
        )
    if random.random() < 0.25:
        edge = round(random.uniform(0.01, 0.035) * side)
        table = random.uniform(0.1, 1.1)
        mask = np.ones((side, side), dtype=np.uint8)
        slack = random.uniform(-0.01, 0.01, (4, 2)) * side
        inner = np.array(
            [[edge, edge], [side - edge, edge], [side - edge] * 2, [edge, side - edge]]
        )
        cv2.fillConvexPoly(mask, np.rint(inner + slack).astype(np.int32), 0)
        reflectance[mask == 1] = table


def _blur(picture: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Defocus and, at times, motion."""
    sigma = random.uniform(0.0, 1.2)
    if sigma > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)  # type: ignore[assignment]
    if random.random() < 0.25:
        length = int(random.integers(2, 6))
        kernel = np.zeros((length, length), dtype=np.float32)
        angle = random.uniform(0.0, np.pi)
        middle = (length - 1) / 2
        for along in np.linspace(-middle, middle, 2 * length):
            row, column = middle + along * np.sin(angle), middle + along * np.cos(angle)
            kernel[round(row), round(column)] = 1.0
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())  # type: ignore[assignment]
    return picture


def _ramp(side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A plane from 0 to 1 in a random direction, float32 [side, side]."""
    angle = random.uniform(0.0, 2.0 * np.pi)
    across = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    plane = np.float32(np.cos(angle)) * across + np.float32(np.sin(angle)) * across[:, None]
    plane -= plane.min()
    plane /= plane.max()
    return plane


def _clouds(side: int, cells: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise between 0 and 1, float32 [side, side], with blobs of side / cells."""
    coarse = random.random((cells, cells), dtype=np.float32)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
