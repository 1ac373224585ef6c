"""A sheet of paper on a desk with a digit drawn on it, held by hand under a moving light."""

import cv2
import numpy as np
from numpy.typing import NDArray

_SHEET_PX = 480
_SCALE = 2
"""Frames are drawn at twice their size and reduced."""

Stroke = tuple[tuple[float, float], ...]

STROKES: dict[int, tuple[Stroke, ...]] = {
    0: (
        (
            (0.5, 0.02),
            (0.23, 0.16),
            (0.15, 0.55),
            (0.33, 0.93),
            (0.64, 0.94),
            (0.84, 0.55),
            (0.77, 0.18),
            (0.5, 0.02),
        ),
    ),
    1: (((0.25, 0.25), (0.42, 0.15), (0.55, 0.02)), ((0.55, 0.02), (0.54, 0.5), (0.52, 0.98))),
    2: (
        ((0.17, 0.25), (0.35, 0.04), (0.68, 0.06), (0.76, 0.3), (0.5, 0.62), (0.14, 0.95)),
        ((0.14, 0.95), (0.5, 0.92), (0.86, 0.94)),
    ),
    3: (
        ((0.2, 0.12), (0.5, 0.01), (0.78, 0.18), (0.65, 0.4), (0.42, 0.47)),
        ((0.42, 0.47), (0.76, 0.56), (0.8, 0.82), (0.5, 0.99), (0.16, 0.86)),
    ),
    4: (
        ((0.55, 0.02), (0.3, 0.35), (0.1, 0.64)),
        ((0.1, 0.64), (0.5, 0.63), (0.9, 0.6)),
        ((0.68, 0.3), (0.66, 0.65), (0.64, 0.99)),
    ),
    5: (
        ((0.8, 0.04), (0.5, 0.04), (0.27, 0.06)),
        ((0.27, 0.06), (0.24, 0.25), (0.22, 0.42)),
        ((0.22, 0.42), (0.55, 0.36), (0.82, 0.55), (0.74, 0.88), (0.42, 0.99), (0.14, 0.88)),
    ),
    6: (
        (
            (0.7, 0.02),
            (0.4, 0.2),
            (0.2, 0.55),
            (0.28, 0.9),
            (0.6, 0.98),
            (0.8, 0.75),
            (0.62, 0.5),
            (0.35, 0.58),
            (0.23, 0.74),
        ),
    ),
    7: (
        ((0.12, 0.06), (0.5, 0.05), (0.85, 0.05)),
        ((0.85, 0.05), (0.6, 0.45), (0.4, 0.99)),
    ),
    8: (
        (
            (0.72, 0.12),
            (0.45, 0.0),
            (0.24, 0.2),
            (0.46, 0.45),
            (0.76, 0.7),
            (0.6, 0.97),
            (0.3, 0.93),
            (0.24, 0.68),
            (0.52, 0.44),
            (0.76, 0.25),
            (0.72, 0.12),
        ),
    ),
    9: (
        ((0.76, 0.2), (0.5, 0.02), (0.22, 0.16), (0.26, 0.42), (0.55, 0.48), (0.76, 0.2)),
        ((0.76, 0.2), (0.74, 0.6), (0.62, 0.99)),
    ),
}
"""The strokes of each digit as points on a curve, in a box from 0 to 1, downwards."""


