"""The model files of one tier that are compared: five precisions of one float model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from edge_daemon.tier import Tier
from tools.dataset import Dataset
from tools.export.calibration import CALIBRATION_SAMPLES, calibration_inputs
from tools.export.flatbuffer import compact
from tools.export.lower import lower
from tools.export.quantise import quantise
from tools.networks.fold import folded
from tools.networks.student import Students
from tools.precision.allocate import Allocation, Options
from tools.precision.layers import weighted_layers
from tools.precision.mixed import INT16_ACTIVATIONS, WIDTHS, quantise_mixed
from tools.precision.plan import counts, options, uniform
from tools.precision.significance import fisher_significance, output_significance
from tools.training.losses import NOTHING
from tools.training.pools import Pools, pools
from tools.training.record import Record

SIGNIFICANCE_SAMPLES = 512

Choose = Callable[[Options], Allocation]
"""How a mixture is chosen from what each layer may have."""


@dataclass(frozen=True)
class Candidate:
    """One precision of one tier.

    Attributes:
        bits: how many layers have how many bits.
        model: the file.
    """

    bits: str
    model: bytes


def draw(
    students: Students, tier: Tier, some: Pools, count: int, seed: int
) -> tuple[list[Tensor], Tensor]:
    """Return training inputs of a tier, float32 [N, ...] each, and their labels, int64 [N]."""
    student = students.tier(tier)
    batch = some.batch(some.draw(count, seed))
    inputs = [batch.images28 if student.visual.size == 28 else batch.images14]
    labels = batch.seen
    if student.audio is not None:
        first, last = students.shape.bands
        inputs.append(batch.sounds[:, : student.columns, first:last])
        labels = batch.labels
    known = labels != NOTHING
    return [part[known] for part in inputs], labels[known]


def make_candidates(
    students: Students,
    tier: Tier,
    train: Sequence[Dataset],
    choose: Choose,
    seed: int,
    record: Record,
) -> dict[str, Candidate]:
    """Return the precisions by name: int8, two mixtures, int4, int16 activations.

    Args:
        students: the networks.
        tier: whose model is made.
        train: data to calibrate with and to measure significance on.
        choose: how much the mixtures save.
        seed: of what is drawn from the data.
        record: where each layer's significance goes.

    Raises:
        AllocationError: no mixture keeps what was asked for.
    """
    student = students.tier(tier)
    float_model = lower(student)
    network = folded(student)
    layers = weighted_layers(network, float_model)
    inputs, labels = draw(students, tier, pools(train), SIGNIFICANCE_SAMPLES, seed)
    names = [layer.name for layer in layers]
    fisher = fisher_significance(network, inputs, labels, names, WIDTHS)
    output = output_significance(network, inputs, names, WIDTHS)
    for layer in layers:
        record.write(
            "significance",
            tier=tier,
            layer=layer.name,
            operator=layer.operator,
            weights=layer.weights,
            fisher=fisher[layer.name],
            output=output[layer.name],
        )
    bits = {
        "int8": uniform(layers, 8),
        "by Fisher": choose(options(layers, fisher)).bits,
        "by output": choose(options(layers, output)).bits,
        "int4": uniform(layers, 4),
    }
    samples = calibration_inputs(student, train, CALIBRATION_SAMPLES, seed)
    candidates = {
        name: Candidate(counts(some), quantise_mixed(float_model, samples, layers, some))
        for name, some in bits.items()
    }
    int16 = compact(quantise(float_model, samples, INT16_ACTIVATIONS))
    candidates["int16 activations"] = Candidate(counts(bits["int8"]), int16)
    return candidates
