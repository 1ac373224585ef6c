"""Where a command's data come from, and the options that all commands share."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from msgspec.structs import replace

from tools.dataset import Dataset, DatasetError, Folders, ProtocolName, Split, load
from tools.dataset.folder import SAMPLES, Folder, load_folder
from tools.dataset.table import PARTS
from tools.generated import generated
from tools.tiers import AUDIO_FULL

SMOKE_SIZES: dict[Split, int] = {
    "train": 600,
    "validation": 200,
    "validation_last": 200,
    "test": 200,
}


OPTIONS_FILE = "data.json"
"""In a run's directory: how a user's own files are seen and heard in it."""


@dataclass(frozen=True)
class Sources:
    """The data sets, a user's own files, or a generated stand-in.

    Attributes:
        folders: of the three data sets; None for other data.
        voices: whether synthetic words widen what is heard in training.
        own: a user's files, of protocol `own`; None for other data.
        run: the directory in which the options of those files are kept; None keeps none.
    """

    folders: Folders | None
    voices: bool = True
    own: Folder | None = None
    run: Path | None = None

    def load(
        self, protocol: ProtocolName, split: Split, bands: tuple[int, int] | None = None
    ) -> Dataset:
        """Make or read one split of one protocol; own files and generated data know only one.

        Args:
            protocol: which.
            split: which.
            bands: the mel bands that are heard, the first and the one after the last; None for
                all.
        """
        spec = AUDIO_FULL if bands is None else replace(AUDIO_FULL, band_slice=bands)
        if self.own is not None:
            part = next(part for part in PARTS if split.startswith(part))
            dataset = load_folder(self.own, part, spec)
            if self.run is not None:
                keep_options(self.run, self.own)  # not before: files and options have proved right
            return dataset
        if self.folders is None:
            return generated(SMOKE_SIZES[split], sorted(SMOKE_SIZES).index(split), spec)
        return load(protocol, split, self.folders, voices=self.voices, spec=spec)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where data and results lie."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="a directory with the folders mnist, fsdd, noise")
    data.add_argument("--csv", type=Path, help="your own files: a table with image,audio,label")
    data.add_argument("--smoke", action="store_true", help="generated data, under a minute")
    parser.add_argument("--no-voices", action="store_true", help="train without synthetic words")
    own = parser.add_argument_group("with --csv, the same for every command of a run")
    own.add_argument(
        "--contrast",
        choices=("none", "ink"),
        default="none",
        help="none: pictures of anything; ink: dark strokes on light paper",
    )
    own.add_argument(
        "--fit",
        choices=("ink", "frame"),
        default="ink",
        help="with --contrast ink: centre the drawing, or take the whole picture",
    )
    own.add_argument(
        "--align",
        choices=("onset", "clip"),
        default="onset",
        help="onset: look for the sounds' beginnings as the daemon does; clip: they begin at once",
    )
    own.add_argument(
        "--noise", type=Path, help="a folder of other sounds, to be mixed into training"
    )
    own.add_argument(
        "--samples",
        type=int,
        default=SAMPLES,
        help=f"pictures, and sounds, to train with, made of your files; default {SAMPLES}",
    )
    parser.add_argument(
        "--run",
        type=Path,
        help="directory of checkpoints and records, by default runs/TASK or runs/smoke",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads for torch; equal ones give equal models"
    )


def sources_from(options: argparse.Namespace) -> Sources:
    """Return the data that the options name.

    Raises:
        DatasetError: earlier commands of this run saw or heard its files in another way.
    """
    if options.smoke:
        return Sources(None)
    if options.csv is not None:
        own = Folder(
            options.csv,
            options.contrast,
            options.fit,
            options.align,
            options.noise,
            options.samples,
        )
        run = options.run or Path("runs/own")
        check_options(run, own)
        return Sources(None, own=own, run=run)
    folders = Folders(options.data / "mnist", options.data / "fsdd", options.data / "noise")
    return Sources(folders, not options.no_voices)


def check_options(run: Path, own: Folder) -> None:
    """Refuse options with which no later command may train or describe something else.

    Args:
        run: a run's directory.
        own: a user's files and options.

    Raises:
        DatasetError: the run was begun with others; the text names them.
    """
    path = run / OPTIONS_FILE
    if not path.exists():
        return
    begun, wanted = json.loads(path.read_text(encoding="utf-8")), plain(own)
    other = [f"--{name} {begun[name]}" for name in begun if begun[name] != wanted.get(name)]
    if other:
        raise DatasetError(
            f"{path}: this run was begun with {' '.join(other)}; "
            "give the same again, or name another --run"
        )


def keep_options(run: Path, own: Folder) -> None:
    """Write the options of a user's files into a run's directory."""
    run.mkdir(parents=True, exist_ok=True)
    (run / OPTIONS_FILE).write_text(json.dumps(plain(own), indent=2) + "\n", encoding="utf-8")


def plain(own: Folder) -> dict[str, object]:
    """Return the options as JSON has them, paths in full."""
    return {
        name: str(value.resolve()) if isinstance(value, Path) else value
        for name, value in asdict(own).items()
    }