class Sheet:
    """Photographs a sheet at any time; the same seed gives the same pictures."""

    def __init__(self, width_px: int, height_px: int, seed: int) -> None:
        self._size = (width_px, height_px)
        self._seed = seed
        self._random = np.random.default_rng((seed, 2))
        grain = self._random.normal(0.0, 1.0, (height_px * _SCALE, width_px * _SCALE, 1))
        wood = np.asarray(cv2.GaussianBlur(grain.astype(np.float32), (0, 0), 40.0, sigmaY=2.0))
        wood = 1.0 + 0.25 * wood / float(np.abs(wood).max())
        self._desk = np.array([58.0, 82.0, 112.0], np.float32) * wood[..., None]

    def photograph(self, label: int | None, time_s: float) -> NDArray[np.uint8]:
        """Return a frame, uint8 [height, width, 3] BGR; a label of None leaves the sheet empty."""
        width, height = self._size[0] * _SCALE, self._size[1] * _SCALE
        sheet = np.full((_SHEET_PX, _SHEET_PX, 3), (226.0, 238.0, 242.0), dtype=np.float32)
        if label is not None:
            cover = draw(label, _SHEET_PX, np.random.default_rng((self._seed, 3, label)))
            sheet += cover[..., None] * (np.array([92.0, 48.0, 40.0], np.float32) - sheet)
        matrix = self._pose(width, height, time_s)
        inside = cv2.warpPerspective(np.ones(sheet.shape[:2], np.float32), matrix, (width, height))
        seen = cv2.warpPerspective(sheet, matrix, (width, height), flags=cv2.INTER_AREA)
        shadow = cv2.GaussianBlur(inside, (0, 0), 6.0)[..., None]
        desk = self._desk * (1.0 - 0.35 * shadow)
        picture = desk * (1.0 - inside[..., None]) + seen * inside[..., None]
        picture *= self._light(width, height, time_s)[..., None]
        picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        # Noise of its own in every frame, the same in every run.
        random = np.random.default_rng((self._seed, 4, round(time_s * 1000)))
        picture += random.standard_normal(picture.shape[:2], dtype=np.float32)[..., None] * 1.5
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

    def _pose(self, width: int, height: int, time_s: float) -> NDArray[np.float64]:
        """Where the sheet is: it sways by a few pixels and leans a little, as in a hand."""
        sway = np.array([np.sin(1.9 * time_s) + 0.5 * np.sin(5.3 * time_s), np.cos(2.3 * time_s)])
        angle = np.deg2rad(2.5 * np.sin(0.8 * time_s) + 0.6 * np.sin(4.1 * time_s))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        lean = 1.0 + 0.03 * np.sin(0.6 * time_s) * np.array([1.0, -1.0, -1.0, 1.0])[:, None]
        half = 0.93 * height
        placed = (corners * lean) @ turn.T * half + np.array([width, height]) / 2
        placed += sway * height * 0.008
        source = (corners + 0.5) * _SHEET_PX
        matrix = cv2.getPerspectiveTransform(source.astype(np.float32), placed.astype(np.float32))
        return np.asarray(matrix, dtype=np.float64)

    def _light(self, width: int, height: int, time_s: float) -> NDArray[np.float32]:
        """A lamp that wanders, brighter on its side: float32 [height, width]."""
        across = np.linspace(-0.5, 0.5, width, dtype=np.float32)
        down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
        angle = 0.4 * time_s
        gradient = across * np.float32(np.cos(angle)) + down * np.float32(np.sin(angle))
        strength = np.float32(0.35 + 0.1 * np.sin(0.5 * time_s))
        vignette = np.float32(0.25) * (across**2 + down**2)
        return np.asarray(0.86 + strength * gradient - vignette, dtype=np.float32)


def draw(label: int, side_px: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Draw a digit with a felt pen: float32 [side, side], 1 where the ink covers."""
    canvas = np.zeros((side_px, side_px), dtype=np.uint8)
    height = 0.62 * side_px
    slant = random.uniform(-0.05, 0.12)
    pen = int(side_px * random.uniform(0.05, 0.065))
    for stroke in STROKES[label]:
        points = np.array(stroke) + random.uniform(-0.015, 0.015, (len(stroke), 2))
        curve = catmull_rom(points)
        curve[:, 0] = (curve[:, 0] - 0.5) * 0.72 + slant * (0.5 - curve[:, 1])
        curve[:, 1] -= 0.5
        pixels = np.rint((curve * height + side_px / 2) * 16).astype(np.int32)
        cv2.polylines(canvas, [pixels], False, 255, pen, cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(canvas, (0, 0), 1.2).astype(np.float32) / np.float32(255.0)


def catmull_rom(points: NDArray[np.float64], steps: int = 16) -> NDArray[np.float64]:
    """Draw a smooth curve through points (Catmull and Rom, 1974).

    Args:
        points: float64 [n, 2], n at least 2.
        steps: pieces between two points.

    Returns:
        float64 [(n − 1)·steps + 1, 2], beginning and ending at the first and last point.
    """
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = (np.arange(steps) / steps)[:, None]
    pieces = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * start
                + (end - before) * t
                + (2 * before - 5 * start + 4 * end - after) * t**2
                + (3 * start - before - 3 * end + after) * t**3
            )
        )
    return np.concatenate([*pieces, points[-1:]])
