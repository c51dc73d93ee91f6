"""A shopping episode executed again: every page that was open, and what products are worth for its wish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from random import Random
from typing import TypeAlias, TypeVar

from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.matching import is_same
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.reward import options_met
from worldschool.envs.shop.session import Visit
from worldschool.envs.shop.wishes import ATTRIBUTE, OPTION, PRICE, TYPE, predicate_holds
from worldschool.errors import WorldError
from worldschool.experience.builders.base import BuilderSettings, Skipped
from worldschool.experience.builders.latest import Latest
from worldschool.experience.builders.reliving import CHANGED, kept_world
from worldschool.experience.executing import executed
from worldschool.records import Episode, Example, Predicate

NO_SHOP = Skipped("not an episode of the shop")
SettingsT = TypeVar("SettingsT", bound=BuilderSettings)


@dataclass(frozen=True)
class Shopping:
    """An episode's shop and pages.

    Attributes:
        episode: what was executed again.
        world: to look products up in.
        visits: the page at the start and after each step.
    """

    episode: Episode
    world: ShopEnv
    visits: tuple[Visit, ...]

    @property
    def rows_seen(self) -> tuple[int, ...]:
        """The catalogue rows of all products shown on results, in the order first seen."""
        return tuple(dict.fromkeys(row for visit in self.visits for row in visit.rows_shown))

    def fails(self, row: int, predicates: Sequence[Predicate], options: dict[str, str]) -> list[Predicate]:
        """Return which predicates buying a product with options would not meet."""
        bought = self.world.shop.purchase(row, options)
        return [
            one
            for one in predicates
            if not predicate_holds(one, self.world.shop.wish((one,)), bought, self.world.rules)
        ]

    def best_options(self, row: int, predicates: Sequence[Predicate]) -> dict[str, str]:
        """Return the values of a product that meet what is wished of its options, as far as it has them."""
        product = self.world.shop.catalogue.product(row)
        chosen: dict[str, str] = {}
        for name, wanted, option in predicates:
            if name != OPTION:
                continue
            pair = wanted if option is None else (option, wanted)
            for own, values in product.options.items():
                fitting = [value for value in values if options_met([pair], {own: value}, self.world.rules)]
                if fitting and (option is None or is_same(own, option)):
                    chosen[own] = min(fitting, key=lambda value: (value != wanted, value))
        return chosen


_latest: Latest[Shopping | Skipped] = Latest()


Questions: TypeAlias = Callable[[Shopping, SettingsT, int, Random], Iterator[Example | Skipped]]
Build: TypeAlias = Callable[[Episode, SettingsT, int, Random], Iterator[Example | Skipped]]


def asks_of_shopping(ask: Questions[SettingsT]) -> Build[SettingsT]:
    """Make a builder from a function that asks about an episode executed again; other episodes are skipped."""

    @wraps(ask)
    def build(
        episode: Episode, settings: SettingsT, story_seed: int, rng: Random
    ) -> Iterator[Example | Skipped]:
        lived = shopping(episode)
        if isinstance(lived, Skipped):
            yield lived
        else:
            yield from ask(lived, settings, story_seed, rng)

    return build


def shopping(episode: Episode) -> Shopping | Skipped:
    """Execute a shopping episode again; says why where that cannot be."""
    return _latest.get(episode, None, lambda: _shopping(episode))


def _shopping(episode: Episode) -> Shopping | Skipped:
    if episode.world != ShopEnv.world_id:
        return NO_SHOP
    try:
        world = kept_world(episode.world, episode.world_config)
        assert isinstance(world, ShopEnv)
        visits = tuple(world.visit for _ in executed(world, episode))
    except (WorldError, ValueError):  # an edited episode may go on after its end
        return CHANGED
    expected = episode.steps[-1].state_hash if episode.steps else episode.initial_state_hash
    return Shopping(episode, world, visits) if world.snapshot().position == expected else CHANGED


def phrase_of(predicate: Predicate, shop: ShopEnv) -> str:
    """Return one part of a wish in words."""
    name, subject, option = predicate
    if name == TYPE:
        row = shop.shop.catalogue.row_of(subject)
        assert row is not None
        return f"kind: {shop.shop.catalogue.product(row).query}"
    if name == ATTRIBUTE:
        return subject
    if name == PRICE:
        return f"at most {float(subject):.2f} dollars"
    return f"{option}: {subject}" if option else subject


def describe(product: Product) -> str:
    """Return what the pages say of a product, on one line."""
    options = "".join(f" {name}: {', '.join(values)}." for name, values in product.options.items())
    texts = " ".join(" ".join(text.split()) for text in (*product.bullets, product.description))
    return f"{product.asin}: {' '.join(product.title.split())}. {product.price_text}.{options} {texts}"
