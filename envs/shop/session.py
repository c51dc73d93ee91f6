"""One shopping session: which page is open, what a click or a search leads to, and what it would be recorded as.

A `Session` is a value; `Visit` says what can be done in it and what follows. `compat="webshop"` keeps what WebShop does; else:

    WebShop                                                    mended
    a search is possible on every page, after buying too       where there is a search box
    "Next >" goes on without end                               where there are more products
    two options with one value: the last one's name gets it    such values are written "name: value"
    an option's value named like a button is that button       such values are written "name: value"
    of values that differ in case only, one can be chosen      they are written "name: value", and numbered
    what comes after the last "]" of an action is ignored      it is no action
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Literal, NamedTuple, TypeAlias

from worldschool.envs.shop import pages
from worldschool.envs.shop.config import Compat
from worldschool.envs.shop.products import Listing, Product

PageKind: TypeAlias = Literal["search", "results", "item", "sub", "done"]
PAGES_KEPT, RESULTS_KEPT, LONGEST_KEPT = 128, 4096, 10_000
"""Pages of products and results that a shelf keeps, and the characters of the longest."""
BASE_URL = "http://127.0.0.1:3000"
_WEBSHOP_ACTION = re.compile(r"(.+)\[(.+)\]")
_ACTION = re.compile(r"(search|click)\[(.*)\]", re.DOTALL)
_KIND_IN_URL = (
    ("search_results", "results"),
    ("item_page", "item"),
    ("item_sub_page", "sub"),
    ("done", "done"),
)
"""How WebShop reads the page's kind off its URL: the first of these that is somewhere in it."""


@dataclass(frozen=True)
class Session:
    """Where a shopper is.

    Attributes:
        page: what is open.
        keywords: of the last search.
        hits: catalogue rows that it found, best first.
        number: page of the results, from 1.
        row: the product that is open or was bought; None elsewhere.
        subpage: which of a product's further pages is open.
        options: what was chosen, in the order of choosing, as (name, value).
        visited: ids of products opened since the last return to the search page.
    """

    page: PageKind = "search"
    keywords: tuple[str, ...] = ()
    hits: tuple[int, ...] = ()
    number: int = 1
    row: int | None = None
    subpage: str = ""
    options: tuple[tuple[str, str], ...] = ()
    visited: tuple[str, ...] = ()

    def having(self, **changes: Any) -> Session:
        """Return the session with other values of some fields; `dataclasses.replace` takes three times as long."""
        return Session(**{**self.__dict__, **changes})

    def to_plain(self) -> tuple[Any, ...]:
        """Return the fields in order, as nested tuples of plain values."""
        return tuple(getattr(self, name) for name in _FIELDS)

    @classmethod
    def from_plain(cls, plain: Sequence[Any], products: int) -> Session:
        """Return the session of `to_plain`, in a catalogue of so many products.

        Raises:
            ValueError, TypeError: these are no such fields.
        """
        session = cls(*plain)
        rows = (*session.hits, *(() if session.row is None else (session.row,)))
        if session.page not in ("search", "results", "item", "sub", "done") or not all(
            0 <= row < products for row in rows
        ):
            raise ValueError("no such page or product")
        if (session.row is None) == (session.page in ("item", "sub", "done")) or len(plain) != len(_FIELDS):
            raise ValueError(f"page {session.page!r} with product {session.row}")
        return session


_FIELDS = tuple(one.name for one in dataclasses.fields(Session))


