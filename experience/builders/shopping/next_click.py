"""What to click next on a product's page: another value of an option, "Buy Now", or back?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from random import Random
from typing import NamedTuple

from pydantic import Field

from worldschool.envs.shop.products import Product
from worldschool.envs.shop.session import Visit
from worldschool.envs.shop.wishes import OPTION, PRICE
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example
from worldschool.experience.builders.shopping.browsing import Results, browse, click_on, results_of
from worldschool.experience.builders.shopping.parts import Part, goal_for
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, phrase_of
from worldschool.records import Example, Goal, Predicate

NO_MOMENT = Skipped("no product seen has options to choose from and a price")
BUY, BACK = "buy it now", "go back to the results"


class NextClickSettings(BuilderSettings):
    """Settings of the next click builder."""

    options: int = Field(default=4, ge=3)
    """Kinds of click to choose from at most: buying, going back, and one for each option that is asked for."""


class _Moment(NamedTuple):
    """A product's page: what the instruction asks for, and what was chosen so far."""

    goal: Goal
    chosen: dict[str, str]
    answer: str


@asks_of_shopping
def build(
    lived: Shopping, settings: NextClickSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show a product's page with values chosen, and ask what to do next.

    A value is wrong and has to be chosen anew, or all is well, or the product does not fit whatever is chosen: by the
    reward of each click. The same page is shown with each of these, so that neither the instruction nor what was
    chosen tells by itself.
    """
    yielded = 0
    for page, row in _places(lived, rng):
        product = lived.world.shop.catalogue.product(row)
        names = [name for name, values in product.options.items() if len(values) > 1]
        asked = rng.sample(names, min(len(names), settings.options - 2))
        moments = [_moment(lived, product, asked, answer, rng) for answer in (*asked, BUY, BACK)]
        shown = {one: one if one in (BUY, BACK) else f"choose another {one}" for one in (*asked, BUY, BACK)}
        options = tuple(rng.sample(list(shown.values()), len(shown)))
        keys = {shown[one]: one for one in asked} | {BUY: "Buy Now", BACK: "< Prev"}
        for moment in rng.sample(moments, len(moments)):
            if yielded == settings.per_episode:
                return
            visit = _visit(lived, page, product, moment)
            if visit is None or _best(lived, visit, moment.goal, asked) != moment.answer:
                continue
            story = " ".join(visit.rich_text.split())
            yielded += 1
            yield make_example(
                "next_click",
                lived.episode,
                story_seed,
                f"Page: {story}\nQuestion: What is to be done next? {choose_from(options)}\nAnswer:",
                shown[moment.answer],
                options=options,
                dials={"options": len(asked), "distractors": len(options) - 1},
                meta={
                    "story": story,
                    "cue": f"{len(asked)} options",
                    "keys": [keys[one] for one in options],
                },
            )
    if not yielded:
        yield NO_MOMENT


def _places(lived: Shopping, rng: Random) -> Iterator[tuple[Results, int]]:
    """Yield products of one price with options to choose from, and the page of results on which they were seen."""
    found = {row: page for page in reversed(results_of(lived)) for row in page.rows}
    for row in rng.sample(sorted(found), len(found)):
        product = lived.world.shop.catalogue.product(row)
        if len(product.prices) == 1 and any(len(values) > 1 for values in product.options.values()):
            yield found[row], row


def _moment(lived: Shopping, product: Product, asked: Sequence[str], answer: str, rng: Random) -> _Moment:
    """Draw what is asked for and what was chosen, so that one kind of click should be the right one."""
    wanted = {name: rng.choice(product.options[name]) for name in asked}
    chosen = {name: rng.choice(values) for name, values in product.options.items() if values} | wanted
    if answer in wanted:
        others = [value for value in product.options[answer] if value != wanted[answer]]
        chosen[answer] = rng.choice(others)
    price = product.prices[0]
    bound = (
        max(1, floor(price * rng.uniform(0.5, 0.95)))
        if answer == BACK
        else ceil(price * rng.uniform(1.05, 2))
    )
    predicates: list[Predicate] = [(OPTION, value, name) for name, value in wanted.items()]
    predicates.append((PRICE, repr(float(bound)), None))
    parts = [Part(one, phrase_of(one, lived.world), frozenset()) for one in predicates]
    return _Moment(goal_for([product], rng.sample(parts, len(parts)), rng), chosen, answer)


def _visit(lived: Shopping, page: Results, product: Product, moment: _Moment) -> Visit | None:
    """Return the product's page once the values were chosen; None if it cannot be reached so."""
    opened = browse(lived, [*page.opened(), f"click[{product.asin.lower()}]"], moment.goal)
    if opened is None:
        return None
    clicks = [click_on(opened.visits[-1], name, value) for name, value in moment.chosen.items()]
    told = [click for click in clicks if click is not None]
    for click in told:
        opened.world.step(click)
    visit = opened.world.visit
    return visit if dict(visit.session.options) == moment.chosen else None


def _best(lived: Shopping, visit: Visit, goal: Goal, asked: Sequence[str]) -> str | None:
    """Return the only kind of click that leads on to full reward; None if several do.

    Buying does if it is worth 1.0 as things are, choosing another value of an option if it then would be, and going
    back if nothing that can be chosen would make it so.
    """
    row, now = visit.session.row, dict(visit.session.options)
    assert row is not None

    def fits(options: dict[str, str]) -> bool:
        return not lived.fails(row, goal.predicates, options)

    right = [BUY] if fits(now) else []
    for name in asked:
        values = lived.world.shop.catalogue.product(row).options[name]
        if not fits(now) and any(fits({**now, name: value}) for value in values):
            right.append(name)
    if not fits(lived.best_options(row, goal.predicates)):
        right.append(BACK)
    return right[0] if len(right) == 1 else None
