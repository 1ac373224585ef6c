"""Convert trained students to int8 models and write them as a bundle.

python -m tools.convert --data DIRECTORY --task live --bundle models/avdigits
"""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from msgspec.structs import replace

from edge_daemon.inference.bundle import Bundle, TierSpec, write_bundle
from edge_daemon.inference.manifest import Inputs
from edge_daemon.tier import TIERS, Tier
from tools.dataset import Dataset, DatasetError
from tools.export.calibration import CALIBRATION_SAMPLES, calibration_inputs
from tools.export.flatbuffer import compact
from tools.export.graph import check_full_integer
from tools.export.lower import lower
from tools.export.quantise import Inputs as Tensors
from tools.export.quantise import quantise
from tools.networks.student import Student, Students
from tools.sources import add_arguments, sources_from
from tools.tasks import add_task_arguments, task_from
from tools.tiers import AUDIO_SPECS
from tools.training.progress import Progress
from tools.training.saved import load_students


def convert_tier(student: Student, samples: Sequence[Tensors]) -> bytes:
    """Return one student as a full-integer model.

    Raises:
        GraphError: something in it stayed floating-point or in another layout.
    """
    model = compact(quantise(lower(student), samples))
    check_full_integer(model)
    return model


def describe(tier: Tier, model: bytes, dataset: Dataset, bands: tuple[int, int]) -> TierSpec:
    """Return a model's entry of the manifest, accuracy still unknown.

    Args:
        tier: which.
        model: its file.
        dataset: what it was trained for, which says how its pictures were made.
        bands: the mel bands that it hears.
    """
    audio = AUDIO_SPECS[tier]
    return TierSpec(
        file=f"{tier}.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        bytes=len(model),
        inputs=Inputs(
            dataset.image_spec(tier),
            None if audio is None else replace(audio, band_slice=bands),
        ),
        output="logits",
        macs=check_full_integer(model).macs,
    )


def convert(
    students: Students, datasets: Sequence[Dataset], directory: Path, name: str, version: str
) -> Bundle:
    """Convert all tiers, ranges calibrated with training data, and only then write the bundle."""
    models: dict[Tier, bytes] = {}
    tiers: dict[Tier, TierSpec] = {}
    with Progress("convert", len(TIERS)) as progress:
        for tier in TIERS:
            student = students.tier(tier)
            samples = calibration_inputs(student, datasets, CALIBRATION_SAMPLES, seed=0)
            models[tier] = convert_tier(student, samples)
            tiers[tier] = describe(tier, models[tier], datasets[0], students.shape.bands)
            progress.advance(note=f"{tier} {tiers[tier].bytes} bytes")
    directory.mkdir(parents=True, exist_ok=True)
    for tier, model in models.items():
        (directory / tiers[tier].file).write_bytes(model)
    labels = datasets[0].labels
    return write_bundle(directory, name=name, version=version, labels=labels, tiers=tiers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert", description=__doc__)
    add_arguments(parser)
    add_task_arguments(parser)
    parser.add_argument("--method", default="ra_cmkd", help="whose students, in RUN/METHOD")
    parser.add_argument("--bundle", type=Path, help="what to write, by default RUN/METHOD/bundle")
    parser.add_argument("--version", default="0.2.0", help="of the bundle")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        task, directory = task_from(options)
        run = directory / options.method
        bundle = options.bundle or run / "bundle"
        sources = sources_from(options)
        students = load_students(run)
        bands = students.shape.bands
        datasets = [sources.load(protocol, "train", bands) for protocol in task.protocols]
        convert(students, datasets, bundle, bundle.resolve().name, options.version)
    except (DatasetError, FileNotFoundError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
