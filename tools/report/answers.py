"""What the int8 files answered to every test pair."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.report.records import RecordError


@dataclass(frozen=True)
class Answered:
    """One tier's answers under one protocol.

    Attributes:
        answers: int64 [N], class numbers.
        labels: int64 [N], the right ones.
        groups: int64 [N], recording or picture that a pair is made from.
    """

    answers: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right, bool [N]."""
        return self.answers == self.labels

    def same_pairs(self, other: "Answered") -> bool:
        """Whether another's answers are to the same pairs."""
        return np.array_equal(self.labels, other.labels) and np.array_equal(
            self.groups, other.groups
        )


Answers = Mapping[tuple[str, str], Answered]
"""By tier and protocol."""


def read_answers(path: Path) -> Answers:
    """Read `answers.npz`; empty where there is none.

    Raises:
        RecordError: the file is damaged or its arrays do not belong together.
    """
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise RecordError(
            f"{path}: cannot be read: {error}; run `python -m tools.evaluate` again"
        ) from error
    found = {}
    for name, answers in arrays.items():
        tier, _, protocol = name.partition("_")
        if tier in ("groups", "labels") or not protocol:
            continue
        labels, groups = arrays.get(f"labels_{protocol}"), arrays.get(f"groups_{name}")
        if labels is None or groups is None or not len(labels) == len(groups) == len(answers):
            raise RecordError(
                f"{path}: {name}: `labels_{protocol}` and `groups_{name}` must be there, "
                "as long as it; run `python -m tools.evaluate` again"
            )
        found[tier, protocol] = Answered(
            answers.astype(np.int64), labels.astype(np.int64), groups.astype(np.int64)
        )
    return found
