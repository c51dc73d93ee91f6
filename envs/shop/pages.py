"""Pages as the texts on them, in order: what the text observations join and what the HTML templates show.

A page is a list of `Node`s. WebShop makes its observations by parsing HTML; here text and HTML come from the same nodes, and
tests compare them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from worldschool.envs.shop.products import Listing, Product

Kind: TypeAlias = Literal["text", "button", "label", "link"]
SEARCH, BACK, NEXT, PREVIOUS, BUY = "Search", "Back to Search", "Next >", "< Prev", "Buy Now"
DESCRIPTION, FEATURES, REVIEWS, ATTRIBUTES = "Description", "Features", "Reviews", "Attributes"
SUBPAGES = (DESCRIPTION, FEATURES, REVIEWS)
PAGE_SIZE = 10
"""Products on one page of results."""
SEPARATOR = " [SEP] "
_SPACES = " \n\t\f\r"


class Node(NamedTuple):
    """A text on a page, and what it stands in: plain text, a button, the label of an option's value, a product's link."""

    text: str
    kind: Kind = "text"


def search_page(instruction: str) -> list[Node]:
    """Return the page with the search box."""
    return shown([Node("WebShop"), Node("Instruction: "), Node(instruction), Node(SEARCH, "button")])


def results_page(
    instruction: str, page: int, total: int, found: Iterable[Product | Listing], has_next: bool = True
) -> list[Node]:
    """Return a page of results; `page` counts from 1, `total` is of all pages."""
    head = results_head(instruction, page, total, has_next)
    return [*head, *(node for one in found for node in result_of(one))]


def results_head(instruction: str, page: int, total: int, has_next: bool) -> list[Node]:
    """Return what stands above the products on a page of results."""
    nodes = [*_head(instruction), Node(f"Page {page} (Total results: {total})")]
    if page > 1:
        nodes.append(Node(PREVIOUS, "button"))
    if has_next:
        nodes.append(Node(NEXT, "button"))
    return shown(nodes)


def result_of(product: Product | Listing) -> list[Node]:
    """Return what a page of results shows of a product."""
    return shown([Node(product.asin, "link"), Node(product.title), Node(product.price_text)])


def item_page(
    instruction: str, product: Product, labels: Mapping[str, Sequence[str]], show_attributes: bool = False
) -> list[Node]:
    """Return a product's page; `labels` are the texts of each option's values."""
    nodes = [*_head(instruction), Node(PREVIOUS, "button")]
    for name, values in labels.items():
        nodes.append(Node(name))
        nodes += (Node(value, "label") for value in values)
    nodes += (Node(product.title), Node(f"Price: {product.price_text}"), Node(f"Rating: {product.rating}"))
    nodes += (Node(name, "button") for name in (*SUBPAGES, *([ATTRIBUTES] if show_attributes else []), BUY))
    return shown(nodes)


def sub_page(instruction: str, product: Product, name: str) -> list[Node]:
    """Return the page of a product's description, features, reviews or attributes."""
    nodes = [*_head(instruction), Node(PREVIOUS, "button")]
    if name == DESCRIPTION:
        nodes.append(Node(product.description))
    elif name == FEATURES:
        nodes += (Node(f" {bullet}") for bullet in product.bullets)
    elif name == REVIEWS:
        for title, score, body in product.reviews:
            nodes += (Node(f'"{title}"'), Node(score), Node(body))
    elif name == ATTRIBUTES:
        nodes += (Node(f" {attribute}") for attribute in product.attributes)
        nodes += (Node(product.category), Node(product.query), Node(product.product_category))
    return shown(nodes)


def done_page(asin: str, options: Mapping[str, str], reward: float) -> list[Node]:
    """Return the page after buying. What it does not tell is written None, as in WebShop's text environment."""
    unknown = "None"
    texts = [
        "Thank you for shopping with us!",
        "Your code: ",
        unknown,
        " (Paste it in your MTurk interface.)",
    ]
    texts += [
        "Purchased",
        "asin",
        asin,
        "options",
        json_in_html(options),
        "attrs",
        unknown,
        "category",
        unknown,
    ]
    texts += [
        "query",
        unknown,
        "product category",
        unknown,
        "Target",
        "asin",
        "options",
        "attrs",
        "price upper",
    ]
    texts += ["instuction text", "category", "product category", "query", "Goal ", unknown]
    texts += ["Reward", "Your score (min 0.0, max 1.0)", repr(reward), "Reward Details ", unknown]
    return [Node(text) for text in texts]


def text_of(nodes: Iterable[Node]) -> str:
    """Return a page as one line (observation mode "text")."""
    return SEPARATOR.join([node.text.strip() for node in nodes])  # a list is joined faster


def rich_text_of(nodes: Iterable[Node], clicked: Collection[str], visited: Collection[str]) -> str:
    """Return a page as lines that mark what can be clicked (observation mode "text_rich").

    Args:
        nodes: of the page.
        clicked: labels that were chosen; each is also told before the page, the last one first.
        visited: ids of the products that were opened.
    """
    lines, told = [], ""
    for text, kind in nodes:
        if kind == "button":
            line = f"[button] {text} [button_]"
        elif kind == "label" and text in clicked:
            line = f"  [clicked button] {text} [clicked button_]"
            told = f"You have clicked {text}.\n{told}"
        elif kind == "label":
            line = f"  [button] {text} [button_]"
        elif kind == "link" and text in visited:
            line = f"\n[clicked button] {text} [clicked button_]"
        elif kind == "link":
            line = f"\n[button] {text} [button_]"
        else:
            line = text
        lines.append(f"{line}\n")
    return told + "".join(lines)


def json_in_html(options: Mapping[str, str]) -> str:
    """Return options as JSON with sorted keys, what could be HTML escaped as Jinja's `tojson` does it."""
    text = json.dumps(dict(options), sort_keys=True)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _head(instruction: str) -> list[Node]:
    return [Node("Instruction:"), Node(instruction), Node(BACK, "button")]


def shown(nodes: Iterable[Node]) -> list[Node]:
    """Leave out what an HTML parser gives no text for: what is empty, or only white space with a line break in it."""
    return [
        Node(" ", node.kind) if node.text.isspace() and not node.text.strip(_SPACES) else node
        for node in nodes
        if node.text and (not node.text.isspace() or _is_seen(node.text))
    ]


def _is_seen(white: str) -> bool:
    """Return whether white space is a text of its own: a parser shortens what is ASCII to a line break or a space."""
    return bool(white.strip(_SPACES)) or "\n" not in white
