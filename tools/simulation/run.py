"""What happened in one run, step by step."""

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Log:
    """Takes notes of a run that goes on.

    Attributes:
        step_s: length of a step.
    """

    step_s: float
    _ranks: list[int] = field(default_factory=list)
    _values: list[tuple[float, float, float, int, float, float, float]] = field(
        default_factory=list
    )
    _polled: list[int] = field(default_factory=list)
    _switched: list[int] = field(default_factory=list)
    _moves: list[tuple[int, int]] = field(default_factory=list)

    def note(
        self,
        rank: int,
        utility: float,
        missed: float,
        temperature_c: float,
        stage: int,
        energy_wh: float,
        free_mib: float,
        load: float,
    ) -> None:
        """Take note of the next step; see `Run` for what is what."""
        self._ranks.append(rank)
        self._values.append((utility, missed, temperature_c, stage, energy_wh, free_mib, load))

    def poll(self, step: int) -> None:
        """Take note of a reading at the end of a step."""
        self._polled.append(step)

    def switch(self, step: int, before: int, after: int) -> None:
        """Take note of a change of tier at the end of a step."""
        self._switched.append(step)
        self._moves.append((before, after))

    def run(self) -> Run:
        """Return all of it."""
        tier = np.array(self._ranks, np.int8)
        values = np.array(self._values, np.float64).reshape(-1, 7)
        free_mib = values[:, 5]
        return Run(
            step_s=self.step_s,
            tier=tier,
            utility=values[:, 0],
            missed=values[:, 1],
            violated=(tier >= 0) & (free_mib < 0.0),
            temperature_c=values[:, 2],
            stage=values[:, 3].astype(np.int8),
            energy_wh=values[:, 4],
            free_mib=free_mib,
            load=values[:, 6],
            polled=np.array(self._polled, np.int64),
            switched=np.array(self._switched, np.int64),
            ranks=np.array(self._moves, np.int64).reshape(-1, 2),
        )
