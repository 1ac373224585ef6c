"""The command as a user runs it, on generated data and bundles that are there."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_daemon.inference.bundle import load_bundle, write_bundle
from edge_daemon.tier import TIERS, Tier
from tools.choose import main
from tools.evaluation.answers import Pairs

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "models" / "avdigits"
ROOMY = [
    word
    for tier in TIERS
    for word in ("--bytes", f"{tier}=100000", "--macs", f"{tier}=1e7", "--target", f"{tier}=40")
] + ["--total", "400000"]


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """The shipped bundle, but `high` hears only as much as `medium`."""
    directory = tmp_path / "twin"
    shutil.copytree(SHIPPED, directory)
    bundle = load_bundle(directory)
    tiers = {**bundle.tiers, Tier.HIGH: bundle.tiers[Tier.MEDIUM]}
    write_bundle(directory, name="twin", version="0.0.1", labels=bundle.labels, tiers=tiers)
    return directory


def events(run: Path, name: str) -> list[dict[str, object]]:
    lines = map(json.loads, (run / "choice.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == name]


def test_every_tier_gets_a_model(
    twin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--smoke", "--run", str(tmp_path), *ROOMY, str(SHIPPED), str(twin)])
    found = {(line["tier"], line["name"]): line for line in events(tmp_path, "candidate")}
    assert found.keys() == {(tier, str(path)) for tier in TIERS for path in (SHIPPED, twin)}
    shipped = load_bundle(SHIPPED)
    for tier in TIERS:
        line = found[tier, str(SHIPPED)]
        assert (line["bytes"], line["macs"]) == (
            shipped.tiers[tier].bytes,
            shipped.tiers[tier].macs,
        )
        assert line["samples"] == 200
    assert found["high", str(twin)]["macs"] == shipped.tiers[Tier.MEDIUM].macs
    choices = events(tmp_path, "choice")
    assert [line["tier"] for line in choices] == list(TIERS)
    for line in choices:
        scores, reasons = line["scores"], line["reasons"]
        assert isinstance(scores, dict) and isinstance(reasons, dict)
        assert line["best"] == max(scores, key=lambda name: (scores[name], name == str(SHIPPED)))
        assert {line["best"], *reasons} == {str(SHIPPED), str(twin)}
        assert line["target_us"] == 40.0
    assert capsys.readouterr().out.count("chosen") == 4


def test_models_hear_the_bands_of_their_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = load_bundle(SHIPPED)
    narrow = tmp_path / "narrow"
    shutil.copytree(SHIPPED, narrow)
    audio = shipped.tiers[Tier.HIGH].inputs.audio
    assert audio is not None
    spec = shipped.tiers[Tier.HIGH]
    inputs = replace(spec.inputs, audio=replace(audio, band_slice=(3, 35)))
    tiers = {**shipped.tiers, Tier.HIGH: replace(spec, inputs=inputs)}
    write_bundle(narrow, name="narrow", version="0.0.1", labels=shipped.labels, tiers=tiers)
    heard = []

    def keep(interpreter: object, pairs: Pairs) -> NDArray[np.float32]:
        heard.append(None if pairs.sounds is None else pairs.sounds.shape[2])
        return np.eye(10, dtype=np.float32)[pairs.labels]

    # The models themselves are all for 40 bands.
    monkeypatch.setattr("tools.choose.model_logits", keep)
    main(["--smoke", "--run", str(tmp_path), *ROOMY, str(SHIPPED), str(narrow)])
    by_tier = dict(zip(TIERS, zip(heard[::2], heard[1::2], strict=True), strict=True))
    assert by_tier[Tier.HIGH] == (40, 32)
    assert by_tier[Tier.MEDIUM] == (40, 40)
    assert by_tier[Tier.LOW] == by_tier[Tier.CRITICAL] == (None, None)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--w", "0.07"], 2, "0.07 would reward slow models"),
        (["--target", "middle=3"], 2, "middle is not one of"),
        (["--target", "high=quick"], 2, "must be TIER=NUMBER"),
        ([*ROOMY, "--bytes", "low=1000"], 1, "low: none is within the budget"),
        ([*ROOMY, "--total", "1000"], 1, "all tiers together: the smallest files take"),
        (["nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--smoke", "--run", str(tmp_path), str(SHIPPED), *words])
    assert stopped.value.code == code
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_a_bundle_for_other_labels_is_refused(
    twin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(twin)
    labels = tuple("abcdefghij")
    write_bundle(twin, name="twin", version="0.0.1", labels=labels, tiers=bundle.tiers)
    with pytest.raises(SystemExit):
        main(["--smoke", "--run", str(tmp_path), str(SHIPPED), str(twin)])
    assert f"{twin}: labels are a, b" in capsys.readouterr().err
