"""Post-training quantisation: full-integer, with integer inputs and outputs."""

import warnings
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import numpy as np
from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
from numpy.typing import NDArray

from tools.export.flatbuffer import read_model
from tools.export.quiet import quiet

Inputs = Mapping[str, NDArray[np.float32]]
"""Input tensors by signature name, float32 NHWC with N = 1, values in 0 to 1."""

Recipe = list[dict[str, Any]]
"""The quantiser's rules, a later one going before an earlier one."""

INT8: Recipe = recipe.static_wi8_ai8()
"""Weights per channel, everything else per tensor."""


def quantise(float_model: bytes, samples: Iterable[Inputs], rules: Recipe = INT8) -> bytes:
    """Return the integer form of a float model, by default int8 throughout.

    Args:
        float_model: a model with one signature, float inputs and outputs.
        samples: inputs to calibrate the ranges with, drawn from training data only.
        rules: how many bits each operator gets.

    Every int8 input gets the scale 1/255 and the zero point -128, whatever the samples are, so
    that a pixel's int8 code is its value less 128.
    """
    model = read_model(float_model)
    signature = model.signatureDefs[0]
    tensors = model.subgraphs[signature.subgraphIndex].tensors
    exact = {"min": np.zeros((1, 1, 1, 1), np.float32), "max": np.ones((1, 1, 1, 1), np.float32)}
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        tool = quantizer.Quantizer(float_model, rules)
        ranges = observe(float_model, {signature.signatureKey.decode(): samples}, rules)
        for binding in signature.inputs:
            ranges[tensors[binding.tensorIndex].name.decode()] = exact
        result = tool.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


Range = MutableMapping[str, Any]
"""The `min` and `max` of a tensor, and what else the quantiser keeps of it."""


def observe(
    float_model: bytes, samples: Mapping[str, Iterable[Inputs]], rules: Recipe
) -> MutableMapping[str, Range]:
    """Return the range of every tensor over all samples, by the names of the tensors.

    The quantiser's own calibration averages each sample's smallest and largest value over the
    last few samples, and so cuts about half of all peaks.
    """
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(rules)
    observer = calibrator.Calibrator(float_model, num_threads=1, qsv_update_func=widest)
    observer.calibrate(samples, manager)
    found: MutableMapping[str, Range] = observer.get_model_qsvs()
    return found


def widest(known: Range, new: Range) -> Range:
    """Return the range that holds both; the first sample has none before it."""
    if not known:
        return new
    return {
        **new,
        "min": np.minimum(known["min"], new["min"]),
        "max": np.maximum(known["max"], new["max"]),
    }
