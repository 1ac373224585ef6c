"""Confusion matrices of RA-CMKD, one a tier."""

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tools.report import plot
from tools.report.answers import Answered
from tools.report.markup import Child, Html, heading, joined, missing, note
from tools.report.names import TIERS
from tools.report.runs import Runs

MOST_CLASSES = 30
"""More could not be read in a panel."""


def confusion(runs: Runs) -> Html:
    """Return the section."""
    parts: list[Child] = []
    for task in runs.tasks.values():
        answers = task.ours.answers if task.ours else {}
        own = {tier: answers[tier, task.name] for tier in TIERS if (tier, task.name) in answers}
        if own:
            parts += [
                heading(task.name),
                plot.pairs(
                    *(
                        _panel(tier, some, f"confusion-{task.name}-{tier}")
                        for tier, some in own.items()
                    )
                ),
            ]
    if not parts:
        return missing("No answers of RA-CMKD were kept yet.")
    return joined(
        *parts,
        note(
            "Rows are what was shown, columns what was answered, per cent of the row. Right "
            "answers are on the diagonal; the colour of the others is three times as deep, so that "
            "rare mistakes can be seen."
        ),
    )


def matrix(some: Answered) -> NDArray[np.int64]:
    """Return counts int64 [labels, labels]: the right label by row, the answer by column."""
    classes = int(max(some.labels.max(), some.answers.max())) + 1
    flat = np.bincount(some.labels * classes + some.answers, minlength=classes * classes)
    return flat.reshape(classes, classes)


def _panel(tier: str, some: Answered, name: str) -> Html:
    counts = matrix(some)
    classes = len(counts)
    figure, axes = plot.panel(f"{tier}: {100.0 * some.right.mean():.2f} % right", 4.2, 4.0)
    if classes > MOST_CLASSES:
        return missing(f"{tier}: {classes} classes are too many for a panel.")
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        share = shares[row, column]
        right = row == column
        axes.add_patch(
            Rectangle(
                (column - 0.47, row - 0.47),
                0.94,
                0.94,
                facecolor=plot.SERIES[0] if right else plot.BAD,
                alpha=float(0.75 * share if right else min(0.85, 0.06 + 3.0 * share)),
                linewidth=0,
            )
        )
        if share >= 0.005 and classes <= 12:
            words = f"{100.0 * share:.0f}" if share >= 0.0995 else f"{100.0 * share:.1f}"
            axes.text(column, row, words, ha="center", va="center", size=6.5)
    axes.set_xlim(-0.5, classes - 0.5)
    axes.set_ylim(classes - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xticks(range(classes))
    axes.set_yticks(range(classes))
    axes.set_xlabel("answered")
    axes.set_ylabel("shown")
    mistakes = counts * ~np.eye(classes, dtype=bool)
    row, column = np.unravel_index(int(mistakes.argmax()), mistakes.shape)
    says = f"{tier}: most often {row} is taken for {column}, {mistakes.max()} times"
    return plot.drawn(figure, name, says)
