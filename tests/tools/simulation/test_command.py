import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_daemon.tier import Tier
from tools import simulate


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "lab.csv"
    rows = "".join(f"{60 * n},{0.2 + 0.7 * (n % 2)},180\n" for n in range(6))
    path.write_text("at_s,cpu_foreign,memory_available_mib\n" + rows, encoding="utf-8")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(command: str, out: Path, *arguments: object) -> int:
    return simulate.main([command, "--jobs", "1", "--out", str(out), *map(str, arguments)])


def test_score_says_who_is_how_good(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", tmp_path, "--trace", trace) == 0
    said = capsys.readouterr().out
    for word in ("always high", "ALERT", "gates: ours", "memory violation"):
        assert word in said
    rows = lines(tmp_path / "score.jsonl")
    runs = {row["policy"]: row["figures"] for row in rows if row["event"] == "run"}
    best = runs["oracle"]["utility"]
    assert len(runs) == 13
    assert all(figures["utility"] <= best + 0.002 for figures in runs.values())
    regret = {row["policy"]: row["regret"] for row in rows if row["event"] == "summary"}
    assert regret["ours"]["value"] == pytest.approx(1.0 - runs["ours"]["utility"] / best)
    assert (tmp_path / "scatter.png").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "scatter.svg").read_text(encoding="utf-8")


def test_check_fails_where_a_gate_does(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", tmp_path, "--trace", trace, "--check") == 0
    full = tmp_path / "full.csv"  # not even `critical` has windows on time there
    full.write_text("at_s,cpu_foreign\n0,6\n60,6\n", encoding="utf-8")
    assert run("score", tmp_path, "--trace", full, "--check") == 1
    assert "FAIL" in capsys.readouterr().out


def test_tune_writes_config_keys(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tune", tmp_path, "--trace", trace, "--policy", "ours", "--draws", 3) == 0
    trials = lines(tmp_path / "tune.jsonl")
    assert [row["policy"] for row in trials] == ["ours"] * 4
    assert [row["cost"] for row in trials] == sorted(row["cost"] for row in trials)
    assert "the default" in capsys.readouterr().out
    best = trials[0]["drawn"]
    if best:
        tree = yaml.safe_load((tmp_path / "tuned.yaml").read_text(encoding="utf-8"))
        assert tree["governor"]["limits"]["down_polls"] == best["down_polls"]
        assert run("score", tmp_path, "--trace", trace, "--limits", tmp_path / "tuned.yaml") == 0


def test_tune_tries_every_combination_that_is_asked_for(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vary = ("--vary", "ups_per_hour=8,16", "down_polls=1,3")
    assert run("tune", tmp_path, "--trace", trace, "--policy", "ours", *vary) == 0
    drawn = [row["drawn"] for row in lines(tmp_path / "tune.jsonl")]
    assert len(drawn) == 5 and {"ups_per_hour": 16.0, "down_polls": 3} in drawn
    assert "ups_per_hour 16, down_polls 3" in capsys.readouterr().out
    for wrong, says in (("up=1", "up is none of down_polls,"), ("forget_s=x", "NUMBER")):
        with pytest.raises(SystemExit):
            run("tune", tmp_path, "--policy", "ours", "--vary", wrong)
        assert says in capsys.readouterr().err


def test_ablate_leaves_one_part_out_at_a_time(trace: Path, tmp_path: Path) -> None:
    assert run("ablate", tmp_path, "--trace", trace) == 0
    names = {row["policy"] for row in lines(tmp_path / "ablate.jsonl")}
    assert {"oracle", "ours", "without hysteresis", "own load counted as others'"} < names


def test_plot_draws_a_timeline_and_says_what_came_of_it(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plot", tmp_path, "--trace", trace, "--policy", "always medium", "ours") == 0
    rows = [line.split()[1] for line in capsys.readouterr().out.splitlines() if "[" in line]
    assert {"oracle", "always", "ours"} <= set(rows) and "ALERT" not in rows
    assert (tmp_path / "timeline-lab-x1.png").stat().st_size > 20_000


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("sweep")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setattr(simulate, "SWEPT_KINDS", ("hot",))
        patch.setattr(simulate, "SWEPT_LOADS", (0.1, 0.85))
        patch.setattr(simulate, "SWEPT_WARMER_C", (-12.0, 13.0))
        assert run("sweep", out, "--policy", "always high", "raw table", "ours") == 0
    return out, said.getvalue()


def points(path: Path, policy: str) -> list[dict[str, Any]]:
    return [row for row in lines(path) if row["policy"] == policy and row["load"] is None]


def high(row: dict[str, Any]) -> float:
    return float(row["tiers"][Tier.HIGH.rank])


def test_a_hotter_room_takes_high_away(swept: tuple[Path, str]) -> None:
    cool, hot = points(swept[0] / "sweep-room.jsonl", "ours")
    assert (cool["at"], hot["at"]) == (15.0, 40.0)
    assert high(cool) > 0.25 > 2.0 * high(hot)
    best = points(swept[0] / "sweep-room.jsonl", "oracle")
    assert high(best[0]) > 2.0 * high(best[1])
    careless = points(swept[0] / "sweep-room.jsonl", "always high")
    assert careless[1]["missed"]["value"] > 2.0 * careless[0]["missed"]["value"]
    assert careless[1]["regret"]["value"] > 2.0 * careless[0]["regret"]["value"]
    assert hot["missed"]["value"] < 0.1 * careless[1]["missed"]["value"]


def test_more_load_takes_high_away(swept: tuple[Path, str]) -> None:
    idle, busy = points(swept[0] / "sweep-load.jsonl", "ours")
    assert (idle["at"], busy["at"]) == (0.1, 0.85)
    assert high(idle) > 0.95 and high(busy) < 0.3
    careless = points(swept[0] / "sweep-load.jsonl", "always high")
    assert careless[0]["missed"]["value"] < 0.01 < 0.2 < careless[1]["missed"]["value"]
    for point, other in zip(
        (idle, busy), points(swept[0] / "sweep-load.jsonl", "raw table"), strict=True
    ):
        assert point["regret"]["value"] < other["regret"]["value"]


def test_sweep_prints_and_draws_what_it_found(swept: tuple[Path, str]) -> None:
    out, said = swept
    hot = points(out / "sweep-room.jsonl", "ours")[1]
    regret, missed = (100.0 * hot[name]["value"] for name in ("regret", "missed"))
    assert f"{regret:.1f} ({missed:.2f})" in said
    assert "ours: in high, % of time" in said
    assert (out / "sweep.png").stat().st_size > 10_000


def test_what_is_wrong_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", tmp_path, "--trace", tmp_path / "nowhere.csv") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run("score", tmp_path, "--limits", tmp_path / "nowhere.yaml") == 2
    assert "nowhere.yaml" in capsys.readouterr().err
