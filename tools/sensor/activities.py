"""Recordings of an accelerometer made by code: at rest, walking, shaken."""

import numpy as np
from numpy.typing import NDArray

ACTIVITIES = ("resting", "walking", "shaking")

GRAVITY = 9.81
"""In m/s², as the recordings are."""


def recording(
    activity: str, duration_s: float, rate_hz: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Make a recording of one activity by a sensor that is held anyhow.

    Walking has about two steps a second and their overtone, shaking about five turns; how strong
    and how fast differs from recording to recording, and the strengths of the two overlap.

    Args:
        activity: one of `ACTIVITIES`.
        duration_s: how long.
        rate_hz: samples a second.
        random: what differs.

    Returns:
        float32 [duration_s · rate_hz, 3] in m/s², gravity included.

    Raises:
        ValueError: another activity.
    """
    seconds = np.arange(round(duration_s * rate_hz)) / rate_hz
    match activity:
        case "resting":
            course = np.zeros_like(seconds)
        case "walking":
            steps_hz, strength = random.uniform(1.7, 2.3), random.uniform(2.0, 6.0)
            course = strength * (swing(seconds, steps_hz, random))
            course += 0.4 * strength * swing(seconds, 2.0 * steps_hz, random)
        case "shaking":
            turns_hz, strength = random.uniform(4.3, 5.7), random.uniform(3.0, 12.0)
            course = strength * swing(seconds, turns_hz, random)
        case _:
            raise ValueError(f"no activity {activity}; there are {', '.join(ACTIVITIES)}")
    held = GRAVITY * direction(random) + course[:, None] * direction(random)
    noise = random.normal(0.0, random.uniform(0.02, 0.3), (len(seconds), 3))
    return (held + noise).astype(np.float32)


def swing(
    seconds: NDArray[np.float64], frequency_hz: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return a sine of amplitude 1 that begins anywhere."""
    return np.sin(2.0 * np.pi * (frequency_hz * seconds + random.random()))


def direction(random: np.random.Generator) -> NDArray[np.float64]:
    """Return a unit vector, all directions being as likely."""
    vector = random.normal(size=3)
    return vector / np.linalg.norm(vector)
