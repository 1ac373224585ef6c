"""What happened in one run, step by step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """One policy on one trace; all arrays are [steps] but those of polls and switches.

    Attributes:
        step_s: length of a step.
        tier: rank of the tier that ran, int8; -1 while the board was off.
        utility: accuracy times the share of windows on time, 0 where nothing was answered.
        missed: share of the step's windows that came too late or, in a stall, not at all.
        violated: whether memory was short, bool.
        temperature_c: at the end of the step.
        stage: of throttling, int8.
        energy_wh: left in the battery.
        free_mib: memory that was left.
        load: busy share of all cores.
        polled: number of each step at whose end the policy was asked.
        switched: number of each step at whose end the tier changed.
        ranks: [switches, 2] tier before and after each switch.
    """

    step_s: float
    tier: NDArray[np.int8]
    utility: NDArray[np.float64]
    missed: NDArray[np.float64]
    violated: NDArray[np.bool_]
    temperature_c: NDArray[np.float64]
    stage: NDArray[np.int8]
    energy_wh: NDArray[np.float64]
    free_mib: NDArray[np.float64]
    load: NDArray[np.float64]
    polled: NDArray[np.int64]
    switched: NDArray[np.int64]
    ranks: NDArray[np.int64]
