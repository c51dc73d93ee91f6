"""An instruction and products that a search finds, answered by the steps that buy what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Self

from pydantic import Field, model_validator

from worldschool.agents.plans import shorten
from worldschool.envs.shop.wishes import OPTION
from worldschool.experience.builders.base import TOO_LONG, BuilderSettings, Skipped, make_example
from worldschool.experience.builders.plans import start_of
from worldschool.experience.builders.shopping.browsing import Browsed, Results, browse, click_on, results_of
from worldschool.experience.builders.shopping.parts import Part, fitting_sets, goal_for
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping, describe, phrase_of
from worldschool.records import Example, Goal, Snapshot

FEW = Skipped("no page of results holds enough products that can be told apart")


class ShoppingPlanSettings(BuilderSettings):
    """Settings of the shopping plan builder."""

    maximum: int = Field(default=10, ge=2)
    """Longest plan, in steps."""
    products: int = Field(default=4, ge=2)
    """Products that the question describes; the instruction fits one of them."""
    choices: tuple[int, int] = (1, 2)
    """Least and most values that are to be chosen before buying; fewer where the product has not so many options."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.choices[0] <= self.choices[1]:
            raise ValueError(f"choices {self.choices} is not a least and a most, from 0")
        return self


@asks_of_shopping
def build(
    lived: Shopping, settings: ShoppingPlanSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Tell what a search finds, and ask for the steps that buy what an instruction wants: executed, with full reward,
    and no step of them can be left out.

    Of the same products each is wanted once, with values of its options drawn anew.
    """
    product = lived.world.shop.catalogue.product
    pages = [page for page in results_of(lived) if page.number == 1]
    yielded, long = 0, False
    for page in rng.sample(pages, len(pages)):
        for wishes in fitting_sets(lived, page.rows, settings.products, rng):
            shown = [product(row) for row in rng.sample(sorted(wishes), len(wishes))]
            found = "\n".join(describe(one) for one in shown)
            story = f'A search for "{page.keywords}" finds:\n{found}'
            for row, parts in wishes.items():
                if yielded == settings.per_episode:
                    return
                told = _with_choices(lived, row, wishes, parts, settings, rng)
                goal = goal_for([product(one) for one in (row, *wishes)], told, rng)
                choices = [(str(one.predicate[2]), one.predicate[1]) for one in told if _is_choice(one)]
                actions = _plan(lived, page, row, list(wishes), goal, choices)
                if actions is None:
                    continue
                if len(actions) > settings.maximum:
                    long = True
                    continue
                yielded += 1
                answer = " ".join(lived.world.narrate_action(action) for action in actions)
                yield make_example(
                    "shopping_plan",
                    lived.episode,
                    story_seed,
                    f"Instruction: {goal.text}\n{story}\nSteps:",
                    answer,
                    dials={
                        "length": len(actions),
                        "constraints": len(goal.predicates) - 1,
                        "distractors": len(shown) - 1,
                    },
                    meta={
                        "story": story,
                        "actions": actions,
                        "goal_predicates": goal.predicates,
                        "start": start_of(lived.episode),
                    },
                )
    if not yielded:
        yield TOO_LONG if long else FEW


def _with_choices(
    lived: Shopping,
    row: int,
    rows: Iterable[int],
    parts: Sequence[Part],
    settings: ShoppingPlanSettings,
    rng: Random,
) -> list[Part]:
    """Return parts of an instruction with values of the product's options added to them, in an order drawn."""
    asked = {one.predicate[2] for one in parts if _is_choice(one)}
    own = lived.world.shop.catalogue.product(row).options
    free = [name for name in own if name not in asked and own[name]]
    missing = max(0, rng.randint(*settings.choices) - len(asked))
    added = [(OPTION, rng.choice(own[name]), name) for name in rng.sample(free, min(missing, len(free)))]
    told = [*parts, *(Part(one, phrase_of(one, lived.world), frozenset(rows)) for one in added)]
    return rng.sample(told, len(told))


def _is_choice(part: Part) -> bool:
    return part.predicate[0] == OPTION


def _plan(
    lived: Shopping,
    page: Results,
    row: int,
    rows: Sequence[int],
    goal: Goal,
    choices: Sequence[tuple[str, str]],
) -> list[str] | None:
    """Return the steps that buy a product with all that is asked for; None if they do not, or another one fits too.

    Values are chosen in the order in which the instruction tells them.
    """
    fitting = [
        one for one in rows if not lived.fails(one, goal.predicates, lived.best_options(one, goal.predicates))
    ]
    opened = [*page.opened(), f"click[{lived.world.shop.catalogue.product(row).asin.lower()}]"]
    seen = browse(lived, opened, goal) if fitting == [row] else None
    if seen is None:
        return None
    clicks = [click_on(seen.visits[-1], name, value) for name, value in choices]
    actions = [*opened, *(click for click in clicks if click is not None), "click[buy now]"]
    shortened = shorten(seen.world, goal, _start(seen), actions)
    return None if shortened is None else list(shortened)


def _start(seen: Browsed) -> Snapshot:
    """Return the state at the search page, with the goal that the world was given."""
    goal = seen.world.goal
    seen.world.reset(seed=0, options={"goal": goal})
    return seen.world.snapshot()
