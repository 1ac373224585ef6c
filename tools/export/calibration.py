"""What int8 ranges are calibrated with: training data, also with one modality absent."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from tools.dataset import Dataset
from tools.export.quantise import Inputs
from tools.networks.student import Student
from tools.training.samples import tensors

CALIBRATION_SAMPLES = 600


def calibration_inputs(
    student: Student, datasets: Sequence[Dataset], count: int, seed: int
) -> list[Inputs]:
    """Draw inputs for one student, as many from every data set.

    In every eighth sample of a tier that listens, the sound is absent; in every other eighth, the
    picture.
    """
    random = np.random.default_rng(seed)
    each = -(-count // len(datasets))
    drawn = [sample for dataset in datasets for sample in draw(student, dataset, each, random)]
    # Every sample counts the same, whatever the order; the quantiser averages over the last few.
    return [drawn[index] for index in random.permutation(len(drawn))]


def draw(
    student: Student, dataset: Dataset, count: int, random: np.random.Generator
) -> Iterator[Inputs]:
    """Yield `count` inputs from one data set."""
    pictures = dataset.pictures
    images = pictures.images28 if student.visual.size == 28 else pictures.images14
    chosen = random.choice(len(images), count, replace=count > len(images))
    for number, index in enumerate(chosen):
        image = tensors(torch.from_numpy(images[index : index + 1])).numpy()
        if student.audio is None:
            yield {"image": image}
            continue
        at = dataset.pairs[index]
        columns = dataset.sounds.columns[at : at + 1, : student.columns]
        audio = tensors(torch.from_numpy(columns)).numpy()
        match number % 8:
            case 0:
                audio = np.zeros_like(audio)
            case 4:
                image = np.zeros_like(image)
        yield {"image": image, "audio": audio}
