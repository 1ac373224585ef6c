"""What a pipeline makes of one window."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Scores(NamedTuple):
    """What a pipeline makes of one window.

    Attributes:
        probabilities: float32 [labels], summing to 1.
        image_used: whether there was a picture.
        audio_used: whether there was a sound with an onset.
        image_ns: monotonic capture time of the picture; None where none was used.
        audio_ns: monotonic capture time of the newest sample; None where no sound was used.
        reused: whether picture and sound were compared with those of an earlier window, found to
            be the same, and the probabilities are that window's.
        kept_picture: whether the features of an earlier picture served, as they always do where
            scores are reused; only a window without says what its tier costs.
    """

    probabilities: NDArray[np.float32]
    image_used: bool
    audio_used: bool
    image_ns: int | None
    audio_ns: int | None
    reused: bool = False
    kept_picture: bool = False
