"""Tables: numbers aligned, the first column in sight while a phone scrolls sideways."""

from collections.abc import Sequence
from dataclasses import dataclass

from tools.report.markup import Child, Html, element


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: of it.
        text: whether it holds words and is set flush left.
    """

    title: str
    text: bool = False


def table(
    caption: str,
    columns: Sequence[Column | str],
    rows: Sequence[Sequence[Child]],
    strong: Sequence[int] = (),
) -> Html:
    """Return a table.

    Args:
        caption: what it shows, read out and printed above it.
        columns: text, or a title of a column of numbers; the first names the rows.
        rows: cells, as many as columns; None is an empty cell.
        strong: numbers of the rows that matter most.
    """
    kinds = [column if isinstance(column, Column) else Column(column) for column in columns]
    head = [
        element("th", kind.title, scope="col", class_=_class(kind, index))
        for index, kind in enumerate(kinds)
    ]
    body = []
    for number, row in enumerate(rows):
        first, *others = row
        cells = [
            element("td", "–" if cell is None else cell, class_=_class(kind, index))
            for index, (cell, kind) in enumerate(zip(others, kinds[1:], strict=True), start=1)
        ]
        body.append(
            element(
                "tr",
                element("th", first, scope="row"),
                *cells,
                class_="strong" if number in strong else None,
            )
        )
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *head)),
            element("tbody", *body),
        ),
        class_="table",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def two_lines(above: Child, below: Child) -> Html:
    """Return a cell with a second line in small print."""
    return element("span", above, element("small", below), class_="two")


def verdict(word: str, kind: str) -> Html:
    """Return a word of judgement; its colour only repeats what it says."""
    return element("span", word, class_=f"verdict {kind}")


def _class(column: Column, index: int) -> str | None:
    return None if index == 0 else "text" if column.text else "number"
