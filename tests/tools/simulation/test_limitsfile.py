from pathlib import Path

import pytest

from edge_daemon.governor.limits import Limits
from tools.simulation.limitsfile import LimitsError, limits_yaml, read_limits
from tools.simulation.search import limits_with

ROOT = Path(__file__).resolve().parents[3]


def test_the_shipped_config_has_the_default_limits() -> None:
    assert read_limits(ROOT / "config.yaml") == Limits()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    drawn = {"down_polls": 3, "foreseen.horizon_s": 42.5, "up_after_s": 5.0}
    path = tmp_path / "tuned.yaml"
    path.write_text(limits_yaml(drawn), encoding="utf-8")
    assert read_limits(path) == limits_with(Limits(), drawn)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("governor: [", "no YAML"),
        ("video: {}", "has no governor.limits"),
        ("governor: {limits: {down_pols: 2}}", "down_pols"),
        ("governor: {limits: {down_polls: 0}}", "down_polls"),
        ("governor: {limits: {up_after_s: 700}}", "up_after_max_s must be at least"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LimitsError, match=said) as raised:
        read_limits(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LimitsError, match="No such file"):
        read_limits(tmp_path / "nowhere.yaml")
