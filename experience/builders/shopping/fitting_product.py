"""Which product fits an instruction?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, describe
from worldschool.records import Example

FEW = Skipped("the pages seen do not hold one product that fits and enough that do not")


class FittingProductSettings(BuilderSettings):
    """Settings of the fitting product builder."""

    options: int = Field(default=4, ge=2)
    """Products to choose from."""


@asks_of_shopping(wished=True)
def build(
    lived: Shopping, settings: FittingProductSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Describe products of the results seen and ask which one meets every part of the instruction, options included."""
    episode = lived.episode
    wanted = episode.wanted.predicates
    rows = list(lived.rows_seen)
    rng.shuffle(rows)
    missed = {row: len(lived.fails(row, wanted, lived.best_options(row, wanted))) for row in rows}
    fitting = [row for row in rows if not missed[row]]
    # What misses least is hardest to tell apart: it comes first.
    wrong = sorted((row for row in rows if missed[row]), key=lambda row: missed[row])
    count = settings.options - 1
    if not fitting or len(wrong) < count:
        yield FEW
        return
    for right in fitting[: settings.per_episode]:
        others = rng.sample(wrong[: 2 * count], count)
        shown = [lived.world.shop.catalogue.product(row) for row in (right, *others)]
        rng.shuffle(shown)
        answer = lived.world.shop.catalogue.product(right).asin
        story = "\n".join(describe(product) for product in shown)
        yield make_example(
            "fitting_product",
            episode,
            story_seed,
            f"Instruction: {episode.goal}\nProducts:\n{story}\nQuestion: Which product fits the instruction?\nAnswer:",
            answer,
            options=tuple(product.asin for product in shown),
            dials={"distractors": count, "constraints": len(wanted)},
            meta={"story": story, "cue": episode.goal},
        )
