"""Which part of an instruction does a product not meet?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Self

from pydantic import Field, model_validator

from worldschool.envs.shop.wishes import OPTION
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example
from worldschool.experience.builders.shopping.parts import goal_for, missing_sets
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, describe
from worldschool.records import Example

NONE_MISSED = Skipped("the products seen do not each miss a part that the others meet")


class ViolatedConstraintSettings(BuilderSettings):
    """Settings of the violated constraint builder."""

    minimum: int = Field(default=3, ge=2)
    """Fewest parts of the instruction, which are the options, and as many products."""
    maximum: int = Field(default=4, ge=2)
    """Most parts; where the products seen have no question of so many, fewer."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) is more than maximum ({self.maximum})")
        return self


@asks_of_shopping
def build(
    lived: Shopping, settings: ViolatedConstraintSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Describe as many products as an instruction has parts, and ask of each in turn which part it misses.

    Every product misses one part, every part is missed by one product: all parts are named equally often.
    """
    counts = range(settings.maximum, settings.minimum - 1, -1)
    product = lived.world.shop.catalogue.product
    yielded = 0
    for missed in missing_sets(lived, lived.rows_seen, counts, rng):
        rows = rng.sample(sorted(missed), len(missed))
        parts = rng.sample(list(missed.values()), len(missed))
        goal = goal_for([product(row) for row in rows], parts, rng)
        options = tuple(part.phrase for part in rng.sample(parts, len(parts)))
        story = "\n".join(describe(product(row)) for row in rows)
        for row in rng.sample(rows, len(rows)):
            if yielded == settings.per_episode:
                return
            fails = lived.fails(row, goal.predicates, lived.best_options(row, goal.predicates))
            if fails != [missed[row].predicate] or len(set(options)) < len(options):
                continue
            yielded += 1
            asin = product(row).asin
            asked = f"Which part of the instruction does product {asin} not meet? {choose_from(options)}"
            yield make_example(
                "violated_constraint",
                lived.episode,
                story_seed,
                f"Instruction: {goal.text}\nProducts:\n{story}\nQuestion: {asked}\nAnswer:",
                missed[row].phrase,
                options=options,
                dials={
                    "constraints": len(parts),
                    "options": sum(part.predicate[0] == OPTION for part in parts),
                    "distractors": len(rows) - 1,
                },
                meta={"story": story, "cue": f"{len(parts)} parts", "about": [asin]},
            )
    if not yielded:
        yield NONE_MISSED
