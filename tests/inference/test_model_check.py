import os
import platform
import random
from pathlib import Path

import pytest

from edge_daemon.inference.interpreter import runtime_version
from edge_daemon.inference.model_check import ModelCheckError, check_in_child
from tests.inference.scenes import BARS

CRITICAL = (BARS / "critical.tflite").read_bytes()
LOW = BARS / "low.tflite"
TIMEOUT_S = 30.0


def spoiled(file: Path, model: bytes) -> Path:
    file.write_bytes(model)
    return file


def flipped(offset: int, bit: int) -> bytes:
    model = bytearray(CRITICAL)
    model[offset] ^= 1 << bit
    return bytes(model)


def test_good_models_are_reported_in_order() -> None:
    files = [LOW, BARS / "high.tflite"]
    reports = check_in_child(files, TIMEOUT_S)
    assert [report.file for report in reports] == [str(file) for file in files]
    assert [report.error for report in reports] == [None, None]
    assert {report.runtime for report in reports} == {runtime_version()}
    assert reports[1].outputs[0].shape == (1, 4)


def test_a_model_that_kills_its_reader_is_refused(tmp_path: Path) -> None:
    """One flipped bit in the root table, found by trying them all, makes LiteRT read wild."""
    bad = spoiled(tmp_path / "bad.tflite", flipped(20, 4))
    with pytest.raises(ModelCheckError, match=r"bad\.tflite: ") as caught:
        check_in_child([LOW, bad, LOW], TIMEOUT_S)
    if (runtime_version(), platform.machine()) == ("ai-edge-litert 2.1.6", "x86_64"):
        assert "ended with SIGSEGV" in str(caught.value)


def test_a_model_that_wants_all_memory_is_refused(tmp_path: Path) -> None:
    """One flipped bit in a shape asks for gigabytes."""
    bad = spoiled(tmp_path / "greedy.tflite", flipped(1723, 0))
    with pytest.raises(ModelCheckError, match=r"greedy\.tflite: "):
        check_in_child([bad], TIMEOUT_S)


def test_a_model_that_hangs_its_reader_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "slow.tflite"
    os.mkfifo(pipe)  # nobody ever writes to it
    with pytest.raises(ModelCheckError, match=r"slow\.tflite: .* not done within 1.5 s"):
        check_in_child([LOW, pipe], timeout_s=1.5)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelCheckError, match=r"absent\.tflite"):
        check_in_child([tmp_path / "absent.tflite"], TIMEOUT_S)


@pytest.mark.parametrize("length", [0, 3, 8, 100, 700, 1500, len(CRITICAL) - 60])
def test_cut_models_are_refused(tmp_path: Path, length: int) -> None:
    bad = spoiled(tmp_path / "cut.tflite", CRITICAL[:length])
    with pytest.raises(ModelCheckError, match=r"cut\.tflite"):
        check_in_child([bad], TIMEOUT_S)


def test_flipped_bits_give_a_report_or_an_error_by_name(tmp_path: Path) -> None:
    """Many spoiled models: whatever they do to the child, this process gets to say so."""
    rng = random.Random(5)
    refused = 0
    for number in range(8):
        model = flipped(rng.randrange(len(CRITICAL)), rng.randrange(8))
        file = spoiled(tmp_path / f"flip{number}.tflite", model)
        try:
            (report,) = check_in_child([file], TIMEOUT_S)
        except ModelCheckError as error:
            refused += 1
            assert file.name in str(error)
        else:
            assert (report.file, report.error) == (str(file), None)
    assert refused
