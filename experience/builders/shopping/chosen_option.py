"""Which value of an option was chosen first, second or last for a product, after clicks on several pages?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from random import Random
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from worldschool.envs import world_class
from worldschool.envs.shop.products import Product
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example, question
from worldschool.experience.builders.shopping.browsing import Results, browse, results_of
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Event, Example

NO_CHOICE = Skipped("no three products on one page have enough values of one option in common")
ORDINALS = ("first", "second", "third", "fourth", "fifth")
TEXTS = ("features", "description", "reviews")
BACK = "click[< prev]"


class ChosenOptionSettings(BuilderSettings):
    """Settings of the chosen option builder."""

    options: int = Field(default=4, ge=2, le=len(ORDINALS) + 1)
    """Values to choose from at most, each of them chosen for both products."""
    minimum: int = Field(default=3, ge=2)
    """Fewest values."""
    stays: int = Field(default=3, ge=1)
    """Most times that a product's page is opened."""
    looks: float = Field(default=0.4, ge=0, le=1)
    """How likely something else is done before a choice: another option chosen, or a text read."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.options:
            raise ValueError(f"minimum ({self.minimum}) is more than options ({self.options})")
        return self


class _Browsing(NamedTuple):
    """What is browsed on a page of results.

    Attributes:
        page: of results.
        products: the two that are asked about.
        frame: a third one, which is browsed before and after them.
        name: of an option.
        values: of that option, that both products have.
        told: two or more of these, that the third one has.
    """

    page: Results
    products: tuple[Product, Product]
    frame: Product
    name: str
    values: tuple[str, ...]
    told: tuple[str, ...]


@asks_of_shopping
def build(
    lived: Shopping, settings: ChosenOptionSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Browse two products, choose the same values for both, for each in an order of its own, and ask what was chosen
    first, second or last for one of them.

    The truth is read off the events. Every value is right as often as any other: when and how often it is told says
    nothing. Another product is browsed before and after, and both are looked at again in the end: what is told first
    or last, or nearest to a product's last mention, is mostly something else.
    """
    yielded = 0
    for pair in _browsings(lived, settings, rng):
        browsed = browse(lived, _script(pair, settings, rng))
        if browsed is None:
            continue
        chosen = {one.asin: _chosen(browsed.events, one.asin, pair.name) for one in pair.products}
        if any(sorted(order) != sorted(pair.values) for order in chosen.values()):
            continue
        world = world_class(lived.episode.world)
        sentences = world.narrate(browsed.events, settings.style, Random(story_seed))
        story = " ".join(sentences)
        options = tuple(rng.sample(pair.values, len(pair.values)))
        asked = [(asin, at) for asin in chosen for at in range(len(options))]
        for asin, at in rng.sample(asked, len(asked)):
            if yielded == settings.per_episode:
                return
            yielded += 1
            place = "last" if at == len(options) - 1 else ORDINALS[at]
            yield make_example(
                "chosen_option",
                lived.episode,
                story_seed,
                question(
                    story,
                    f"Which {pair.name} was chosen {place} for product {asin}? {choose_from(options)}",
                ),
                chosen[asin][at],
                options=options,
                dials={
                    "length": len(options),
                    "sentences": len(sentences),
                    "revisits": sum(one.verb == "open" and one.object == asin for one in browsed.events) - 1,
                    "distractors": sum(one.verb == "choose" for one in browsed.events) - len(options),
                },
                meta={"story": story, "cue": place, "about": [asin]},
            )
    if not yielded:
        yield NO_CHOICE


def _browsings(lived: Shopping, settings: ChosenOptionSettings, rng: Random) -> Iterator[_Browsing]:
    """Yield products that can be asked about, each with another one once or more, in an order drawn."""
    pages = results_of(lived)
    for page in rng.sample(pages, len(pages)):
        products = [lived.world.shop.catalogue.product(row) for row in page.rows]
        pairs = list(combinations(products, 2))
        for one, other in rng.sample(pairs, len(pairs)):
            for name in rng.sample(sorted(one.options), len(one.options)):
                both = _shared(name, one, other)
                if len(both) < settings.minimum:
                    continue
                values = tuple(rng.sample(both, min(len(both), settings.options)))
                frames = [
                    (third, [value for value in values if value in third.options.get(name, ())])
                    for third in products
                    if third.asin not in (one.asin, other.asin)
                ]
                frames = [(third, told) for third, told in frames if len(told) > 1]
                if frames:
                    third, told = rng.choice(frames)
                    yield _Browsing(page, (one, other), third, name, values, tuple(told))
                    break


def _shared(name: str, one: Product, other: Product) -> list[str]:
    return [value for value in one.options[name] if value in other.options.get(name, ())]


def _script(pair: _Browsing, settings: ChosenOptionSettings, rng: Random) -> list[str]:
    """Return the actions: the products are opened in turn, and on each stay some of the values are chosen."""
    before, after = rng.sample(pair.told, 2)
    stays = [(pair.frame, [before]), *_turns(pair, settings, rng)]
    stays += [(pair.frame, [after]), *((one, []) for one in rng.sample(pair.products, 2))]
    actions = pair.page.opened()
    for product, values in stays:
        actions.append(f"click[{product.asin.lower()}]")
        for value in values:
            if rng.random() < settings.looks:
                actions += _look(product, pair.name, rng)
            actions.append(_click(product, pair.name, value))
        if not values:
            actions += [f"click[{rng.choice(TEXTS)}]", BACK]
        actions.append(BACK)
    return actions


def _turns(pair: _Browsing, settings: ChosenOptionSettings, rng: Random) -> list[tuple[Product, list[str]]]:
    """Return stays on the two products, which alternate as long as both have some left, and what is chosen on each."""
    left: list[list[tuple[Product, list[str]]]] = []
    for product in pair.products:
        order = rng.sample(pair.values, len(pair.values))
        cuts = rng.sample(range(1, len(order)), rng.randrange(min(settings.stays, len(order))))
        ends = [0, *sorted(cuts), len(order)]
        left.append([(product, order[begin:end]) for begin, end in pairwise(ends)])
    rng.shuffle(left)
    turns = []
    while any(left):
        turns += [one.pop(0) for one in left if one]
    return turns


def _look(product: Product, name: str, rng: Random) -> list[str]:
    others = [one for one in product.options if one != name and product.options[one]]
    if others and rng.random() < 0.5:
        other = rng.choice(others)
        return [_click(product, other, rng.choice(product.options[other]))]
    return [f"click[{rng.choice(TEXTS)}]", BACK]


def _click(product: Product, name: str, value: str) -> str:
    """Return the click on a value; values of several options are written with the option's name."""
    several = sum(value.lower() == one.lower() for values in product.options.values() for one in values) > 1
    return f"click[{f'{name}: {value}' if several else value}]".lower()


def _chosen(events: Sequence[Event], asin: str, name: str) -> list[str]:
    """Return the values of an option that were chosen for a product, in order."""
    start = f"{name}: "
    return [
        event.object.removeprefix(start)
        for event in events
        if event.verb == "choose" and event.target == asin and event.object and event.object.startswith(start)
    ]
