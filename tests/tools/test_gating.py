"""What is measured, on a bundle whose answers are known: four bars, one of which is shown."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from edge_daemon.inference.bundle import Bundle, BundleError, load_bundle
from edge_daemon.tier import Tier
from tools.dataset.stream import Turn
from tools.gating import main, measure

ROOT = Path(__file__).resolve().parents[2]
BARS = ROOT / "tests" / "data" / "models" / "bars"
WINDOWS = 10


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bars with digits for labels."""
    directory = tmp_path_factory.mktemp("bundles") / "bars"
    directory.mkdir()
    for file in BARS.iterdir():
        text = file.read_bytes()
        (directory / file.name).write_bytes(
            text.replace(b"[first, second, third, fourth]", b"['0', '1', '2', '3']")
        )
    return load_bundle(directory)


def shown(labels: list[int], fade: int = 0) -> Iterator[Turn]:
    """Show a bar for each label, in silence, getting darker by `fade` of 255 from window to window.

    The first window of each turn is as bright as the model wants it.
    """
    for clip, label in enumerate(labels):
        picture = np.zeros((28, 28), np.uint8)
        picture[np.arange(28) * 4 // 28 == label] = 255
        steps = np.arange(WINDOWS)[:, None, None] * fade
        pictures = np.where(picture > 0, 255 - steps, 0).astype(np.uint8)
        yield Turn(label, clip, pictures, np.zeros(WINDOWS * 800, np.float32))


def test_what_stands_still_is_reused_and_stays_right(bars: Bundle) -> None:
    ticks = count(0, 1000)
    fresh, reusing = measure(
        bars,
        shown([0, 1, 2, 3, 1]),
        (Tier.LOW,),
        [(0.1, 0.0)],
        timer=lambda: next(ticks),
    )
    assert (fresh.picture, fresh.sound, fresh.reused) == (None, None, 0.0)
    assert (reusing.picture, reusing.sound) == (0.1, 0.0)
    assert fresh.windows == reusing.windows == 50
    # A window each 100 ms, for half a second: of ten windows two are computed.
    assert reusing.reused == pytest.approx(0.8)
    assert fresh.accuracy == reusing.accuracy == reusing.agreement == 1.0
    assert (fresh.cpu_us, fresh.saved, reusing.saved) == (1.0, 0.0, 0.0)


def test_a_threshold_above_every_change_costs_accuracy(bars: Bundle) -> None:
    """With a threshold of 1 each answer is kept for half a second, whatever is shown."""
    turns = [0, 1, 2, 3] * 3
    fresh, blind = measure(bars, shown(turns), (Tier.HIGH,), [(1.0, 1.0)])
    assert fresh.accuracy == 1.0
    labels = np.repeat(turns, WINDOWS)
    computed = np.arange(len(labels)) // 6 * 6
    assert blind.accuracy == blind.agreement == (labels == labels[computed]).mean()
    assert blind.low <= blind.accuracy <= blind.high < 1.0


def test_what_changes_from_window_to_window_is_computed(bars: Bundle) -> None:
    _, reusing, lax = measure(
        bars, shown([0, 1, 2], fade=8), (Tier.LOW,), [(7 / 255, 0.0), (20 / 255, 0.0)]
    )
    assert reusing.reused == 0.0
    assert lax.reused == pytest.approx(0.6)  # of ten, those 3, 6 and 9 steps on are computed


def test_every_tier_has_its_own_reference(bars: Bundle) -> None:
    results = measure(bars, shown([0, 1]), (Tier.HIGH, Tier.LOW), [(0.1, 0.0)])
    assert [(one.tier, one.picture) for one in results] == [
        (Tier.HIGH, None),
        (Tier.HIGH, 0.1),
        (Tier.LOW, None),
        (Tier.LOW, 0.1),
    ]


def test_a_bundle_for_something_else_is_refused() -> None:
    with pytest.raises(BundleError, match="labels: 0 is not among them"):
        measure(load_bundle(BARS), shown([0]), (Tier.LOW,))


def test_missing_data_is_said_in_a_line(
    bars: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(tmp_path), "--bundle", str(bars.path), "--run", str(tmp_path / "r")]
    assert main(arguments) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert str(tmp_path / "mnist") in said[0]
    assert main([*arguments[:3], str(tmp_path / "none"), *arguments[4:]]) == 1
    assert not (tmp_path / "r").exists()


def test_the_command_writes_a_line_for_each_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.tools.dataset.sources import write_sources
    from tools import gating

    folders = write_sources(tmp_path)
    monkeypatch.setattr(gating, "Folders", lambda *parts: folders)
    bundle = ROOT / "models" / "avdigits"
    words = ["--data", str(tmp_path), "--bundle", str(bundle), "--run", str(tmp_path / "run")]
    assert main([*words, "--turns", "4"]) == 0
    lines = [
        json.loads(line) for line in (tmp_path / "run" / "gating.jsonl").read_text().splitlines()
    ]
    assert len(lines) == 2 * (1 + len(gating.THRESHOLDS))
    assert {line["event"] for line in lines} == {"gating"}
    assert {line["bundle"] for line in lines} == {"avdigits"}
    reused = [line["reused"] for line in lines if line["tier"] == "low"]
    assert reused[0] == 0.0
    assert max(reused) > 0.2
    assert "reused %" in capsys.readouterr().out
