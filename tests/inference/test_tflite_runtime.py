"""The second runtime, where it is installed: the same answers through the same class.

It needs Python 3.11 and numpy 1, which the rest of the development packages do not go with: `make
test-tflite` makes an environment for it.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.capture.ring import SampleRing
from edge_daemon.capture.source import Chunk, Frame
from edge_daemon.inference.bundle import check_models, load_bundle
from edge_daemon.inference.interpreter import InterpreterError, runtime_version
from edge_daemon.inference.model_check import ModelCheckError, check_in_child
from edge_daemon.inference.pipeline import load_pipeline
from edge_daemon.tier import TIERS, Tier
from edge_daemon.window import Window

MODELS = Path(__file__).resolve().parents[1] / "data" / "models"
AVDIGITS = Path(__file__).resolve().parents[2] / "models" / "avdigits"
NUMPY_1 = int(np.__version__.split(".")[0]) < 2


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


if not installed("tflite_runtime") or installed("ai_edge_litert"):
    pytest.skip("tflite-runtime is not the only runtime installed", allow_module_level=True)

with_numpy_1 = pytest.mark.skipif(not NUMPY_1, reason="tflite-runtime needs numpy < 2")


@with_numpy_1
def test_it_is_chosen_when_it_is_the_only_one() -> None:
    assert runtime_version().startswith("tflite-runtime 2.")


@with_numpy_1
@pytest.mark.parametrize("bundle_path", [MODELS / "bars", AVDIGITS], ids=["bars", "avdigits"])
def test_bundles_load_and_pass_the_check(bundle_path: Path) -> None:
    reports = check_models(load_bundle(bundle_path))
    assert reports.keys() == set(TIERS)
    assert {report.runtime for report in reports.values()} == {runtime_version()}


@with_numpy_1
@pytest.mark.parametrize("label", range(4))
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("threads", [1, 2])
def test_every_tier_answers(tier: Tier, label: int, threads: int) -> None:
    pipeline = load_pipeline(load_bundle(MODELS / "bars"), tier, threads)
    picture = np.zeros((28, 28), np.uint8)
    picture[np.arange(28) * 4 // 28 == label] = 255
    ring = SampleRing(16_000, 8000)
    ring.append(Chunk(np.zeros(8000, np.float32), 0))
    scores = pipeline.run(Window(0, 0, Frame(picture, 0), ring, ring.end))
    assert int(scores.probabilities.argmax()) == label
    pipeline.close()


@with_numpy_1
def test_a_broken_model_is_refused_though_it_may_kill_this_runtime(tmp_path: Path) -> None:
    model = tmp_path / "cut.tflite"
    model.write_bytes((MODELS / "bars" / "low.tflite").read_bytes()[:200])
    # It reads beyond the end: what it finds there is chance.
    with pytest.raises(ModelCheckError, match=r"cut\.tflite.*( ended with SIG|: cannot be loaded)"):
        check_in_child([model], timeout_s=30.0)


@pytest.mark.skipif(NUMPY_1, reason="needs numpy 2")
def test_with_numpy_2_it_is_refused_with_the_remedy() -> None:
    with pytest.raises(InterpreterError, match="numpy < 2"):
        runtime_version()
