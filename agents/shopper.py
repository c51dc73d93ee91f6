"""A scripted shopper: searches, compares a few products and buys the best. It uses only what the pages show.

Neither the goal's predicates nor the world's state are looked at: the instruction is read off the page, and what a product
is, off its pages. It is what a planner with the world's knowledge and a language model can be compared with.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from pydantic import Field

from worldschool.config import Config
from worldschool.envs import World
from worldschool.envs.shop.pages import SEPARATOR
from worldschool.envs.shop.queries import PRICE_CLAUSE, queries_of
from worldschool.envs.shop.search.analyzer import terms_of
from worldschool.errors import WorldError
from worldschool.records import Goal

BUTTONS = (
    "back to search",
    "< prev",
    "next >",
    "description",
    "features",
    "reviews",
    "attributes",
    "buy now",
    "search",
)
READ = ("features", "description")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


class ShopperConfig(Config):
    """Settings of the scripted shopper."""

    candidates: int = Field(default=4, ge=1)
    """Products that are opened and read before one is bought."""
    pages: int = Field(default=1, ge=1)
    """Pages of results that are looked through."""


class Page(NamedTuple):
    """What is seen: the page's texts in order, and what can be clicked."""

    texts: list[str]
    clickables: list[str]


Steps: TypeAlias = Generator[str, Page, None]


@dataclass
class Candidate:
    """A product seen: its id, title, lowest price shown, page of the results, and later its texts and options."""

    asin: str
    title: str
    price: float
    number: int
    told: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)


class ShopperAgent:
    """Shops in a world whose pages are told in observation mode "text".

    Raises:
        WorldError: the world is no such shop.
    """

    def __init__(self, config: ShopperConfig, world: World, seed: int) -> None:
        if world.config.get("observation_mode") != "text":
            raise WorldError(
                f"the shopper cannot read {world.world_id} as it is set",
                where="agent.name",
                mend="Use world worldschool/Shop-v0 with observation_mode text.",
            )
        self._config = config
        self._script: Steps | None = None

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode; the goal is left aside, the page tells the instruction."""
        self._script = None

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return the next action; None after buying, or where nothing was found."""
        page = Page(observation.split(SEPARATOR), list(info["clickables"]))
        try:
            if self._script is None:
                self._script = self._shop(page)
                return next(self._script)
            return self._script.send(page)
        except StopIteration:
            return None

    def _shop(self, page: Page) -> Steps:
        wanted = Wanted.read(page.texts[2] if len(page.texts) > 3 else "")
        for query in wanted.queries:
            found, number = yield from self._look_through(query)
            if found:
                yield from self._compare(wanted, found, number)
                return
            yield "click[back to search]"

    def _look_through(self, query: str) -> Generator[str, Page, tuple[list[Candidate], int]]:
        """Search; returns the products on the pages of results, and the number of the page that is open then."""
        page, number = (yield f"search[{query}]"), 1
        found = more = _products_on(page, number)
        # WebShop's pages go on without end; the first without products is the last that is looked at.
        while more and number < self._config.pages and "next >" in page.clickables:
            page, number = (yield "click[next >]"), number + 1
            more = _products_on(page, number)
            found = found + more
        return found, number

    def _compare(self, wanted: Wanted, found: list[Candidate], number: int) -> Steps:
        """Read the most promising products and buy the best; page `number` of the results is open."""
        chosen = sorted(found, key=lambda one: wanted.promise(one), reverse=True)[: self._config.candidates]
        best, most, last = None, -1.0, None
        for candidate in chosen:
            if last is not None:
                yield "click[< prev]"
            yield from _turn(number, candidate.number)
            page, number = (yield f"click[{candidate.asin.lower()}]"), candidate.number
            candidate.options = _options_on(page)
            for name in READ:
                page = yield f"click[{name}]"
                candidate.told += " " + " ".join(page.texts[4:])
                page = yield "click[< prev]"
            last, worth = candidate, wanted.worth(candidate)
            if worth > most:
                best, most = candidate, worth
        if best is None:
            return
        if best is not last:
            yield "click[< prev]"
            yield from _turn(number, best.number)
            yield f"click[{best.asin.lower()}]"
        for values in best.options.values():
            value = wanted.choice(values)
            if value is not None:
                yield f"click[{value}]"
        yield "click[buy now]"


@dataclass(frozen=True)
class Wanted:
    """What an instruction asks for, as far as its words tell: terms, a bound on the price, searches to try."""

    terms: frozenset[str]
    phrases: str
    bound: float
    queries: Sequence[str]

    @classmethod
    def read(cls, instruction: str) -> Wanted:
        """Read an instruction."""
        clause = PRICE_CLAUSE.search(instruction)
        numbers = _NUMBER.findall(clause[0]) if clause else []
        bound = float(numbers[-1].replace(",", "")) if numbers else float("inf")
        queries = queries_of(instruction)
        return cls(frozenset(terms_of(queries[0] if queries else "")), instruction.lower(), bound, queries)

    def promise(self, candidate: Candidate) -> float:
        """Return how good a product looks on the page of results: the share of terms in its title; too dear is last."""
        return self._covered(candidate.title) - (candidate.price > self.bound)

    def worth(self, candidate: Candidate) -> float:
        """Return how good a product is by its own pages: the share of terms in its texts and options; too dear is last."""
        values = " ".join(value for values in candidate.options.values() for value in values)
        everything = f"{candidate.title} {candidate.told} {values}"
        return self._covered(everything) - (candidate.price > self.bound)

    def choice(self, values: Sequence[str]) -> str | None:
        """Return the value that the instruction names, the one of most words; None if it names none of them."""
        named = [value for value in values if (own := set(terms_of(value))) and own <= self.terms]
        literal = [
            value
            for value in values
            if value and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", self.phrases)
        ]
        return max(literal or named, key=lambda value: len(value), default=None)

    def _covered(self, text: str) -> float:
        return len(self.terms & set(terms_of(text))) / max(1, len(self.terms))


def _turn(number: int, wanted: int) -> Steps:
    """Turn from one page of results to another."""
    for _ in range(abs(wanted - number)):
        yield "click[next >]" if wanted > number else "click[< prev]"


def _products_on(page: Page, number: int) -> list[Candidate]:
    """Return the products on a page of results: each id is followed by title and price."""
    ids = {text.upper() for text in page.clickables if text not in BUTTONS}
    found = []
    for place, text in enumerate(page.texts[:-2]):
        if text in ids and page.texts[place + 2].startswith("$"):
            price = float(page.texts[place + 2].split(" to ")[0].removeprefix("$"))
            found.append(Candidate(text, page.texts[place + 1], price, number))
    return found


def _options_on(page: Page) -> dict[str, list[str]]:
    """Return a product page's options, name to what can be clicked: they stand between "< Prev" and the title."""
    values = [text for text in page.clickables if text not in BUTTONS]
    options: dict[str, list[str]] = {}
    name = ""
    for text in page.texts[page.texts.index("< Prev") + 1 :]:
        if text in values:
            options.setdefault(name, []).append(text)
        elif text.startswith("Price: "):
            break
        else:
            name = text
    return options
