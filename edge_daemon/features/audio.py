"""Log-mel columns to the tensor of the newest sound."""

import numpy as np
from numpy.typing import NDArray

from edge_daemon.features.onset import find_onset
from edge_daemon.features.spec import AudioSpec


def audio_tensor(
    columns_db: NDArray[np.float32], spec: AudioSpec
) -> tuple[NDArray[np.float32], bool]:
    """Cut the newest sound out of a spectrogram and scale it.

    Args:
        columns_db: float32 [at most span, kept bands] in decibels, oldest first.
        spec: which columns, and the decibels that become 0 and 1.

    Returns:
        float32 [1, columns, kept bands, 1] in 0 to 1, and whether there is a sound with an onset.
        Without one all values are 0; so are the columns before the span and those not heard yet.
    """
    onset = find_onset(columns_db)
    if onset is None:
        return np.zeros((1, spec.columns, spec.kept_bands, 1), dtype=np.float32), False
    return cut_tensor(columns_db, onset, spec), True


def cut_tensor(columns_db: NDArray[np.float32], onset: int, spec: AudioSpec) -> NDArray[np.float32]:
    """Cut the sound that begins at a known column out of a spectrogram and scale it.

    Args:
        columns_db: float32 [at most span, kept bands] in decibels, oldest first.
        onset: the column where the sound begins.
        spec: as for `audio_tensor`.

    Returns:
        float32 [1, columns, kept bands, 1] in 0 to 1.
    """
    tensor = np.zeros((1, spec.columns, spec.kept_bands, 1), dtype=np.float32)
    first = onset - spec.lead
    # The first column of the tensor that lies inside the span.
    skipped = -(min(first, 0) // spec.stride)
    start = first + skipped * spec.stride
    stop = max(start, first + spec.columns * spec.stride)
    taken = columns_db[start : stop : spec.stride]
    low_db, high_db = spec.range_db
    # Over all that followed, not only what is taken: a shorter tensor is a prefix of a longer one.
    zero_db = float(columns_db[start:].max()) + low_db
    scaled = tensor[0, skipped : skipped + len(taken), :, 0]
    np.subtract(taken, np.float32(zero_db), out=scaled)
    np.multiply(scaled, np.float32(1.0 / (high_db - low_db)), out=scaled)
    np.maximum(scaled, np.float32(0.0), out=scaled)
    np.minimum(scaled, np.float32(1.0), out=scaled)
    return tensor
