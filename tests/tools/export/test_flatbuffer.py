from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
import pytest

from edge_daemon.inference.interpreter import Interpreter
from tests.tools.export.conftest import Converted
from tools.export.anatomy import KINDS, bytes_by_kind, main
from tools.export.flatbuffer import (
    FILE_IDENTIFIER,
    WITH_BIAS,
    builtin,
    compact,
    read_model,
    share_bias_scales,
)
from tools.networks.fold import folded


def layers(model: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the quantisation of data, weights and bias of every layer that has the three."""
    subgraph = model.subgraphs[0]
    for operator in subgraph.operators:
        if builtin(model, operator) in WITH_BIAS:
            data, weights, bias = (subgraph.tensors[index] for index in operator.inputs)
            yield data.quantization, weights.quantization, bias.quantization


def written(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


def test_biases_point_at_the_scales_of_their_weights(converted: Converted) -> None:
    before = list(layers(read_model(converted.int8_model)))
    small = compact(converted.int8_model)
    after = list(layers(read_model(small)))
    assert len(before) == len(after) == 13
    for (data, weights, bias), (_, kept, shared) in zip(before, after, strict=True):
        np.testing.assert_allclose(bias.scale, data.scale * weights.scale, rtol=1e-6)
        np.testing.assert_array_equal(kept.scale, weights.scale)
        assert shared.scale.ctypes.data == kept.scale.ctypes.data
        np.testing.assert_array_equal(shared.zeroPoint, bias.zeroPoint)
    # XNNPACK takes every layer still: it refuses biases without a scale for each channel.
    assert Interpreter(small).delegated


def test_a_scale_that_is_not_the_product_stays(converted: Converted) -> None:
    model = read_model(converted.int8_model)
    strange = next(bias for _, _, bias in layers(model))
    strange.scale = strange.scale * np.float32(1.01)
    expected = strange.scale.copy()
    share_bias_scales(model)
    first, *rest = layers(model)
    np.testing.assert_array_equal(first[2].scale, expected)
    assert all(bias.scale is weights.scale for _, weights, bias in rest)


def test_a_layer_with_one_scale_keeps_its_bias(converted: Converted) -> None:
    model = read_model(converted.int8_model)
    data, weights, bias = next(layers(model))
    weights.scale = weights.scale[:1].copy()
    bias.scale = data.scale * weights.scale
    share_bias_scales(model)
    assert bias.scale is not weights.scale
    np.testing.assert_array_equal(bias.scale, data.scale * weights.scale)


def test_a_float_model_is_compacted_too(converted: Converted) -> None:
    small = compact(converted.float_model)
    assert len(small) < len(converted.float_model)
    before, after = Interpreter(converted.float_model), Interpreter(small)
    random = np.random.default_rng(0)
    inputs = {
        name: random.random(info.shape, dtype=np.float32) for name, info in after.inputs.items()
    }
    np.testing.assert_array_equal(before.run(inputs)["logits"], after.run(inputs)["logits"])


def test_metadata_and_unused_buffers_go(converted: Converted) -> None:
    model = read_model(converted.int8_model)
    model.buffers.append(type(model.buffers[0])())
    model.buffers[-1].data = np.arange(100, dtype=np.uint8)
    found = read_model(compact(written(model)))
    assert found.metadata is None and found.description is None
    used = {tensor.buffer for tensor in found.subgraphs[0].tensors}
    assert used == set(range(len(found.buffers)))
    assert not any(
        buffer.data is not None and bytes(buffer.data) == bytes(range(100))
        for buffer in found.buffers
    )


def test_the_bytes_of_a_file_add_up(converted: Converted) -> None:
    student = folded(converted.student)
    weights = [
        layer.weight
        for name, layer in student.named_modules()
        if hasattr(layer, "weight") and "prefix_head" not in name  # of another tier
    ]
    for content in (converted.int8_model, compact(converted.int8_model)):
        sizes = bytes_by_kind(content)
        assert tuple(sizes) == KINDS
        assert sum(sizes.values()) == len(content)
        assert min(sizes.values()) >= 0
        assert sizes["weights"] == sum(each.numel() + 4 for each in weights)
        assert sizes["biases"] == sum(4 * len(each) + 4 for each in weights)
    # A zero point has 8 bytes: one vector for each number of channels, one for each of a tensor's.
    channels = {8, 10, 12, 16, 20}
    least = sum(8 * count + 4 for count in channels)
    assert least < bytes_by_kind(compact(converted.int8_model))["zero points"] < least + 12 * 12


def test_compacting_saves_scales_zero_points_and_structure(converted: Converted) -> None:
    before = bytes_by_kind(converted.int8_model)
    after = bytes_by_kind(compact(converted.int8_model))
    assert after["weights"] == before["weights"] and after["biases"] == before["biases"]
    assert after["scales"] < 0.6 * before["scales"]
    assert after["zero points"] < 0.4 * before["zero points"]
    assert after["structure"] < 0.5 * before["structure"]


def test_the_command_prints_every_file(
    converted: Converted, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    content = compact(converted.int8_model)
    (tmp_path / "some.tflite").write_bytes(content)
    main([str(tmp_path / "some.tflite")])
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in ("some", *KINDS))
    assert f"{len(content):,}" in shown
