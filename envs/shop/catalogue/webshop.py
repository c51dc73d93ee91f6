"""WebShop's own files (Yao et al. 2022; princeton-nlp/WebShop), as they are: products, attributes, human instructions.

    items_shuffle.json     a list of products
    items_ins_v2.json      id to {"attributes", "instruction", "instruction_attributes"}
    items_human_ins.json   id to a list of {"instruction", "instruction_attributes", "instruction_options"}

Each may be compressed (.gz). The list of products is read one product at a time; the other two are kept in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np

from worldschool.envs.shop.catalogue.catalogue import Catalogue
from worldschool.envs.shop.catalogue.json_stream import elements_of, members_of
from worldschool.envs.shop.catalogue.webshop_records import (
    Asked,
    Instruction,
    asked_of,
    instructions_of,
    product_of,
)
from worldschool.envs.shop.catalogue.writing import check_new
from worldschool.envs.shop.goals import (
    PAPER_GOALS,
    GoalTemplate,
    ShopGoal,
    combinations_of,
    paper_split,
    split_of_attributes,
    split_of_goal,
    webshop_order,
)
from worldschool.envs.shop.prices import bound_text, price_bound, price_of
from worldschool.envs.shop.products import Product
from worldschool.errors import WorldError
from worldschool.progress import Advance, silent

Splits: TypeAlias = Literal["paper", "attributes"]
"""How goals are split: by their numbers as in the paper, or by product and combination of attributes."""
TITLES_AT_ONCE = 256
"""Titles that spaCy is given together."""
PRODUCTS_TOLD = 100
"""Products after which a bar moves on."""


class WebShopFiles:
    """Products and goals out of WebShop's files, in this order; made by `read_webshop`.

    Attributes:
        about: which files, and what was made of them.
    """

    def __init__(
        self,
        items: Path,
        asked: dict[str, Asked],
        human: dict[str, tuple[Instruction, ...]] | None,
        num_products: int | None,
        splits: Splits | None,
        price: Callable[[Product], float],
        bound: Callable[[float, str], float],
        about: dict[str, Any],
    ) -> None:
        self._items, self._asked, self._human, self._num_products = items, asked, human, num_products
        self._splits, self._price, self._bound = splits, price, bound
        self._goals: list[ShopGoal] = []
        self._templates: list[GoalTemplate] = []
        self.about = about

    def products(self) -> Iterator[Product]:
        """Yield the products: of the first `num_products` elements those that WebShop keeps, of one id the first.

        Raises:
            WorldError: the file is no JSON list, or a field of a product is malformed.
        """
        self._goals, self._templates = [], []
        seen: set[str] = set()
        for place, value in enumerate(elements_of(self._items)):
            if place == self._num_products:
                break
            product = product_of(value, self._items, place, self._asked)
            if product is None or product.asin in seen:
                continue
            self._note_goals(product, len(seen))
            seen.add(product.asin)
            yield product

    def goals(self) -> Iterator[ShopGoal | GoalTemplate]:
        """Yield the goals of the products that were read, in the order in which WebShop makes them, before it shuffles.

        Raises:
            WorldError: the paper's splits were asked for and there are not so many goals.
        """
        if self._human is None:
            yield from self._weighted()
            return
        paper = len(self._goals) == PAPER_GOALS if self._splits is None else self._splits == "paper"
        if not paper:
            yield from self._goals
            return
        for goal, number in zip(
            self._goals, np.argsort(webshop_order(len(self._goals))).tolist(), strict=True
        ):
            yield replace(goal, split=paper_split(number))

    def _note_goals(self, product: Product, row: int) -> None:
        if self._human is None:
            asked = self._asked.get(product.asin)
            if asked is not None and asked.instruction is not None:
                self._templates.append(self._template(product, row, asked.instruction, asked.wanted))
            return
        wanted = [one for one in self._human.get(product.asin, ()) if one.attributes]
        price = self._price(product) if wanted else 0.0
        for number, one in enumerate(wanted):
            bound = self._bound(price, f"{product.asin} {number}")
            instruction = one.text.strip(".") + bound_text(bound)
            split = split_of_goal(one.attributes, wanted[0].attributes)
            self._goals.append(
                ShopGoal.of(product, row, instruction, one.attributes, one.options, bound, split=split)
            )

    def _template(
        self, product: Product, row: int, instruction: str, wanted: tuple[str, ...]
    ) -> GoalTemplate:
        return GoalTemplate(
            asin=product.asin,
            row=row,
            instruction=instruction,
            attributes=wanted,
            combinations=combinations_of(product.options),
            price_upper=self._bound(self._price(product), product.asin),
            split=split_of_attributes(wanted),
        )

    def _weighted(self) -> Iterator[GoalTemplate]:
        """Yield the templates, a goal's weight the mean over its attributes of 1 / (goals that ask for the attribute)."""
        asking: Counter[str] = Counter()
        for template in self._templates:
            for attribute in template.attributes:
                asking[attribute] += template.combinations
        for template in self._templates:
            if template.combinations:
                shares = [1 / asking[attribute] for attribute in template.attributes]
                yield replace(template, weight=sum(shares) / len(shares))


