"""Leave one speaker out: how well the audio branch understands somebody it never heard.

    python -m tools.speakers --data DIRECTORY --protocol clean

For each speaker an audio branch as wide as the shipped one is trained on all the others and on
synthetic voices, then tested on every word of that speaker; nothing is chosen by what comes out. A
killed run goes on where it was, and a speaker who is in the record with the same settings is not
trained again.
"""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from torch import Tensor

from tools.dataset import DatasetError, Folders, ProtocolName, Sounds, Split, load_sounds
from tools.dataset.cache import CACHE
from tools.dataset.words import read_words
from tools.distil import EVEN
from tools.networks.audio import AudioBranch
from tools.networks.shape import Shape
from tools.teach import schedule
from tools.tiers import AUDIO_FULL
from tools.training.augment import vary_spectrograms
from tools.training.branch import evaluate_logits, train_branch
from tools.training.checkpoint import CheckpointError
from tools.training.device import device
from tools.training.losses import NOTHING
from tools.training.other_voices import other_voices
from tools.training.pools import SHIFT
from tools.training.record import Record
from tools.training.samples import samples
from tools.training.saved import STUDENTS_FILE, load_students

PROTOCOLS: tuple[ProtocolName, ...] = ("clean", "published", "live")

SHIPPED = Path("runs/live/ra_cmkd")
"""The run whose audio branch the shipped bundle has."""

OUTPUTS = ("full", "prefix")

Accuracies = Mapping[str, float]
"""The share of right answers of each of `OUTPUTS`."""


@dataclass(frozen=True)
class Settings:
    """What every speaker's branch is trained by.

    Attributes:
        protocol: what is done to the words.
        audio: channels of the branch.
        bands: the mel bands it hears, the first and the one after the last.
        voices: whether synthetic voices are among those trained on.
        steps: of training, to the nearest whole pass.
        batch: sounds of each step.
        seed: of weights, order and augmentation.
    """

    protocol: ProtocolName
    audio: tuple[int, ...] = EVEN.audio
    bands: tuple[int, int] = EVEN.bands
    voices: bool = True
    steps: int = 2500
    batch: int = 128
    seed: int = 0

    def document(self) -> dict[str, Any]:
        """Return plain values, equal to those read back from a record."""
        document: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return document

    def key(self) -> str:
        """Return a short name that no other settings have."""
        return hashlib.sha256(json.dumps(self.document()).encode()).hexdigest()[:8]


