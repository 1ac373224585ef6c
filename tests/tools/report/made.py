"""A whole directory of runs, made by code, with differences that are known exactly."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TIERS = ("high", "medium", "low", "critical")
RATES = {
    "published": {
        "teacher": 0.972,
        "high": 0.963,
        "medium": 0.952,
        "low": 0.843,
        "critical": 0.838,
    },
    "hard": {"teacher": 0.94, "high": 0.924, "medium": 0.917, "low": 0.662, "critical": 0.6555},
    "clean": {"teacher": 1.0, "high": 0.999, "medium": 0.998, "low": 0.995, "critical": 0.992},
    "live": {"teacher": 0.996, "high": 0.994, "medium": 0.99, "low": 0.98, "critical": 0.976},
}
VISUAL = {"published": 0.848, "hard": 0.667, "clean": 0.996, "live": 0.985}
BYTES = {"high": 43_800, "medium": 43_800, "low": 17_800, "critical": 13_600}
MACS = {"high": 1_480_000, "medium": 1_210_000, "low": 820_000, "critical": 350_000}
TIMES_US = {"high": 31.0, "medium": 28.5, "low": 19.0, "critical": 12.6}
SHAPE = {
    "visual_28": [16, 32, 48, 64, 64],
    "visual_14": [16, 32, 48, 64],
    "audio": [48, 48, 48, 48, 64, 64],
    "bands": [0, 40],
    "labels": 10,
}
PRUNED = SHAPE | {
    "visual_28": [8, 20, 36, 48, 40],
    "audio": [32, 40, 40, 36, 52, 48],
    "bands": [2, 34],
}


@dataclass(frozen=True)
class Rival:
    """A method and how it compares with RA-CMKD.

    Attributes:
        gain: share of the pairs that it gets right beyond those of RA-CMKD; below 0 loses them.
        churn: share of the pairs that it wins and loses besides.
    """

    gain: float
    churn: float = 0.0


RIVALS = {
    "labels": Rival(-0.015, 0.01),
    "experts": Rival(0.0005, 0.02),
    "hinton": Rival(-0.008, 0.01),
    "transfer": Rival(-0.03, 0.01),
    "transport": Rival(0.006, 0.002),
    "pretext": Rival(0.0),
    "ra_cmkd_without_conditioning": Rival(0.0005, 0.02),
    "ra_cmkd_without_alignment": Rival(-0.01, 0.005),
}


def rates_of(task: str) -> Mapping[str, float]:
    return RATES[task]


def spread(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Choose some of the places, evenly."""
    return places[np.linspace(0, len(places) - 1, count).astype(np.int64)] if count else places[:0]


def right_of(pairs: int, rate: float) -> NDArray[np.bool_]:
    right = np.ones(pairs, np.bool_)
    right[spread(np.arange(pairs), round((1.0 - rate) * pairs))] = False
    return right


def rival_right(ours: NDArray[np.bool_], rival: Rival) -> NDArray[np.bool_]:
    """Win and lose as many pairs as the rival should, as far as there are any to win."""
    pairs, right = len(ours), ours.copy()
    wins = min(round((max(rival.gain, 0.0) + rival.churn) * pairs), int((~ours).sum()))
    losses = max(wins - round(rival.gain * pairs), 0)
    right[spread(np.flatnonzero(~ours), wins)] = True
    right[spread(np.flatnonzero(ours), losses)] = False
    return right


