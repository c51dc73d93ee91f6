"""Pages as HTML: the same texts, in the same order, as `Visit.nodes`, in the elements that WebShop's readers look for.

Whatever else a good page needs stands in attributes or in the head, or is written by the style sheet, so that a reader of
the page's texts finds those of the text observations and no others. tests/envs/test_shop_site_pages.py compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from worldschool.envs.shop import pages
from worldschool.envs.shop.generated.pictures import COLOURED_BY
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.session import Session, Visit
from worldschool.envs.shop.site.addresses import ROOT, Address, address_of, token_of
from worldschool.errors import WorldError

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_NAME = 120
"""Characters of a product's title in attributes and in the page's title."""


class Choice(NamedTuple):
    """A value of an option: its text, what `click[...]` takes for it, and whether it is marked as clicked.

    `number` is its place among `Visit.clickables`: a form sends that, for it would change line breaks in a text.
    """

    label: str
    click: str
    number: int
    chosen: bool


def html_of(visit: Visit, score: Mapping[str, Any] | None = None, session_id: str | None = None) -> str:
    """Return a visit's page as HTML.

    Parsed, it has exactly the texts `visit.nodes`: a button's in `button`, an option value's in `label`, a product's id in
    `a.product-link`. What HTML cannot hold (U+0000, lone surrogates) is read back as U+FFFD.

    Args:
        visit: what is shown.
        score: the parts of a purchase's reward under WebShop's names, which the page after it then shows besides.
        session_id: what links and forms lead to; None for the visit's own.

    Raises:
        WorldError: Jinja2 is missing.
    """
    session = visit.session
    session_id = visit.session_id if session_id is None else session_id
    template = _environment().get_template(f"{session.page}.html")
    context: dict[str, Any] = {
        "visit": visit,
        "here": Address("").under(session_id),
        "token": token_of(visit),
        "page_title": _title(visit),
    }
    if session.page == "results":
        context |= _results(visit, session_id)
    elif session.page in ("item", "sub", "done"):
        context |= _item(visit, session_id) | {"score_parts": _score_parts(score or {})}
    return _finished(template.render(context))


def error_page(title: str, told: str) -> str:
    """Return a page that says what went wrong, with a way to a new session."""
    return _finished(_environment().get_template("error.html").render(page_title=title, told=told))


def picture_address(product: Product, chosen: Mapping[str, str] | None = None) -> str:
    """Return where the site shows a product's picture, in the colour of the option values that were chosen."""
    coloured = {name: value[:LONGEST_NAME] for name, value in (chosen or {}).items() if name in COLOURED_BY}
    return f"/picture?{urlencode({'asin': product.asin, **coloured}, errors='replace')}"


def shown(text: str) -> str:
    """Return a text if a reader of the page would find it: not where it is empty or white space with a line break."""
    return text if text.strip(" \n\t\f\r") or (text and "\n" not in text) else ""


def short(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def _results(visit: Visit, session_id: str) -> dict[str, Any]:
    found = []
    for row in visit.rows_shown:
        product = visit.shelf.product(row)
        after = Session(page="item", row=row)
        found.append((product, address_of(after, visit.shelf).under(session_id)))
    buttons = {node.text for node in visit.nodes if node.kind == "button"}
    return {
        "found": found,
        "heading": f"Page {visit.session.number} (Total results: {len(visit.session.hits)})",
        "has_previous": pages.PREVIOUS in buttons,
        "has_next": pages.NEXT in buttons,
    }


def _item(visit: Visit, session_id: str) -> dict[str, Any]:
    session, product = visit.session, visit.product
    item = Session(page="item", row=session.row)
    return {
        "product": product,
        "choices": _choices(visit) if session.page == "item" else {},
        "item_address": address_of(item, visit.shelf).under(session_id),
        "parts": (*pages.SUBPAGES, *([pages.ATTRIBUTES] if visit.shelf.show_attributes else [])),
        "part": session.subpage,
        "chosen": dict(session.options),
        "options_text": pages.json_in_html(dict(session.options)),
    }


def _score_parts(score: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parts of a reward in words: of what kind the product is, and how much of what was asked it has."""
    found = []
    if "r_type" in score:
        kind = score["r_type"]
        found.append(
            (
                "Kind of product",
                "fits" if kind == 1 else "does not fit" if kind == 0 else f"fits in part ({kind})",
            )
        )
    for name, key in (("Attributes", "r_att"), ("Options", "r_option")):
        if key in score:
            found.append((name, f"{score[key]:.0%} of those asked for"))
    if "r_price" in score:
        found.append(("Price", "fits" if score["r_price"] else "too high"))
    return found


def _choices(visit: Visit) -> Mapping[str, list[Choice]]:
    """Return option name to its choices, marked as the page in mode "text_rich" marks them."""
    plain = visit.shelf.compat == "webshop"
    numbers = {text: number for number, text in enumerate(visit.clickables)}
    found: dict[str, list[Choice]] = {}
    for name, values in visit.product.options.items():
        found[name] = []
        for value in values:
            label = value if plain or visit.labels.get(value) == (name, value) else f"{name}: {value}"
            click = label if plain else label.lower()
            if shown(label):
                found[name].append(Choice(label, click, numbers.get(click, -1), label in visit.clicked))
    return found


def _title(visit: Visit) -> str:
    """Return what a browser's tab says."""
    session = visit.session
    if session.page == "search":
        return "Search · WebShop"
    if session.page == "results":
        return f"{short(' '.join(session.keywords))}, page {session.number} · WebShop"
    if session.page == "done":
        return "Thank you · WebShop"
    name = short(visit.product.title)
    return f"{session.subpage} of {name} · WebShop" if session.page == "sub" else f"{name} · WebShop"


def _finished(html: str) -> str:
    """Write as references what a parser would read as something else."""
    return html.replace("\r", "&#13;").replace("\0", "&#65533;")


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise WorldError("Jinja2 is missing", where="Shop: html", mend="Install worldschool[shop].") from None
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"shown": shown, "short": short}
    environment.globals |= {"picture_address": picture_address, "ROOT": ROOT}
    return environment