def leave_out(
    speaker: str, settings: Settings, folders: Folders, directory: Path, cache_folder: Path = CACHE
) -> tuple[Accuracies, int]:
    """Train a branch on all other speakers, or go on training it, and test it on this one.

    Args:
        speaker: who is left out.
        settings: of the training.
        folders: the data sets.
        directory: of checkpoints and of the record of epochs.
        cache_folder: where sounds are kept.

    Returns:
        The accuracies, over all mixes of the words, and the number of words.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    spec = replace(AUDIO_FULL, band_slice=settings.bands)

    def load(split: Split) -> Sounds:
        return load_sounds(
            settings.protocol,
            split,
            folders,
            settings.seed,
            held_out=speaker,
            voices=settings.voices,
            spec=spec,
            cache_folder=cache_folder,
        )

    def augment(inputs: Tensor, generator: torch.Generator) -> Tensor:
        return vary_spectrograms(other_voices(inputs, spec, generator), SHIFT, generator)

    sounds = load("train")
    train = samples(sounds.columns, sounds.labels)
    torch.manual_seed(settings.seed)
    network = AudioBranch(spec.kept_bands, channels=settings.audio).to(device())
    network.to(memory_format=torch.channels_last)
    train_branch(
        f"{settings.protocol}-{speaker}-{settings.key()}",
        network,
        network.both,
        train,
        {},
        augment,
        schedule(settings.steps, len(train), settings.batch),
        settings.seed,
        directory / "checkpoints",
        Record(directory / "epochs.jsonl"),
    )
    return test(network, load("test"))


def test(network: AudioBranch, sounds: Sounds) -> tuple[Accuracies, int]:
    """Return the accuracies over all sounds in which a word is said, and the number of words.

    A word whose onset was not found counts: the network has to answer for silence.
    """
    labels = torch.from_numpy(sounds.labels)
    said = labels != NOTHING
    logits = evaluate_logits(network, network.both, samples(sounds.columns, sounds.labels))
    reached = {
        output: round(float((some.argmax(1) == labels)[said].float().mean()), 5)
        for output, some in zip(OUTPUTS, logits, strict=True)
    }
    return reached, len(set(sounds.clips[sounds.labels != NOTHING].tolist()))


def leave_each_out(
    settings: Settings, folders: Folders, out: Path, cache_folder: Path = CACHE
) -> dict[str, Accuracies]:
    """Leave out each speaker who is not in the record yet; return the accuracies of all.

    Args:
        settings: of all trainings.
        folders: the data sets.
        out: the record; checkpoints go to the directory of the same name without its ending.
        cache_folder: where sounds are kept.

    Raises:
        DatasetError: a file is missing or damaged, or there is one speaker only.
    """
    speakers = sorted({word.speaker for word in read_words(folders, "test")})
    if len(speakers) < 2:
        raise DatasetError(f"{folders.fsdd}: only {speakers}: to leave one out takes two speakers")
    record, reached = Record(out), finished(out, settings)
    missing = [speaker for speaker in speakers if speaker not in reached]
    for speaker in missing:
        reached[speaker], words = leave_out(
            speaker, settings, folders, out.with_suffix(""), cache_folder
        )
        for output, accuracy in reached[speaker].items():
            record.write(
                "speaker",
                protocol=settings.protocol,
                speaker=speaker,
                output=output,
                accuracy=accuracy,
                words=words,
                settings=settings.document(),
            )
    if missing:
        for output in OUTPUTS:
            average, spread = average_of(reached, output)
            record.write(
                "mean",
                protocol=settings.protocol,
                output=output,
                accuracy=round(average, 5),
                spread=round(spread, 5),
                speakers=len(reached),
                settings=settings.document(),
            )
    return {speaker: reached[speaker] for speaker in speakers}


def finished(out: Path, settings: Settings) -> dict[str, Accuracies]:
    """Return what the record says of speakers left out with the same settings."""
    found: dict[str, dict[str, float]] = {}
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    for line in map(json.loads, lines):
        if line["event"] == "speaker" and line["settings"] == settings.document():
            found.setdefault(line["speaker"], {})[line["output"]] = line["accuracy"]
    return {speaker: some for speaker, some in found.items() if len(some) == len(OUTPUTS)}


def average_of(reached: Mapping[str, Accuracies], output: str) -> tuple[float, float]:
    """Return the mean over speakers, and their standard deviation."""
    shares = [some[output] for some in reached.values()]
    return mean(shares), stdev(shares)


def show(settings: Settings, reached: Mapping[str, Accuracies]) -> None:
    """Print a row for each output."""
    voices = "with" if settings.voices else "without"
    console = Console(width=100)
    console.print(f"Speakers left out, {settings.protocol}, {voices} synthetic voices, %")
    table = Table("output", *reached, "mean", "spread")
    for output in OUTPUTS:
        shares = [some[output] for some in reached.values()]
        table.add_row(
            output, *(f"{100 * share:.1f}" for share in (*shares, *average_of(reached, output)))
        )
    console.print(table)


def shipped_shape(run: Path) -> Shape:
    """Return the shape of a run's students, or `EVEN` where there are none yet."""
    return load_students(run).shape if (run / STUDENTS_FILE).exists() else EVEN


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.speakers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="a directory with the folders fsdd and noise"
    )
    parser.add_argument("--protocol", choices=PROTOCOLS, default="clean", help="what is heard")
    parser.add_argument("--no-voices", action="store_true", help="train on recorded speakers alone")
    parser.add_argument("--out", type=Path, default=Path("runs/speakers.jsonl"), help="the record")
    parser.add_argument("--seed", type=int, default=Settings.seed, help="of all trainings")
    parser.add_argument("--steps", type=int, default=Settings.steps, help="of each training")
    parser.add_argument(
        "--threads", type=int, default=1, help="threads for torch; equal ones give equal models"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    folders = Folders(*(options.data / name for name in ("mnist", "fsdd", "noise")))
    shape = shipped_shape(SHIPPED)
    settings = Settings(
        options.protocol,
        shape.audio,
        shape.bands,
        not options.no_voices,
        options.steps,
        seed=options.seed,
    )
    try:
        reached = leave_each_out(settings, folders, options.out)
    except (CheckpointError, DatasetError) as error:
        parser.exit(1, f"{error}\n")
    show(settings, reached)


if __name__ == "__main__":
    main()
