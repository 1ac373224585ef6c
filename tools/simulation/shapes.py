"""Signals that traces are made of; each is float64 [steps] on a grid of `step_s`."""

import math

import numpy as np

from tools.simulation.trace import Floats


def wander(random: np.random.Generator, steps: int, step_s: float, tau_s: float) -> Floats:
    """Return an AR(1) process with mean 0 and variance 1 that forgets within `tau_s`."""
    keep = math.exp(-step_s / tau_s)
    shocks = (math.sqrt(1.0 - keep * keep) * random.standard_normal(steps)).tolist()
    value = float(random.standard_normal())
    values = []
    for shock in shocks:
        value = keep * value + shock
        values.append(value)
    return np.array(values)


def square(steps: int, step_s: float, period_s: float) -> Floats:
    """Return 0 for the first half of each period and 1 for the second."""
    at_s = np.arange(steps) * step_s
    return ((at_s % period_s) >= period_s / 2.0).astype(np.float64)


def bursts(
    random: np.random.Generator,
    steps: int,
    step_s: float,
    on_s: float,
    off_s: float,
    alpha: float = 1.5,
    longest_s: float = 600.0,
) -> Floats:
    """Return 1 in bursts and 0 between them, both with Pareto's heavy tails.

    Args:
        random: where lengths come from.
        steps: length of the signal.
        step_s: of a step.
        on_s: shortest burst.
        off_s: shortest pause.
        alpha: exponent of the tail; at 1.5 (Willinger et al. 1997 found 1.2 to 1.7 in traffic).
        longest_s: what the tail is cut off at.
    """
    values = np.zeros(steps)
    step, burst = 0, False
    while step < steps:
        least_s = on_s if burst else off_s
        length_s = min(longest_s, least_s * (1.0 + random.pareto(alpha)))
        end = step + max(1, round(length_s / step_s))
        values[step:end] = float(burst)
        step, burst = end, not burst
    return values


def events(
    random: np.random.Generator, steps: int, step_s: float, every_s: float, length_s: float
) -> Floats:
    """Return 1 for `length_s` at moments that come by chance every `every_s` on average."""
    values = np.zeros(steps)
    at_s = random.exponential(every_s)
    while at_s < steps * step_s:
        first = int(at_s / step_s)
        values[first : first + max(1, round(length_s / step_s))] = 1.0
        at_s += length_s + random.exponential(every_s)
    return values


def ramped(values: Floats, step_s: float, rise_s: float) -> Floats:
    """Return the signal with its jumps made into slopes: a moving mean of the past `rise_s`."""
    width = max(1, round(rise_s / step_s))
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    total = np.cumsum(np.concatenate([[0.0], padded]))
    return np.asarray((total[width:] - total[:-width]) / width)


def day(steps: int, step_s: float, day_s: float, begins: float) -> Floats:
    """Return a day's course with mean 1: quiet nights, a morning and a broader evening.

    Args:
        steps: length of the signal.
        step_s: of a step.
        day_s: length of a day.
        begins: share of the day at which the signal begins; 0 is midnight.
    """
    turn = 2.0 * math.pi * (np.arange(steps) * step_s / day_s + begins)
    return np.asarray(1.0 - 0.55 * np.cos(turn) - 0.30 * np.cos(2.0 * turn - 0.6))