def read_splits(name: str | None) -> Splits | None:
    """Return how goals are to be split, by its name.

    Raises:
        WorldError: there is no such way.
    """
    if name is not None and name not in get_args(Splits):
        raise WorldError(f"found {name!r}", where="splits", mend=f"Accepted: {', '.join(get_args(Splits))}.")
    return cast(Splits | None, name)


def read_webshop(
    items: Path | str,
    attributes: Path | str,
    human: Path | str | None = None,
    num_products: int | None = None,
    *,
    splits: Splits | None = None,
    price: Callable[[Product], float] = price_of,
    bound: Callable[[float, str], float] = price_bound,
) -> WebShopFiles:
    """Read WebShop's files: the small ones now, the products as they are asked for.

    Args:
        items: the products.
        attributes: their attributes, and the instructions of synthetic goals.
        human: human instructions; the goals are then theirs. None: the goals are synthetic.
        num_products: read only so many elements of the list of products; None: all.
        splits: None: as in the paper if there are exactly its 12,087 human goals, else by product and attributes.
        price: what a product costs; WebShop draws a range's price anew in every process.
        bound: what it may cost at most, from its price and a name of the goal; drawn anew in WebShop, too.

    Raises:
        WorldError: a file cannot be read, or a record is malformed; file, product and field are named.
    """
    items, attributes = Path(items), Path(attributes)
    if num_products is not None and num_products < 1:
        raise WorldError(
            f"found {num_products}", where="num_products", mend="Give a number of at least 1, or none."
        )
    if splits == "paper" and human is None:
        raise WorldError(
            "the paper's splits are of human goals", where="splits", mend="Name the human instructions, too."
        )
    asked = {asin: asked_of(asin, value, attributes) for asin, value in members_of(attributes)}
    instructions = None
    if human is not None:
        instructions = {
            asin: instructions_of(asin, value, Path(human)) for asin, value in members_of(Path(human))
        }
    about = {
        "source": "webshop",
        "items": items.name,
        "attributes": attributes.name,
        "human": None if human is None else Path(human).name,
        "num_products": num_products,
    }
    return WebShopFiles(items, asked, instructions, num_products, splits, price, bound, about)


def import_webshop(
    folder: Path | str,
    items: Path | str,
    attributes: Path | str,
    human: Path | str | None = None,
    num_products: int | None = None,
    *,
    splits: Splits | None = None,
    nouns: bool = False,
    advance: Advance = silent,
) -> Catalogue:
    """Make a catalogue of WebShop's files, its goals in WebShop's order.

    Args:
        folder: one that is not there yet, or is empty; the rest as `read_webshop` takes it.
        nouns: find the nouns of titles now, by spaCy, and store them; the reward then needs no spaCy.
        advance: told of each product.

    Raises:
        WorldError: a file cannot be read, or a record is malformed; file, product and field are named.
        OutputError: the folder holds something.
    """
    check_new(Path(folder))
    files = read_webshop(items, attributes, human, num_products, splits=splits)
    products = _with_nouns(files.products()) if nouns else files.products()
    about = {**files.about, "nouns": nouns}
    return Catalogue.write(folder, _counted(products, advance), files.goals(), about, order=webshop_order)


def _with_nouns(products: Iterable[Product]) -> Iterator[Product]:
    from worldschool.envs.shop.nouns import nouns_of

    for some in _batched(products, TITLES_AT_ONCE):
        for product, nouns in zip(some, nouns_of([one.title for one in some]), strict=True):
            yield replace(product, nouns=nouns)


def _counted(products: Iterable[Product], advance: Advance) -> Iterator[Product]:
    for some in _batched(products, PRODUCTS_TOLD):
        yield from some
        advance(len(some))


def _batched(products: Iterable[Product], size: int) -> Iterator[list[Product]]:
    some = iter(products)
    while batch := list(islice(some, size)):
        yield batch
