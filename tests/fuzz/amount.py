"""How much to try: `FUZZ=100` in the environment tries a hundred times as much, and other cases."""

import os
import random

FACTOR = int(os.environ.get("FUZZ", "1"))


def cases(usual: int) -> int:
    """Return how many cases to try where `usual` are tried with every run of the tests."""
    return usual * FACTOR


def source(name: str) -> random.Random:
    """Return a source of cases: the same in every run, another for each test and amount."""
    return random.Random(f"{name} {FACTOR}")