def write_lines(path: Path, lines: Iterable[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for number, line in enumerate(lines):
            ts = f"2026-11-22T13:{number // 60 % 60:02d}:{number % 60:02d}+00:00"
            file.write(json.dumps({"ts": ts, **line}) + "\n")


def make_runs(root: Path, pairs: int = 2000, tasks: Sequence[str] = tuple(RATES)) -> Path:
    """Make finished runs of all methods on the tasks; other figures only where they belong."""
    for task in tasks:
        make_teacher(root / task, task, pairs)
        make_method(root, task, "ra_cmkd", pairs)
        for method in RIVALS:
            if "without" not in method or task in ("published", "hard"):
                make_method(root, task, method, pairs)
    make_extras(root, tasks[0])
    return root


def make_teacher(directory: Path, task: str, pairs: int) -> None:
    rates = rates_of(task)
    epochs = [
        {
            "event": "epoch",
            "stage": stage,
            "epoch": epoch,
            "loss": 0.6 + 1.2 / epoch,
            "seconds": 38.0,
            "accuracy": {task: [end - 0.2 / epoch]},
        }
        for stage, end in (("visual", VISUAL[task]), ("audio", 0.8))
        for epoch in range(1, 7)
    ]
    calibration = {"branch": "visual", "tau": 0.81, "error_before": 0.042, "error_after": 0.021}
    write_lines(
        directory / "teach.jsonl",
        [
            {"event": "start", "task": task, "seed": 0},
            *epochs,
            {"event": "calibration", **calibration},
            {"event": "end", "file": "teacher.pt"},
        ],
    )
    cost = {"bytes": 1_240_000, "macs": 14_200_000, "parameters": 305_000}
    shares = {"teacher": rates["teacher"], "teacher-visual": VISUAL[task], "teacher-audio": 0.81}
    write_lines(
        directory / "teacher.jsonl",
        [
            {"event": "cost", "tier": "teacher", **cost},
            *(accuracy(tier, task, pairs, value=share) for tier, share in shares.items()),
        ],
    )


def accuracy(tier: str, protocol: str, pairs: int, **share: float) -> dict[str, object]:
    (value,) = share.values()
    row = {"event": "accuracy", "tier": tier, "protocol": protocol, "samples": pairs}
    return {**row, **share, "low": max(value - 0.004, 0.0), "high": min(value + 0.004, 1.0)}


def make_method(root: Path, task: str, method: str, pairs: int) -> None:
    directory = root / task / method
    ours = method == "ra_cmkd"
    rival = RIVALS.get(method, Rival(0.0))
    labels = np.arange(pairs) % 10
    arrays: dict[str, NDArray[np.int64]] = {f"labels_{task}": labels}
    lines: list[dict[str, object]] = [
        {"event": "bundle", "name": "bundle", "version": "0.2.0", "runtime": "ai-edge-litert 2.3.0"}
    ]
    for tier in TIERS:
        right = rival_right(right_of(pairs, rates_of(task)[tier]), rival)
        name = f"{tier}_{task}"
        arrays[name] = np.where(right, labels, (labels + 1 + np.arange(pairs) // 40 % 8) % 10)
        heard = tier in ("high", "medium")
        arrays[f"groups_{name}"] = np.arange(pairs) // (8 if heard else 1)
        share = float(right.mean())
        row = accuracy(tier, task, pairs, int8=share)
        lines.append({**row, "float32": share, "agreement": 0.99})
    for number, tier in enumerate(TIERS):
        wider = 0 if ours else 120 * number
        lines.append(
            {
                "event": "cost",
                "tier": tier,
                "bytes": BYTES[tier] - wider,
                "macs": MACS[tier],
                "median_us": TIMES_US[tier] + rival.churn * 40,
                "late_us": TIMES_US[tier] + 2.0,
                "delegated": True,
                "silent": 0.12,
            }
        )
    lines.append({"event": "teacher", "tier": "teacher", "median_us": 168.0, "late_us": 180.0})
    write_lines(directory / "evaluate.jsonl", lines)
    np.savez_compressed(directory / "answers.npz", **arrays)  # type: ignore[arg-type]
    make_training(directory, task, method, rounds=14)


def make_training(directory: Path, task: str, method: str, rounds: int, ends: bool = True) -> None:
    """Leave the record of a training, which may have stopped short of its 14 rounds."""
    ours = method.startswith("ra_cmkd")
    stages = (
        ("gated",) * 7 + ("tuned",) * 5 + ("fake_quantised",) * 2 if ours else ("students",) * 14
    )
    terms = ("task", "distill", "align", "resource") if ours else ("task",)
    lines: list[dict[str, object]] = [
        {
            "event": "start",
            "method": method,
            "seed": 0,
            "shape": SHAPE,
            "plan": {"total": 14, "steps": 200, "batch": 128},
        }
    ]
    for place, stage in enumerate(stages[:rounds]):
        lines.append(
            {
                "event": "round",
                "stage": stage,
                "round": 1 + stages[:place].count(stage),
                "loss": {
                    term: round((2.0 + number) / (1 + number * 2 + 0.4 * place), 5)
                    for number, term in enumerate(terms)
                },
                "seconds": 31.5,
                "reached": {
                    tier: round(rates_of(task)[tier] - 0.3 / (1 + place) ** 1.5, 5)
                    for tier in TIERS
                },
            }
        )
        if ours and place == 6:
            lines.append({"event": "pruned", "before": SHAPE, "after": PRUNED})
    if ends:
        calibrated = {"output": "28", "tau": 0.9, "error_before": 0.03, "error_after": 0.01}
        lines += [{"event": "calibration", **calibrated}, {"event": "end", "seconds": 470.0}]
    write_lines(directory / "distil.jsonl", lines)


def make_extras(root: Path, task: str) -> None:
    """Leave what belongs to no method: speakers, gating, precision, choice."""
    heard = {"george": 0.93, "jackson": 0.88, "theo": 0.95}
    write_lines(
        root / "speakers.jsonl",
        [
            {"event": "accuracy", "protocol": "clean", "speaker": name, "output": output}
            | {"accuracy": share - (0.02 if output == "prefix" else 0.0)}
            for output in ("full", "prefix")
            for name, share in heard.items()
        ],
    )
    gate = {"event": "gating", "tier": "high", "windows": 10_000, "low": 0.97, "high": 0.98}
    write_lines(
        root / "gating" / "gating.jsonl",
        [
            gate
            | {"picture": None, "sound": None, "reused": 0.0, "accuracy": 0.975}
            | {"agreement": 1.0, "cpu_us": 210.0, "saved": 0.0},
            gate
            | {"picture": 0.1, "sound": 0.01, "reused": 0.61, "accuracy": 0.974}
            | {"agreement": 0.991, "cpu_us": 90.0, "saved": 0.57},
        ],
    )
    make_precision(root / task / "ra_cmkd")
    make_choice(root / task)


def make_precision(run: Path) -> None:
    lines: list[dict[str, object]] = []
    for name, amount, share, median_us in (
        ("int8", 43_800, 0.994, 31.0),
        ("int4", 30_100, 0.951, 95.0),
    ):
        row = {"tier": "high", "precision": name}
        figures = {"bits": "12 × 8", "bytes": amount, "accuracy": share, "agreement": 0.99}
        lines.append({"event": "precision", **row, **figures, "low": share - 0.01, "high": share})
        ran: dict[str, object] = {
            "delegated": name == "int8",
            "same": 1.0,
            "median_us": median_us,
            "late_us": 99.0,
        }
        lines.append({"event": "trial", **row, "runtime": "ai-edge-litert 2.1.6", **ran})
        fails: dict[str, object] = (
            {"failure": "cannot allocate"} if name == "int4" else {**ran, "delegated": False}
        )
        lines.append({"event": "trial", **row, "runtime": "tflite-runtime 2.14.0", **fails})
    lines.append(
        {
            "event": "verdict",
            "tier": "high",
            "precision": "int8",
            "others": {"int4": "less accurate"},
        }
    )
    write_lines(run / "precision.jsonl", lines)


def make_choice(task: Path) -> None:
    lines: list[dict[str, object]] = [{"event": "start", "task": "live", "w": -0.07}]
    for name, share, latency_us in (("narrow", 0.981, 24.0), ("wide", 0.994, 31.0)):
        row = {"tier": "high", "name": name, "accuracy": share, "latency_us": latency_us}
        figures = {"bytes": 43_800, "macs": 1_480_000, "low": share - 0.01, "high": share}
        lines.append({"event": "candidate", **row, **figures})
    lines.append(
        {
            "event": "choice",
            "tier": "high",
            "target_us": 24.0,
            "best": "wide",
            "scores": {"narrow": 0.981, "wide": 0.9764},
            "reasons": {"narrow": "exceeds its budget of bytes"},
            "front": ["wide", "narrow"],
        }
    )
    write_lines(task / "choice.jsonl", lines)
