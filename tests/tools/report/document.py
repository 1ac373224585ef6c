"""Reads a page back: its tables, its text, its identifiers and what it would load."""

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Document(HTMLParser):
    """A parsed page.

    Attributes:
        tables: rows of cells' texts by caption, the head first.
        text: of everything but style.
        identifiers: every `id`.
        links: every `href`.
        loads: every `src`, and every tag that could load something.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.text = ""
        self.identifiers: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self._open: list[str] = []
        self._caption = ""
        self.feed(page)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.identifiers.append(str(values["id"]))
        if values.get("href"):
            self.links.append(str(values["href"]))
        if "src" in values or tag in ("link", "script", "iframe", "object", "image"):
            self.loads.append(f"{tag} {values}")
        if tag not in VOID:
            self._open.append(tag)
        if tag == "caption":
            self._caption = ""
        if tag == "tr":
            self.tables[self._caption].append([])
        if tag in ("th", "td"):
            self.tables[self._caption][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "caption":
            assert self._caption not in self.tables, f"two tables are called {self._caption}"
            self.tables[self._caption] = []

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if "caption" in self._open:
            self._caption += data
        elif "th" in self._open or "td" in self._open:
            row = self.tables[self._caption][-1]
            row[-1] = f"{row[-1]} {data}".strip()

    def row(self, caption: str, first: str) -> list[str]:
        """Return the row whose first cell begins with a text."""
        return next(row for row in self.tables[caption] if row[0].startswith(first))
