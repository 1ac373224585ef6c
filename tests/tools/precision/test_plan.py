import pytest

from tools.precision.layers import Layer
from tools.precision.plan import counts, losing, options, saving, uniform

LAYERS = [
    Layer("stem", "DEPTHWISE_CONV_2D", "s", (1, 3, 3, 8)),
    Layer("wide", "CONV_2D", "w", (16, 1, 1, 8)),
    Layer("tall", "CONV_2D", "t", (16, 3, 1, 8)),
    Layer("head", "FULLY_CONNECTED", "h", (5, 5)),
]
SIGNIFICANCE = {
    "stem": {4: 5.0, 8: 0.1},
    "wide": {4: 1.0, 8: 0.1},
    "tall": {4: 9.0, 8: 0.1},
    "head": {4: 3.0, 8: 0.1},
}


def test_only_matrix_products_may_be_narrow() -> None:
    found = options(LAYERS, SIGNIFICANCE)
    assert {name: [some.bits for some in choices] for name, choices in found.items()} == {
        "stem": [8],
        "wide": [4, 8],
        "tall": [8],
        "head": [4, 8],
    }
    assert [(some.bytes, some.loss) for some in found["head"]] == [(13, 3.0), (25, 0.1)]
    assert uniform(LAYERS, 4) == {"stem": 8, "wide": 4, "tall": 8, "head": 4}


@pytest.mark.parametrize(
    ("share", "narrow"),
    [
        (0.0, set()),
        (0.1, {"wide"}),
        (0.5, {"wide"}),
        (0.9, {"wide", "head"}),
        (1.0, {"wide", "head"}),
    ],
)
def test_a_share_of_the_saving(share: float, narrow: set[str]) -> None:
    found = saving(options(LAYERS, SIGNIFICANCE), share)
    assert {name for name, bits in found.bits.items() if bits == 4} == narrow


@pytest.mark.parametrize(
    ("share", "narrow"),
    [(0.0, set()), (0.3, {"wide"}), (0.7, {"wide"}), (0.8, {"wide"}), (1.0, {"wide", "head"})],
)
def test_a_share_of_the_loss(share: float, narrow: set[str]) -> None:
    found = losing(options(LAYERS, SIGNIFICANCE), share)
    assert {name for name, bits in found.bits.items() if bits == 4} == narrow


def test_counting_layers() -> None:
    assert counts(uniform(LAYERS, 4)) == "2 × 4, 2 × 8"
    assert counts(uniform(LAYERS, 8)) == "4 × 8"
