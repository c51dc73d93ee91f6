"""Which value of an option was chosen last for a product, after clicks on several pages?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from pydantic import Field

from worldschool.envs import world_class
from worldschool.experience.builders.base import BuilderSettings, Skipped, choose_from, make_example, question
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Episode, Example

NO_CHOICE = Skipped("no option was chosen twice, or for two products")


class ChosenOptionSettings(BuilderSettings):
    """Settings of the chosen option builder."""

    options: int = Field(default=4, ge=2)
    """Values to choose from at most; two at least."""


@asks_of_shopping()
def build(
    lived: Shopping, settings: ChosenOptionSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Tell what the shopper did, and ask which value of an option was chosen last for one of the products.

    Values of that option that were chosen before, or for other products, are among the wrong ones.
    """
    episode = lived.episode
    choices = _choices(lived, episode)
    last = {(one.asin, one.name): one for one in choices}  # the later replaces the earlier
    asked_of = list(last.values())
    rng.shuffle(asked_of)
    yielded = 0
    for right in asked_of:
        if yielded == settings.per_episode:
            return
        told = [one.value for one in choices if one.name == right.name and one.value != right.value]
        if not told:
            continue  # the only value told is no question
        others = [value for value in right.values if value not in (*told, right.value)]
        wrong = list(dict.fromkeys(told))
        rng.shuffle(wrong)
        wrong = [*wrong, *rng.sample(others, len(others))][: settings.options - 1]
        options = [right.value, *wrong]
        rng.shuffle(options)
        events = [event for step in episode.steps for event in step.events]
        story = " ".join(world_class(episode.world).narrate(events, settings.style, Random(story_seed)))
        asked = f"Which {right.name} was chosen last for product {right.asin}? {choose_from(options)}"
        yielded += 1
        yield make_example(
            "chosen_option",
            episode,
            story_seed,
            question(story, asked),
            right.value,
            options=tuple(options),
            dials={"length": len(events), "revisits": len(told), "distractors": len(wrong)},
            meta={"story": story, "cue": right.name, "about": [right.asin]},
        )
    if not yielded:
        yield NO_CHOICE


class _Choice(NamedTuple):
    """A value that was chosen, for which product and option, and all values of that option there."""

    asin: str
    name: str
    value: str
    values: tuple[str, ...]


def _choices(lived: Shopping, episode: Episode) -> list[_Choice]:
    """Return every choice of an episode in order."""
    found = []
    for step, visit in zip(episode.steps, lived.visits[1:], strict=True):
        for event in step.events:
            if event.verb == "choose" and event.object is not None:
                product = visit.product
                name = next(name for name in product.options if event.object.startswith(f"{name}: "))
                value = event.object.removeprefix(f"{name}: ")
                found.append(_Choice(product.asin, name, value, product.options[name]))
    return found
