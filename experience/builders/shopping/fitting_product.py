"""Which product fits an instruction?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.parts import fitting_sets, goal_for
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, describe
from worldschool.records import Example

FEW = Skipped("the pages seen do not hold enough products that can be told apart")


class FittingProductSettings(BuilderSettings):
    """Settings of the fitting product builder."""

    options: int = Field(default=4, ge=2)
    """Products to choose from."""


@asks_of_shopping
def build(
    lived: Shopping, settings: FittingProductSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Describe products of the results seen, and ask of each in turn, by an instruction that it alone meets.

    The same products are asked about as often as there are, each being right once; every part of an instruction is
    met by others of them too.
    """
    yielded = 0
    for wishes in fitting_sets(lived, lived.rows_seen, settings.options, rng):
        product = lived.world.shop.catalogue.product
        shown = [product(row) for row in rng.sample(sorted(wishes), len(wishes))]
        story = "\n".join(describe(one) for one in shown)
        for row, parts in wishes.items():
            if yielded == settings.per_episode:
                return
            compared = [product(one) for one in (row, *wishes)]
            goal = goal_for(compared, rng.sample(parts, len(parts)), rng)
            fitting = [
                one
                for one in wishes
                if not lived.fails(one, goal.predicates, lived.best_options(one, goal.predicates))
            ]
            if fitting != [row]:  # another kind after all, by its title
                continue
            yielded += 1
            yield make_example(
                "fitting_product",
                lived.episode,
                story_seed,
                f"Instruction: {goal.text}\nProducts:\n{story}\nQuestion: Which product fits the instruction?\nAnswer:",
                product(row).asin,
                options=tuple(one.asin for one in shown),
                dials={"distractors": len(shown) - 1, "constraints": len(parts)},
                meta={"story": story, "cue": f"{len(parts)} parts"},
            )
    if not yielded:
        yield FEW
