"""Further views of a photograph, as a hand-held camera in other light would have taken it."""

import cv2
import numpy as np
from numpy.typing import NDArray


def snapshot(picture: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Photograph what a picture shows once more.

    Turned by up to 8°, 12 % nearer or farther, shifted by up to 5 %, leaning a little; lit from
    one side by up to 25 %, brighter or darker by up to 30 %, at times out of focus, with noise.

    Args:
        picture: uint8 [side, side], grey.
        random: the source of all choices.

    Returns:
        uint8 [side, side]; where the camera would look past the picture, its border goes on.
    """
    side = picture.shape[0]
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    angle = np.deg2rad(random.uniform(-8.0, 8.0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = corners @ turn.T * random.uniform(0.88, 1.12) + random.uniform(-0.05, 0.05, 2)
    moved += random.uniform(-0.02, 0.02, corners.shape)
    matrix = cv2.getPerspectiveTransform(
        ((corners + 0.5) * side).astype(np.float32), ((moved + 0.5) * side).astype(np.float32)
    )
    seen = cv2.warpPerspective(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    light = _light(side, random) * np.float32(random.uniform(0.7, 1.3))
    shot = seen.astype(np.float32) * light
    if random.random() < 0.5:
        shot = cv2.GaussianBlur(shot, (0, 0), random.uniform(0.3, 1.0) * side / 96)
    sigma = np.float32(random.uniform(0.0, 5.0))
    shot = shot + random.standard_normal(shot.shape, dtype=np.float32) * sigma
    return np.clip(np.rint(shot), 0.0, 255.0).astype(np.uint8)


def _light(side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Draw a light that falls off to one side: float32 [side, side] around 1."""
    axis = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    angle, strength = random.uniform(0.0, 2.0 * np.pi), random.uniform(0.0, 0.25)
    across, down = np.float32(strength * np.cos(angle)), np.float32(strength * np.sin(angle))
    light: NDArray[np.float32] = np.float32(1.0) + across * axis + down * axis[:, None]
    return light
