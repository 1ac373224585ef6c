import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_daemon.inference.interpreter import (
    Interpreter,
    InterpreterError,
    _Quantiser,
    runtime_version,
)
from edge_daemon.inference.tensor import TensorInfo
from tests.data.make_models import AUDIO, IMAGE, LABELS, bar_weights, bars_model
from tests.inference.scenes import AVDIGITS, BARS, bar

TIERS = ("critical", "low", "medium", "high")
MODELS = [bundle / f"{tier}.tflite" for bundle in (BARS, AVDIGITS) for tier in TIERS]


def reference_quantise(values: NDArray[np.float32], info: TensorInfo) -> list[int]:
    """The definition, one value at a time."""
    limits = np.iinfo(info.dtype)
    whole = [float(np.rint(np.float32(value) / np.float32(info.scale))) for value in values.flat]
    return [int(min(max(q + info.zero_point, limits.min), limits.max)) for q in whole]


def image(label: int) -> NDArray[np.float32]:
    return bar(label).astype(np.float32).reshape(IMAGE) / np.float32(255.0)


@pytest.mark.parametrize(
    ("dtype", "zero_point"),
    [("int8", -128), ("int8", 0), ("int8", 7), ("uint8", 0), ("uint8", 128), ("int16", 0)],
)
@settings(max_examples=40, deadline=None)
@given(
    values=arrays(np.float32, (1, 3, 4, 1), elements=st.floats(-3.0, 3.0, width=32)),
    scale=st.sampled_from([1 / 255, 0.125, 0.003921568859368563, 1e-4]),
)
def test_quantisation_is_the_definition_to_the_bit(
    dtype: str, zero_point: int, values: NDArray[np.float32], scale: float
) -> None:
    info = TensorInfo("x", values.shape, dtype, scale, zero_point)
    got = _Quantiser(info)(values)
    assert got.dtype.name == dtype
    assert list(got.flat) == reference_quantise(values, info)


def test_what_is_out_of_range_is_clipped_and_nan_is_the_lowest() -> None:
    info = TensorInfo("x", (6,), "int8", 1 / 255, -128)
    extreme = np.array([-1e30, -0.1, 1.1, np.inf, -np.inf, np.nan], np.float32)
    assert _Quantiser(info)(extreme).tolist() == [-128, -128, 127, 127, -128, -128]


def test_quantising_reuses_its_buffer() -> None:
    quantise = _Quantiser(TensorInfo("x", (2,), "int8", 1 / 255, -128))
    assert quantise(np.zeros(2, np.float32)) is quantise(np.ones(2, np.float32))


