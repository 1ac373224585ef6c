"""Convert trained students to int8 models and write them as a bundle.

python -m tools.convert --data DIRECTORY --run runs/avdigits --bundle models/avdigits
"""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from edge_daemon.inference.bundle import Bundle, TierSpec, write_bundle
from edge_daemon.inference.manifest import Inputs
from edge_daemon.tier import TIERS, Tier
from tools.export.calibration import CALIBRATION_SAMPLES, calibration_inputs
from tools.export.flatbuffer import compact
from tools.export.graph import check_full_integer
from tools.export.lower import lower
from tools.export.quantise import Inputs as Tensors
from tools.export.quantise import quantise
from tools.networks.student import Student, Students
from tools.sources import Sources, add_arguments, sources_from
from tools.tiers import AUDIO_SPECS, IMAGE_SPECS, LABELS
from tools.train import PROTOCOLS, load_students
from tools.training.progress import Progress


def convert_tier(student: Student, samples: Sequence[Tensors]) -> bytes:
    """Return one student as a full-integer model.

    Raises:
        GraphError: something in it stayed floating-point or in another layout.
    """
    model = compact(quantise(lower(student), samples))
    check_full_integer(model)
    return model


def describe(tier: Tier, model: bytes) -> TierSpec:
    """Return a model's entry of the manifest, accuracy still unknown."""
    return TierSpec(
        file=f"{tier}.tflite",
        sha256=hashlib.sha256(model).hexdigest(),
        bytes=len(model),
        inputs=Inputs(IMAGE_SPECS[tier], AUDIO_SPECS[tier]),
        output="logits",
        macs=check_full_integer(model).macs,
    )


def convert(
    students: Students, sources: Sources, directory: Path, name: str, version: str
) -> Bundle:
    """Convert all tiers, ranges calibrated with training data, and only then write the bundle."""
    datasets = [sources.load(protocol, "train") for protocol in PROTOCOLS]
    models: dict[Tier, bytes] = {}
    tiers: dict[Tier, TierSpec] = {}
    with Progress("convert", len(TIERS)) as progress:
        for tier in TIERS:
            student = students.tier(tier)
            samples = calibration_inputs(student, datasets, CALIBRATION_SAMPLES, seed=0)
            models[tier] = convert_tier(student, samples)
            tiers[tier] = describe(tier, models[tier])
            progress.advance(note=f"{tier} {tiers[tier].bytes} bytes")
    directory.mkdir(parents=True, exist_ok=True)
    for tier, model in models.items():
        (directory / tiers[tier].file).write_bytes(model)
    return write_bundle(directory, name=name, version=version, labels=LABELS, tiers=tiers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--bundle", type=Path, required=True, help="directory to write")
    parser.add_argument("--version", default="0.1.0", help="of the bundle")
    options = parser.parse_args(arguments)
    options.run = options.run or Path("runs/avdigits")
    torch.set_num_threads(options.threads)
    students = load_students(options.run)
    name = options.bundle.resolve().name
    convert(students, sources_from(options), options.bundle, name, options.version)


if __name__ == "__main__":
    main()
