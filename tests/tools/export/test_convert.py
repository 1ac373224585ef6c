import numpy as np
import pytest
import torch

from edge_daemon.inference.interpreter import Interpreter
from tests.tools.export.conftest import Converted
from tools.evaluation.answers import tensor
from tools.export.flatbuffer import compact, read_model
from tools.export.graph import GraphError, check_full_integer, read_graph
from tools.export.lower import example_inputs
from tools.generated import generated


def test_it_is_int8_from_end_to_end(converted: Converted) -> None:
    graph = check_full_integer(converted.int8_model)
    assert graph.types == {"INT8", "INT32"}
    assert not {"TRANSPOSE", "QUANTIZE", "DEQUANTIZE"} & set(graph.operators)
    # The picture needs no padding of its own; the sound only that of the past.
    assert graph.operators.count("PAD") == 3


def test_a_float_model_is_refused(converted: Converted) -> None:
    with pytest.raises(GraphError, match="FLOAT32"):
        check_full_integer(converted.float_model)


def test_signature_shapes_and_scales(converted: Converted) -> None:
    interpreter = Interpreter(compact(converted.int8_model))
    image, audio = interpreter.inputs["image"], interpreter.inputs["audio"]
    assert image.shape == (1, 28, 28, 1) and audio.shape == (1, 64, 40, 1)
    for info in (image, audio):
        assert (info.dtype, info.zero_point) == ("int8", -128)
        assert info.scale == pytest.approx(1 / 255, rel=1e-7)
    assert interpreter.outputs["logits"].shape == (1, 10)
    assert interpreter.outputs["logits"].dtype == "int8"
    assert interpreter.delegated


def test_compacting_changes_no_answer(converted: Converted) -> None:
    small = compact(converted.int8_model)
    assert len(small) < 0.75 * len(converted.int8_model)
    names = {tensor.name for tensor in read_model(small).subgraphs[0].tensors}
    assert names == {None, b"image", b"audio", b"logits"}
    before, after = Interpreter(converted.int8_model), Interpreter(small)
    random = np.random.default_rng(0)
    for _ in range(20):
        inputs = {
            name: random.random(info.shape, dtype=np.float32) for name, info in after.inputs.items()
        }
        np.testing.assert_array_equal(before.run(inputs)["logits"], after.run(inputs)["logits"])
    # Nothing is left to share or drop.
    assert len(compact(small)) == len(small)


def test_float_model_equals_network(converted: Converted) -> None:
    interpreter = Interpreter(converted.float_model)
    inputs = example_inputs(converted.student)
    with torch.no_grad():
        expected = torch.softmax(converted.student(**inputs), 1)
    found = interpreter.run({name: value.numpy() for name, value in inputs.items()})["logits"]
    torch.testing.assert_close(
        torch.softmax(torch.from_numpy(found), 1), expected, atol=1e-5, rtol=1e-4
    )


def test_int8_agrees_with_float(converted: Converted) -> None:
    dataset = generated(200, seed=6)
    int8, float32 = Interpreter(converted.int8_model), Interpreter(converted.float_model)
    agreed = right = 0
    for picture, label, at in zip(
        dataset.pictures.images28, dataset.pictures.labels, dataset.pairs, strict=True
    ):
        inputs = {"image": tensor(picture), "audio": tensor(dataset.sounds.columns[at])}
        answer = int8.run(inputs)["logits"].argmax()
        agreed += answer == float32.run(inputs)["logits"].argmax()
        right += answer == label
    assert agreed >= 196
    assert right >= 180


def test_macs_are_those_of_the_layers(converted: Converted) -> None:
    image = 28 * 28 * 8 * 9  # stem
    image += 14 * 14 * (8 * 9 + 8 * 12)  # first block
    image += 7 * 7 * (12 * 9 + 12 * 12)  # second block
    image += 12 * 49 + 12 * 10  # gathering and head
    audio = 64 * 40 * 3 * 16  # stem
    audio += 64 * (16 * 7 + 16 * 16) + 32 * (16 * 7 + 16 * 20)  # blocks
    audio += 20 * 10  # head
    assert read_graph(converted.int8_model).macs == image + audio
