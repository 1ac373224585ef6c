"""The page: sections in their order, contents, style; one file that loads nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.report.ablations import ablations
from tools.report.choice import choice
from tools.report.coefficients import coefficients
from tools.report.comparison import comparison
from tools.report.confusion import confusion
from tools.report.gating import gating
from tools.report.goals import goals
from tools.report.learning import learning
from tools.report.making import making
from tools.report.markup import Html, element, joined
from tools.report.precision import precision
from tools.report.reductions import reductions
from tools.report.runs import Runs
from tools.report.shapes import shapes
from tools.report.speakers import speakers
from tools.report.summary import summary
from tools.report.tradeoff import tradeoff

TITLE = "RA-CMKD: what the runs show"

_STYLE = Path(__file__).with_name("page.css")


def page(runs: Runs, machine: Mapping[str, str]) -> str:
    """Return the whole page.

    Args:
        runs: everything that is shown.
        machine: what the page is put together with, by name.
    """
    sections = [
        ("summary", "Summary", summary(runs)),
        ("goals", "Goals", goals(runs)),
        ("reductions", "What high saves", reductions(runs)),
        ("comparison", "Against the baselines", comparison(runs)),
        ("ablations", "Without each part", ablations(runs)),
        ("tradeoff", "Accuracy and cost", tradeoff(runs)),
        ("learning", "Training", learning(runs)),
        ("confusion", "What is mistaken for what", confusion(runs)),
        ("coefficients", "The loss's coefficients", coefficients()),
        ("shapes", "Pruning", shapes(runs)),
        ("precision", "Adaptive precision", precision(runs)),
        ("choice", "Choice of the models", choice(runs)),
        ("speakers", "New voices", speakers(runs)),
        ("gating", "Windows that do not change", gating(runs)),
        ("making", "How it was made", making(runs, machine)),
    ]
    head = joined(
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        element("title", TITLE),
        element("style", Html(_STYLE.read_text(encoding="utf-8"))),
    )
    body = joined(
        element("header", element("h1", TITLE), _lead(), _contents(sections)),
        element("main", *(_section(*section) for section in sections)),
    )
    document = element("html", element("head", head), element("body", body), lang="en-GB")
    return f"<!doctype html>\n{document}\n"


def _lead() -> Html:
    return element(
        "p",
        "Resource-aware cross-modal knowledge distillation: an audio-visual teacher, four int8 "
        "students of it for four states of a small board, and how they compare. Every figure "
        "comes from the runs' own records.",
        class_="lead",
    )


def _contents(sections: Sequence[tuple[str, str, Html]]) -> Html:
    items = (element("li", element("a", title, href=f"#{name}")) for name, title, _ in sections)
    return element("nav", element("ol", *items), aria_label="Contents")


def _section(name: str, title: str, content: Html) -> Html:
    return element("section", element("h2", title), content, id=name)
