"""Where training runs: on a GPU where there is one."""

import torch


def device() -> torch.device:
    """Return the first GPU, or else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