@pytest.mark.parametrize("model", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_equals_the_runtime_used_by_hand(model: Path, threads: int) -> None:
    interpreter = Interpreter(model, threads)
    rng = np.random.default_rng(3)
    inputs = {
        name: rng.uniform(-0.1, 1.1, info.shape).astype(np.float32)
        for name, info in interpreter.inputs.items()
    }
    outputs = interpreter.run(inputs)

    native = by_hand(model)
    details = native.get_signature_runner().get_input_details()
    for name, detail in details.items():
        values = np.array(reference_quantise(inputs[name], interpreter.inputs[name]))
        native.set_tensor(detail["index"], values.reshape(detail["shape"]).astype(detail["dtype"]))
    detail = native.get_output_details()[0]
    native.invoke()
    scale, zero_point = detail["quantization"]
    integers = native.get_tensor(detail["index"]).astype(np.float64)

    assert outputs.keys() == {"logits"}
    assert outputs["logits"].dtype == np.float32
    np.testing.assert_allclose(
        outputs["logits"], (integers - zero_point) * np.float32(scale), rtol=1e-6
    )


def by_hand(model: Path):  # type: ignore[no-untyped-def] # the runtimes are untyped
    from edge_daemon.inference.interpreter import _runtime

    native = _runtime().Interpreter(model_path=str(model), num_threads=1)
    native.allocate_tensors()
    return native


@pytest.mark.parametrize("label", range(4))
def test_it_finds_the_bar(label: int) -> None:
    interpreter = Interpreter((BARS / "low.tflite").read_bytes())
    logits = interpreter.run({"image": image(label)})["logits"]
    expected = bar_weights(IMAGE) @ image(label).ravel()
    np.testing.assert_allclose(logits[0], expected, atol=0.2)


def test_inputs_are_bound_by_name_whatever_their_order() -> None:
    sound = np.zeros(AUDIO, np.float32)
    sound[:, :, 30:] = 1.0
    inputs = {"image": image(0), "audio": sound}
    swapped = {"audio": sound, "image": image(0)}
    one = Interpreter(bars_model({"image": IMAGE, "audio": AUDIO}))
    other = Interpreter(bars_model({"audio": AUDIO, "image": IMAGE}))
    logits = one.run(inputs)["logits"]
    np.testing.assert_array_equal(logits, one.run(swapped)["logits"])
    np.testing.assert_array_equal(logits, other.run(inputs)["logits"])
    assert logits[0, 0] > 2.0 and logits[0, 3] > 2.0


def test_a_float_model_gets_its_values_unchanged() -> None:
    interpreter = Interpreter(bars_model({"image": IMAGE}, quantised=False))
    assert interpreter.inputs["image"] == TensorInfo("image", IMAGE, "float32")
    values = np.random.default_rng(1).uniform(-2, 2, IMAGE).astype(np.float32)
    logits = interpreter.run({"image": values})["logits"]
    np.testing.assert_allclose(logits[0], bar_weights(IMAGE) @ values.ravel(), rtol=1e-4, atol=1e-4)


def test_results_are_not_overwritten_by_the_next_run() -> None:
    interpreter = Interpreter(BARS / "low.tflite")
    first = interpreter.run({"image": image(0)})["logits"]
    kept = first.copy()
    interpreter.run({"image": image(3)})
    np.testing.assert_array_equal(first, kept)


def test_a_run_allocates_its_result_and_no_more() -> None:
    """Peak of what Python and numpy allocate, against 13 kB of float32 that go in."""
    interpreter = Interpreter(BARS / "high.tflite")
    inputs = {"image": image(0), "audio": np.zeros(AUDIO, np.float32)}
    interpreter.run(inputs)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    interpreter.run(inputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < 2000


def test_it_describes_its_tensors() -> None:
    interpreter = Interpreter(BARS / "high.tflite")
    assert interpreter.inputs["image"].shape == IMAGE
    audio = interpreter.inputs["audio"]
    assert audio == TensorInfo("audio", AUDIO, "int8", audio.scale, -128)
    assert audio.scale == pytest.approx(1 / 255)
    assert interpreter.outputs["logits"].shape == (1, len(LABELS))


def test_it_says_whether_xnnpack_took_the_graph() -> None:
    interpreter = Interpreter(BARS / "high.tflite")
    expected = runtime_version().startswith("ai-edge-litert")
    assert interpreter.delegated is expected


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "the file is empty"),
        (b"not a model, but long enough to have an identifier", "cannot be loaded"),
        (bars_model({"image": IMAGE}, signature=None), "0 signatures"),
        (bars_model({"image": IMAGE}, scale=0.0), "scale"),
    ],
)
def test_bad_models_are_refused_by_name(model: bytes, message: str) -> None:
    with pytest.raises(InterpreterError, match=message) as caught:
        Interpreter(model, name="digits.tflite")
    assert str(caught.value).startswith("digits.tflite: ")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InterpreterError, match=r"absent\.tflite"):
        Interpreter(Path("absent.tflite"))


def test_no_threads_are_refused() -> None:
    with pytest.raises(InterpreterError, match="threads"):
        Interpreter(BARS / "low.tflite", threads=0)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "takes"),
        ({"image": image(0), "audio": image(0)}, "takes"),
        ({"sound": image(0)}, "image is missing"),
        ({"image": np.zeros((1, 1, 1, 1), np.float32)}, "got"),
    ],
)
def test_wrong_inputs_are_refused(inputs: dict[str, NDArray[np.float32]], message: str) -> None:
    with pytest.raises(InterpreterError, match=message):
        Interpreter(BARS / "low.tflite").run(inputs)


def test_a_closed_interpreter_says_so() -> None:
    interpreter = Interpreter(BARS / "low.tflite")
    interpreter.close()
    interpreter.close()
    with pytest.raises(InterpreterError, match="closed"):
        interpreter.run({"image": image(0)})
