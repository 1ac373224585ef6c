"""Model files whose layers have different precisions."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ai_edge_quantizer import qtyping, recipe, recipe_manager

from tools.export.flatbuffer import compact
from tools.export.graph import check_full_integer
from tools.export.quantise import Inputs, Recipe, quantise
from tools.precision.layers import Layer
from tools.precision.matrices import convolutions_to_products

WIDTHS = (4, 8)
"""Bits of weights among which a layer chooses. The quantiser has fewer only for activations that
are quantised as they come, which not every runtime computes rightly."""

INT16_ACTIVATIONS: Recipe = recipe.static_wi8_ai16()
"""int8 weights, everything between the layers int16."""


def widths(layer: Layer) -> tuple[int, ...]:
    """Return the bits that a layer may have: only matrix products stay as fast with 4 as with 8.

    int4 weights of other convolutions are computed rightly too, but not by XNNPACK: the model is
    delegated in pieces around them and takes longer. Depthwise layers have few weights and cost
    the most time so.
    """
    return WIDTHS if layer.is_matrix else (8,)


def rules(layers: Sequence[Layer], bits: Mapping[str, int]) -> Recipe:
    """Return the quantiser's rules: int8 throughout but for the weights of the layers named.

    Args:
        layers: of the float model.
        bits: of the weights, by the layer's name; 8 for those it does not name.

    Raises:
        ValueError: it names a layer that is not there, or bits that the layer cannot have.
    """
    known = {layer.name: layer for layer in layers}
    manager = recipe_manager.RecipeManager()
    operations = qtyping.TFLOperationName
    manager.add_static_config(".*", operations.ALL_SUPPORTED, 8, 8)
    for name, width in bits.items():
        if name not in known:
            raise ValueError(f"bits[{name!r}]: no such layer; there are {', '.join(known)}")
        layer = known[name]
        if width not in widths(layer):
            raise ValueError(f"bits[{name!r}]: {width}, not one of {widths(layer)}")
        if width != 8:
            # The quantiser looks for the pattern in the output's name and a semicolon.
            only = f"^{re.escape(layer.output)};$"
            manager.add_static_config(only, operations(layer.operator), 8, width)
    return manager.get_quantization_recipe()


def quantise_mixed(
    float_model: bytes,
    samples: Iterable[Inputs],
    layers: Sequence[Layer],
    bits: Mapping[str, int],
) -> bytes:
    """Return a full-integer model whose weights have the bits given, ready to be run.

    Names are dropped only at the end: the quantiser needs them to tell the layers apart.

    Args:
        float_model: as `lower` made it.
        samples: to calibrate the ranges with, from training data.
        layers: of the float model, from `weighted_layers`.
        bits: as for `rules`.

    Raises:
        GraphError: something in it stayed floating-point.
    """
    model = quantise(float_model, samples, rules(layers, bits))
    model = compact(convolutions_to_products(model))
    check_full_integer(model)
    return model
