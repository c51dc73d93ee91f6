"""Reads a page of the shop as WebShop's own readers do: its texts, by the rules of BeautifulSoup's html.parser."""

from __future__ import annotations

from html.parser import HTMLParser

from worldschool.envs.shop.pages import Node

VOID = {"meta", "link", "br", "img", "input"}
UNSEEN = {"style", "script", "head", "title", "meta"}
SPACES = " \n\t\f\r"


class PageReader(HTMLParser):
    """A page, read once.

    Attributes:
        nodes: the texts, each of the kind that its parent gives it.
        elements: (tag, attributes) of everything, in order.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._text = ""
        self.feed(html)
        self.close()
        self._end_text()
        assert self._open == [], "tags are left open"

    def having(self, tag: str, **wanted: str | None) -> list[dict[str, str | None]]:
        """Return the attributes of the elements of a tag that have these among theirs (`class_`: exactly)."""
        asked = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [has for name, has in self.elements if name == tag and asked.items() <= has.items()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_text()
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is there twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        assert self._open and self._open[-1][0] == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        self._end_text()

    def _end_text(self) -> None:
        text, self._text = self._text, ""
        if not text or not self._open or self._open[-1][0] in UNSEEN:
            return
        if not text.strip(SPACES):
            if "\n" in text:
                return
            text = " "
        tag, attributes = self._open[-1]
        kind = (
            "link"
            if attributes.get("class") == "product-link"
            else tag
            if tag in ("button", "label")
            else "text"
        )
        self.nodes.append(Node(text, kind))