@dataclass(frozen=True)
class Shelf:
    """What a session needs of a shop.

    Attributes:
        product: catalogue row to product.
        find: query to catalogue rows, best first.
        show_attributes: whether product pages have a button for the attributes.
        compat: "webshop" or None; see the module.
        listing: catalogue row to what pages of results show of the product; None: the product is asked for that.
        kept: pages of products that were looked at last; `Visit` keeps them here.
        results: what pages of results show of the products that were found last.
    """

    product: Callable[[int], Product]
    find: Callable[[Sequence[str]], tuple[int, ...]]
    show_attributes: bool = False
    compat: Compat = None
    listing: Callable[[int], Listing] | None = None
    kept: dict[tuple[int, str], Page] = field(default_factory=dict, repr=False, compare=False)
    results: dict[int, Result] = field(default_factory=dict, repr=False, compare=False)

    def result(self, row: int) -> Result:
        """Return what pages of results show of a row's product."""
        found = self.results.get(row)
        if found is None:
            listing = self.product(row) if self.listing is None else self.listing(row)
            nodes = pages.result_of(listing)
            found = Result(listing.asin, nodes, pages.text_of(nodes))
            if len(listing.title) <= LONGEST_KEPT:
                _keep(self.results, row, found, RESULTS_KEPT)
        return found


class Result(NamedTuple):
    """A product on a page of results: its id, what is shown of it, and that joined."""

    asin: str
    nodes: list[pages.Node]
    text: str


