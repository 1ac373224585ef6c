"""HTML from Python: whatever is not HTML already is escaped."""

from html import escape


class Html(str):
    """Text that is HTML; only this module and `plot` make it of plain text."""

    __slots__ = ()


Child = str | None
"""`Html` is taken as it is, other text is escaped, None is left out."""


def element(tag: str, *children: Child, **attributes: str | None) -> Html:
    """Return an element.

    Args:
        tag: its name.
        children: what is in it.
        attributes: by name; `class_` stands for `class`, `aria_label` for `aria-label`; None is
            left out.
    """
    words = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{tag}{words}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Html:
    """Return several pieces one after another."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(child)
            for child in children
            if child is not None
        )
    )


def paragraph(*children: Child, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", *children, class_=class_)


def note(*children: Child) -> Html:
    """Return a paragraph of small print."""
    return paragraph(*children, class_="note")


def missing(*children: Child) -> Html:
    """Return a paragraph that says what is not there."""
    return paragraph(*children, class_="missing")


def heading(text: str, aside: str | None = None) -> Html:
    """Return a heading within a section, with a few words beside it."""
    return element("h3", text, None if aside is None else element("small", aside))


def code(text: str) -> Html:
    """Return a name as it is typed."""
    return element("code", text)


def bullets(*items: Child) -> Html:
    """Return a list."""
    return element("ul", *(element("li", item) for item in items if item is not None))
