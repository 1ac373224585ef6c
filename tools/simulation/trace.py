"""A trace: everything around the daemon, for as long as a run lasts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Trace:
    """What the board is exposed to, on a grid of steps; all arrays are [steps].

    Attributes:
        kind: what it tries: `bursts`, `leak`, …
        variant: what tells it from others of its kind; `` for the only one.
        load: scale of the foreign load.
        seed: of its noise, and of the sensors'.
        step_s: length of a step.
        foreign: what other programs would keep busy at full clock, as a share of all cores;
            above 1 some of them wait.
        neighbours_mib: memory of other programs.
        ambient_c: temperature of the surroundings.
        cooling: factor on the heat's gains: 1 as designed, more with a fan that failed.
        slowdown: factor on every window's time that nothing else explains.
        on_mains: whether the mains feed the board.
        battery_wh: a battery's energy when full, which it is at the start; None without one.
        noise: how noisy the sensors are, 1 being usual.
        lost: by signal, when its sensor cannot be read.
    """

    kind: str
    variant: str
    load: float
    seed: int
    step_s: float
    foreign: Floats
    neighbours_mib: Floats
    ambient_c: Floats
    cooling: Floats
    slowdown: Floats
    on_mains: Flags
    battery_wh: float | None = None
    noise: float = 1.0
    lost: dict[str, Flags] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.foreign)

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.steps * self.step_s

    @property
    def faulty(self) -> bool:
        """Whether its sensors are noisier than usual, or cannot always be read."""
        return self.noise > 1.0 or any(flags.any() for flags in self.lost.values())

    @property
    def name(self) -> str:
        """Kind, variant and load."""
        kind = f"{self.kind} {self.variant}".strip()
        return f"{kind} ×{self.load:g}"
