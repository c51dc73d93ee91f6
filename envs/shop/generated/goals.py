"""Goals made from generated products: an instruction, and what it asks for.

A goal asks only for what the target's pages say literally. It is met, with reward 1.0, by buying its target with the options
named. A product has one goal at most, and its split is that of the combination of attributes (`split_of_attributes`): so no
product, no combination and no template of an instruction is in two splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worldschool.envs.shop.generated.draws import Draws
from worldschool.envs.shop.generated.instructions import Wording, instruction_of
from worldschool.envs.shop.generated.kinds import Attribute, Kind
from worldschool.envs.shop.generated.products import product_at
from worldschool.envs.shop.generated.table import KIND_OF
from worldschool.envs.shop.goals import ShopGoal, split_of_attributes
from worldschool.envs.shop.products import Product
from worldschool.envs.shop.wishes import NO_BOUND

MOST_GOALS = 20_000
"""Goals of a catalogue; those of the first products."""
_STEPS = ((20, 5), (200, 10), (500, 50))
"""Below a price, the step of the bounds above it; 100 for dearer ones."""
_ATTRIBUTES_ASKED = (1, 1, 2, 2, 2, 3)


def generate_goals(products: int, seed: int) -> Iterator[ShopGoal]:
    """Yield the goals of the first `MOST_GOALS` products of a seed, in the order of the products."""
    for row in range(min(products, MOST_GOALS)):
        goal = goal_of(product_at(row, seed), row, seed)
        if goal is not None:
            yield goal


def goal_of(product: Product, row: int, seed: int) -> ShopGoal | None:
    """Return the goal whose target is a generated product; None for the rare one that no wording was found for."""
    worded = worded_goal(product, row, seed)
    return worded[0] if worded else None


def worded_goal(product: Product, row: int, seed: int) -> tuple[ShopGoal, Wording] | None:
    """Return a product's goal and how it was worded."""
    draws = Draws(f"goal {row} of {seed}")
    kind = KIND_OF[product.query]
    asked = draws.some_of(told_attributes(product, kind), draws.one_of(_ATTRIBUTES_ASKED))
    options = _options(draws, product)
    bound = _bound(draws, product.prices) if draws.below(4) else None
    names = tuple(attribute.text for attribute in asked)
    split = split_of_attributes(names)
    wording = instruction_of(draws, kind, asked, options, bound, split)
    if wording is None:
        return None
    upper = NO_BOUND if bound is None else float(bound)
    goal = ShopGoal.of(product, row, wording.text, names, options, upper, split=split)
    return goal, wording


def told_attributes(product: Product, kind: Kind) -> list[Attribute]:
    """Return the attributes of a generated product that its title, features or description name."""
    text = "\n".join((product.title, *product.bullets, product.description)).lower()
    own = set(product.attributes)
    return [one for group in kind.groups for one in group if one.text in own and one.text in text]


def _options(draws: Draws, product: Product) -> tuple[tuple[str, str], ...]:
    wanted = draws.below(min(3, len(product.options)) + 1)
    names = set(draws.some_of(list(product.options), wanted))
    return tuple((name, draws.one_of(values)) for name, values in product.options.items() if name in names)


def _bound(draws: Draws, prices: Sequence[float]) -> int:
    """Draw a round number of dollars above a price, whichever of a range it is: one of the next four."""
    price = max(prices)
    step = next((step for below, step in _STEPS if price < below), 100)
    return int(price // step + 1 + draws.below(4)) * step
