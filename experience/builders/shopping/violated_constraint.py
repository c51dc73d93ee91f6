"""Which part of an instruction does a product not meet?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs.shop.wishes import OPTION
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, describe, phrase_of
from worldschool.records import Example

NONE_MISSED = Skipped("no product seen misses exactly one of three or more parts")


class ViolatedConstraintSettings(BuilderSettings):
    """Settings of the violated constraint builder."""

    minimum: int = Field(default=3, ge=2)
    """Fewest parts of the instruction, which are the options."""


@asks_of_shopping(wished=True)
def build(
    lived: Shopping, settings: ViolatedConstraintSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Describe a product that misses exactly one part of the instruction, and ask which.

    Options wished for count as chosen where the product has them.
    """
    episode = lived.episode
    wanted = episode.wanted.predicates
    phrases = {predicate: phrase_of(predicate, lived.world) for predicate in wanted}
    yielded = 0
    rows = list(lived.rows_seen) if len(set(phrases.values())) == len(wanted) >= settings.minimum else []
    rng.shuffle(rows)
    for row in rows:
        if yielded == settings.per_episode:
            return
        chosen = lived.best_options(row, wanted)
        missed = lived.fails(row, wanted, chosen)
        if len(missed) != 1:
            continue
        options = list(phrases.values())
        rng.shuffle(options)
        product = lived.world.shop.catalogue.product(row)
        told = (
            f" Chosen: {'; '.join(f'{name}: {value}' for name, value in chosen.items())}." if chosen else ""
        )
        story = f"{describe(product)}{told}"
        yielded += 1
        yield make_example(
            "violated_constraint",
            episode,
            story_seed,
            f"Instruction: {episode.goal}\nProduct: {story}\nQuestion: What does the product not meet? "
            f"{choose_from(options)}\nAnswer:",
            phrases[missed[0]],
            options=tuple(options),
            dials={"constraints": len(wanted), "options": sum(one[0] == OPTION for one in wanted)},
            meta={"story": story, "cue": missed[0][0]},
        )
    if not yielded:
        yield NONE_MISSED
