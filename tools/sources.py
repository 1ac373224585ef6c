"""Where a command's data come from, and the options that all commands share."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tools.dataset import Dataset, Folders, ProtocolName, Split, load
from tools.generated import generated

SMOKE_SIZES: dict[Split, int] = {
    "train": 600,
    "validation": 200,
    "validation_last": 200,
    "test": 200,
}


@dataclass(frozen=True)
class Sources:
    """The data sets, or their generated stand-in.

    Attributes:
        folders: of the three data sets; None for generated data.
        voices: whether synthetic words widen what is heard in training.
    """

    folders: Folders | None
    voices: bool = True

    def load(self, protocol: ProtocolName, split: Split) -> Dataset:
        """Make or read one split of one protocol."""
        if self.folders is None:
            return generated(SMOKE_SIZES[split], seed=sorted(SMOKE_SIZES).index(split))
        return load(protocol, split, self.folders, voices=self.voices)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where data and results lie."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="a directory with the folders mnist, fsdd, noise")
    data.add_argument("--smoke", action="store_true", help="generated data, under a minute")
    parser.add_argument("--no-voices", action="store_true", help="train without synthetic words")
    parser.add_argument(
        "--run", type=Path, help="directory of checkpoints and records, by default runs/TASK"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads for torch; equal ones give equal models"
    )


def sources_from(options: argparse.Namespace) -> Sources:
    """Return the data that the options name."""
    if options.smoke:
        return Sources(None)
    folders = Folders(options.data / "mnist", options.data / "fsdd", options.data / "noise")
    return Sources(folders, not options.no_voices)