def _keep(kept: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Keep a value; one too many, and the oldest goes."""
    if len(kept) >= most:
        kept.pop(next(iter(kept)), None)
    kept[key] = value


class Page:
    """What is on a page, whatever was chosen on it; not to be changed, for visits share it.

    Args:
        nodes: its texts.
        exact: whether values are clicked as they are written, as in WebShop; otherwise in lower case.
        labels: what can be clicked to choose a value: the label's text to (option name, value).
    """

    def __init__(
        self, nodes: list[pages.Node], exact: bool, labels: dict[str, tuple[str, str]] | None = None
    ) -> None:
        self.nodes, self.labels, self._exact = nodes, labels or {}, exact
        self.values = {self._clicked_as(label): pair for label, pair in self.labels.items()}
        """The labels' pairs by what `click` is given."""

    def _clicked_as(self, label: str) -> str:
        return label if self._exact else label.lower()

    @cached_property
    def clickables(self) -> list[str]:
        """What can be clicked, in WebShop's order: buttons, products, values of options; on the search page "search"."""
        found: dict[str, None] = {}
        later: list[str] = []
        links: list[str] = []
        for text, kind in self.nodes:
            if kind == "button":
                found[text.lower()] = None
            elif kind == "link":
                links.append(text.lower())
            elif kind == "label":
                later.append(self._clicked_as(text))
        found |= dict.fromkeys(links)
        found |= dict.fromkeys(later)
        return list(found)

    @cached_property
    def text(self) -> str:
        """The page in observation mode "text"."""
        return pages.text_of(self.nodes)


class ResultsPage(Page):
    """A page of results.

    Args:
        head: what stands above the products.
        found: the products.
        exact: as in `Page`.
    """

    def __init__(self, head: list[pages.Node], found: Sequence[Result], exact: bool) -> None:
        super().__init__([*head, *(node for one in found for node in one.nodes)], exact)
        self._head, self._found = head, found

    @cached_property
    def text(self) -> str:
        """See `Page.text`; the products' parts are not joined anew."""
        parts = [pages.text_of(self._head), *(one.text for one in self._found if one.nodes)]
        return pages.SEPARATOR.join(parts)

    @cached_property
    def clickables(self) -> list[str]:
        """See `Page.clickables`: buttons stand in the head, and links are what products begin with."""
        buttons = [text.lower() for text, kind in self._head if kind == "button"]
        links = [node.text.lower() for one in self._found for node in one.nodes[:1] if node.kind == "link"]
        return list(dict.fromkeys([*buttons, *links]))


class Visit:
    """A session in a shop: its page and what can be done there.

    Args:
        shelf: the shop.
        session: where the shopper is.
        instruction: what is to be bought, as every page shows it.
        session_id: as URLs show it.
        reward: of the purchase, on the page after it.
    """

    def __init__(
        self, shelf: Shelf, session: Session, instruction: str, session_id: str = "shop", reward: float = 0.0
    ) -> None:
        self.shelf, self.session, self.instruction, self.session_id = shelf, session, instruction, session_id
        self.reward = reward
        self._page = self._product_page() if session.page == "item" else self._new_page()

    @property
    def nodes(self) -> list[pages.Node]:
        """The texts on the page."""
        return self._page.nodes

    @property
    def has_search_bar(self) -> bool:
        """Whether the page has a search box."""
        return self.session.page == "search"

    @property
    def product(self) -> Product:
        """The product that is open; there is one on its pages and after buying."""
        assert self.session.row is not None
        return self.shelf.product(self.session.row)

    @property
    def clickables(self) -> list[str]:
        """What can be clicked; see `Page.clickables`."""
        return self._page.clickables

    @property
    def text(self) -> str:
        """The page in observation mode "text"."""
        return self._page.text

    @property
    def labels(self) -> dict[str, tuple[str, str]]:
        """What can be clicked to choose a value of an option: the label's text to (option name, value)."""
        return self._page.labels

    @cached_property
    def clicked(self) -> set[str]:
        """The labels that are shown as chosen. WebShop goes by what stands in double quotes in the URL."""
        if self.shelf.compat == "webshop":
            return {label for label in self.labels if f'"{label}"' in self.url}
        chosen = dict(self.session.options)
        return {label for label, (name, value) in self.labels.items() if chosen.get(name) == value}

    @cached_property
    def rich_text(self) -> str:
        """The page in observation mode "text_rich"."""
        return pages.rich_text_of(self.nodes, self.clicked, self.session.visited)

    @cached_property
    def url(self) -> str:
        """The page's address as WebShop writes it, nothing quoted."""
        session, where = self.session, f"{BASE_URL}/%s/{self.session_id}"
        keywords, options = "+".join(session.keywords), dict(session.options)
        if session.page == "search":
            return f"{BASE_URL}/{self.session_id}"
        if session.page == "results":
            return f"{where % 'search_results'}/{keywords}/{session.number}"
        if session.page == "item":
            place = f"{self.product.asin}/{keywords}/{session.number}"
            return f"{where % 'item_page'}/{place}/{json.dumps(options)}"
        if session.page == "sub":
            place = f"{self.product.asin}/{keywords}/{session.number}"
            return f"{where % 'item_sub_page'}/{place}/{session.subpage}/{options}"
        return f"{where % 'done'}/{self.product.asin}/{options}"

    # -- what follows -------------------------------------------------------------------------------------------------

    def search(self, keywords: Sequence[str]) -> Session:
        """Return the session after a search for words."""
        found = self.shelf.find(keywords)
        return self.session.having(
            page="results",
            keywords=tuple(keywords),
            hits=found,
            number=1,
            row=None,
            subpage="",
            options=(),
        )

    def click(self, text: str) -> Session | None:
        """Return the session after a click on one of `clickables`; None for what changes nothing."""
        session, kind = self.session, self._kind_by_url()
        if text == pages.BUY.lower():
            return session.having(page="done", subpage="")
        if text == pages.BACK.lower():
            return Session()
        if text == pages.NEXT.lower() and kind == "results":
            return self._turned(session.number + 1)
        if text == pages.PREVIOUS.lower() and kind == "results":
            return self._turned(session.number - 1)
        if text == pages.PREVIOUS.lower() and kind == "sub":
            return session.having(page="item", subpage="")
        if text == pages.PREVIOUS.lower() and kind == "item":
            return self._turned(session.number)
        if text in _SUBPAGE_OF:
            return session.having(page="sub", subpage=_SUBPAGE_OF[text])
        if text in self._page.values:
            name, value = self._page.values[text]
            return session.having(
                page="item",
                subpage="",
                options=tuple({**dict(session.options), name: value}.items()),
            )
        return self._opened(text)

    def _turned(self, number: int) -> Session:
        return self.session.having(page="results", number=number, row=None, subpage="", options=())

    def _opened(self, text: str) -> Session | None:
        asin = text.upper()
        for row in self.rows_shown:
            if self.shelf.result(row).asin == asin:
                visited = tuple(dict.fromkeys((*self.session.visited, asin)))
                return self.session.having(page="item", row=row, visited=visited)
        return None

    def _kind_by_url(self) -> str:
        """Return the page's kind; WebShop goes by words that a query may contain."""
        if self.shelf.compat != "webshop":
            return self.session.page
        url = self.url
        return next((kind for word, kind in _KIND_IN_URL if word in url), "search")

    # -- the page -----------------------------------------------------------------------------------------------------

    def _product_page(self) -> Page:
        """Return the page of the product that is open, one that is kept if there is one: nothing chosen changes it."""
        assert self.session.row is not None
        key, kept = (self.session.row, self.instruction), self.shelf.kept
        page = kept.get(key)
        if page is None:
            page = self._new_page()
            if sum(len(node.text) for node in page.nodes) <= LONGEST_KEPT:
                _keep(kept, key, page, PAGES_KEPT)
        return page

    def _new_page(self) -> Page:
        session, told, exact = self.session, self.instruction, self.shelf.compat == "webshop"
        if session.page == "search":
            return Page(pages.search_page(told), exact)
        if session.page == "results":
            head = pages.results_head(told, session.number, len(session.hits), self._has_next())
            return ResultsPage(head, [self.shelf.result(row) for row in self.rows_shown], exact)
        if session.page == "item":
            by_option, labels = self._labels_by_option()
            return Page(
                pages.item_page(told, self.product, by_option, self.shelf.show_attributes), exact, labels
            )
        if session.page == "sub":
            return Page(pages.sub_page(told, self.product, session.subpage), exact)
        return Page(pages.done_page(self.product.asin, dict(session.options), self.reward), exact)

    @property
    def rows_shown(self) -> tuple[int, ...]:
        """The catalogue rows of the products on a page of results."""
        begin = (self.session.number - 1) * pages.PAGE_SIZE
        return self.session.hits[begin : begin + pages.PAGE_SIZE] if self.session.page == "results" else ()

    def _has_next(self) -> bool:
        return self.shelf.compat == "webshop" or self.session.number * pages.PAGE_SIZE < len(
            self.session.hits
        )

    def _labels_by_option(self) -> tuple[dict[str, list[str]], dict[str, tuple[str, str]]]:
        """Return each option's labels, and what each label stands for."""
        options = self.product.options
        plain = self.shelf.compat == "webshop"
        times = Counter(value.lower() for values in options.values() for value in values)
        by_option: dict[str, list[str]] = {}
        labels: dict[str, tuple[str, str]] = {}
        taken: dict[str, tuple[str, str]] = {}
        for name, values in options.items():
            by_option[name] = []
            for value in values:
                ambiguous = times[value.lower()] > 1 or value.lower() in _BUTTONS
                label = value if plain or not ambiguous else f"{name}: {value}"
                if not plain and taken.get(label.lower(), (name, value)) != (name, value):
                    label = _numbered(label, taken)
                by_option[name].append(label)
                labels[label] = taken[label.lower()] = name, value
        return by_option, labels


def _numbered(label: str, taken: Collection[str]) -> str:
    """Return a label with the first number from 2 behind it that no label in lower case has."""
    return next(one for n in count(2) if (one := f"{label} ({n})").lower() not in taken)


_SUBPAGE_OF = {name.lower(): name for name in (*pages.SUBPAGES, pages.ATTRIBUTES)}
_BUTTONS = {
    text.lower() for text in (pages.BACK, pages.PREVIOUS, pages.NEXT, pages.BUY, pages.SEARCH, *_SUBPAGE_OF)
}


def read_action(text: str, compat: Compat) -> tuple[str, str]:
    """Return an action's name and argument, lower case; the name is empty where the text is no action.

    WebShop reads "NAME[ARGUMENT]" at the start of the text, both as long as can be.
    """
    found = (_WEBSHOP_ACTION.match if compat == "webshop" else _ACTION.fullmatch)(text)
    if found is None or found[1] not in ("search", "click"):
        return "", ""
    return found[1], found[2].lower()
