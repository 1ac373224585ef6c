"""The `tau` of every output of the students; that of any logits is in test_calibration.py."""

import pytest
import torch
from torch import Tensor

from tests.tools.training.narrow import made_pairs, made_pools, made_students
from tools.networks.student import OUTPUTS, Students
from tools.training.calibration import calibrate_outputs, expected_calibration_error, fit_tau
from tools.training.losses import NOTHING
from tools.training.pools import Drawn, Pools


@pytest.fixture(scope="module")
def some() -> Pools:
    return made_pools()


@pytest.fixture(scope="module")
def pairs(some: Pools) -> Drawn:
    return made_pairs(some)


def known(students: Students, some: Pools, pairs: Drawn) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the uncalibrated logits and the labels of all that an output can know."""
    images28, images14, sounds = (
        inputs.float()[..., None] / 255.0
        for inputs in (
            some.images28.inputs[pairs.pictures],
            some.images14.inputs[pairs.pictures],
            some.sounds.inputs[pairs.sounds],
        )
    )
    seen, heard = some.images28.labels[pairs.pictures], some.sounds.labels[pairs.sounds]
    with torch.no_grad():
        full, prefix = students.audio.both(sounds)
        logits = {
            "28": (students.visual_28(images28), seen),
            "14": (students.visual_14(images14), seen),
            "full": (full, heard),
            "prefix": (prefix, heard),
        }
    return {
        name: (scores[labels != NOTHING], labels[labels != NOTHING])
        for name, (scores, labels) in logits.items()
    }


@pytest.mark.parametrize("batch", [500, 7])
def test_each_output_gets_the_tau_of_its_own_logits(batch: int, some: Pools, pairs: Drawn) -> None:
    students = made_students()
    wanted = known(students, some, pairs)
    found = calibrate_outputs(students.train(), some, pairs, batch=batch)
    assert tuple(line.output for line in found) == OUTPUTS
    assert len(wanted["28"][1]) == len(pairs.pictures) - 2
    assert len(wanted["full"][1]) < len(pairs.sounds)
    for line in found:
        scores, labels = wanted[line.output]
        tau = float(fit_tau(scores, labels))
        assert float(students.tau(line.output)) == pytest.approx(tau, rel=1e-4)
        assert line.tau == pytest.approx(tau, rel=1e-4)
        errors = (expected_calibration_error(one, labels) for one in (scores, scores / tau))
        assert (line.error_before, line.error_after) == pytest.approx(tuple(errors), abs=2e-3)


def test_calibrating_again_changes_nothing(some: Pools, pairs: Drawn) -> None:
    students = made_students()
    assert calibrate_outputs(students, some, pairs) == calibrate_outputs(students, some, pairs)
