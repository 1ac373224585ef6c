"""Checkpoints: a killed run goes on after its last whole epoch as if nothing had happened."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all: a kill in the middle leaves the previous one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint; None where there is none yet."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


class CheckpointError(Exception):
    """A checkpoint belongs to a run with other settings; the text names it and the remedy."""


class Progressing:
    """What changes from epoch to epoch: weights, optimiser, schedule, random numbers, position.

    Args:
        path: the checkpoint's file.
        network: its weights and running statistics.
        optimiser: its moments.
        schedule: its position.
        generator: the source of order and augmentation. Torch's own, of dropout and of weights
            that are made later, is kept beside it.
        settings: seed, schedule and amount of data, which a run must share to be gone on with.
    """

    def __init__(
        self,
        path: Path,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
        settings: dict[str, float],
    ) -> None:
        self.path = path
        self.network = network
        self.optimiser = optimiser
        self.schedule = schedule
        self.generator = generator
        self.settings = settings

    def save(self, epochs_done: int) -> None:
        """Write everything after an epoch."""
        state = {
            "epochs_done": epochs_done,
            "settings": self.settings,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
        }
        save_checkpoint(self.path, state)

    def restore(self) -> int:
        """Take everything back and return the epochs that were done, 0 for a new run.

        Raises:
            CheckpointError: it is the checkpoint of another run.
        """
        state = load_checkpoint(self.path)
        if state is None:
            return 0
        if state.get("settings") != self.settings:
            raise CheckpointError(
                f"{self.path}: of a run with {state.get('settings')}, not {self.settings}; "
                "remove it, or name another --run"
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        if "torch" in state:  # not in those of earlier versions
            torch.set_rng_state(state["torch"])
        return int(state["epochs_done"])
