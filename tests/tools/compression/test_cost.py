from dataclasses import replace

import pytest
import torch

from edge_daemon.tier import TIERS, Tier
from tests.tools.compression.conftest import Made
from tools.compression.cost import MEGA_MAC_US, OPERATOR_US, RUN_US, Cost, costs, tier_cost
from tools.compression.gates import Gates
from tools.compression.widths import Widths, expected_widths
from tools.export.flatbuffer import compact
from tools.export.graph import Graph, read_graph
from tools.export.lower import example_inputs, lower
from tools.export.quantise import quantise
from tools.networks.shape import Shape
from tools.networks.student import Students

WIDE = Shape()
NARROW = Shape((9, 17, 24, 37, 37), (8, 16, 23, 32), (21, 21, 24, 24, 37, 37), (4, 36))


def exported(students: Students, tier: Tier) -> bytes:
    """A tier's file, its ranges calibrated with noise."""
    student = students.tier(tier)
    samples = [
        {name: value.numpy() for name, value in example_inputs(student).items()} for _ in range(4)
    ]
    return compact(quantise(lower(student), samples))


@pytest.mark.parametrize(
    ("shape", "tier"),
    [(WIDE, Tier.CRITICAL), (WIDE, Tier.HIGH), (NARROW, Tier.LOW), (NARROW, Tier.MEDIUM)],
)
def test_it_is_what_the_file_costs(made: Made, shape: Shape, tier: Tier) -> None:
    content = exported(made(shape), tier)
    graph: Graph = read_graph(content)
    cost = costs(shape)[tier]
    assert cost.macs == graph.macs
    assert len(content) <= cost.bytes <= 1.02 * len(content)  # an upper bound, for hard budgets
    time_us = RUN_US + OPERATOR_US * len(graph.operators) + MEGA_MAC_US * graph.macs / 1e6
    assert cost.latency_us == pytest.approx(time_us)


def test_wider_costs_more_and_fewer_bands_cost_less() -> None:
    wide, narrow = costs(WIDE), costs(NARROW)
    fewer = costs(replace(WIDE, bands=(0, 30)))
    for tier in TIERS:
        assert all(less < more for less, more in zip(narrow[tier], wide[tier], strict=True))
    columns = {Tier.HIGH: 64, Tier.MEDIUM: 40}
    for tier in TIERS:
        spared = wide[tier].macs - fewer[tier].macs
        assert spared == 10 * 3 * 48 * columns.get(tier, 0)


def test_gates_that_are_open_or_closed_cost_what_is_left() -> None:
    students = Students(WIDE)
    gates = Gates(students)
    with torch.no_grad():
        for name, group in gates.groups.items():
            kept = group.width // 2 + 3 * (group.branch == "audio") + group.entries.count(0)
            gates.logarithm(name).fill_(-40.0)[:kept] = 40.0
    left = Shape((9, 16, 24, 32, 32), (9, 16, 24, 32), (28, 28, 27, 27, 35, 35), (0, 23))
    for tier in TIERS:
        expected = tier_cost(expected_widths(gates), tier)
        assert float(expected.macs.detach()) == pytest.approx(costs(left)[tier].macs, rel=1e-5)
        # The widths of different groups count as different, which in the file they need not be.
        assert float(expected.bytes.detach()) == pytest.approx(costs(left)[tier].bytes, rel=0.03)


def test_the_gradient_is_the_slope_in_the_widths() -> None:
    gates = Gates(Students(WIDE), initial=0.5).double()
    for tier in TIERS:
        for position, unit in enumerate(Cost._fields):
            value = tier_cost(expected_widths(gates), tier)[position]
            gradients = dict(
                zip(
                    gates.groups,
                    torch.autograd.grad(
                        value,
                        [gates.logarithm(name) for name in gates.groups],
                        allow_unused=True,
                    ),
                    strict=True,
                )
            )
            heard = {
                group.branch
                for name, group in gates.groups.items()
                if gradients[name] is not None and float(gradients[name].min()) > 0
            }
            assert heard == {
                Tier.CRITICAL: {"visual_14"},
                Tier.LOW: {"visual_28"},
            }.get(tier, {"visual_28", "audio"}), unit
    # Along one gate, against a difference quotient.
    step = 1e-4
    name, tier = "audio.1", Tier.HIGH
    before = tier_cost(expected_widths(gates), tier).bytes
    (slope,) = torch.autograd.grad(before, gates.logarithm(name))
    with torch.no_grad():
        gates.logarithm(name)[3] += step
        after = tier_cost(expected_widths(gates), tier).bytes
    assert float(slope[3]) == pytest.approx(float(after - before.detach()) / step, rel=1e-3)


def test_bands_without_gates_are_all_expected() -> None:
    gates = Gates(Students(replace(WIDE, bands=(3, 33))), bands=False)
    widths: Widths = expected_widths(gates)
    assert widths.bands == 30 and widths.labels == 10
    assert float(widths.audio[0].detach()) == pytest.approx(48 * 0.973, rel=1e-2)
