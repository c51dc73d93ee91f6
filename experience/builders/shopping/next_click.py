"""What to click next on a product's page?"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.envs.shop.session import Visit
from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.records import Episode, Example

NO_MOMENT = Skipped("no page where one click is right and enough others are wrong")
BUY = "click[buy now]"


class NextClickSettings(BuilderSettings):
    """Settings of the next click builder."""

    options: int = Field(default=4, ge=2)
    """Actions to choose from at most; two at least."""


@asks_of_shopping(reached=True)
def build(
    lived: Shopping, settings: NextClickSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show the page of the product that was bought with full reward, and ask for the next action.

    Wrong actions were tried: buying now, or choosing a value after which buying is worth less than with the right one.
    """
    episode = lived.episode
    bought = lived.visits[-1].session.row
    moments = [
        at
        for at, visit in enumerate(lived.visits)
        if visit.session.page == "item" and visit.session.row == bought
    ]
    rng.shuffle(moments)
    yielded = 0
    for moment in moments:
        if yielded == settings.per_episode:
            return
        action = episode.steps[moment].action
        if action != BUY and episode.steps[moment].events[0].verb != "choose":
            continue
        wrong = [
            one
            for one in _rivals(lived.visits[moment], action)
            if _is_worse(lived, episode, moment, one, action)
        ]
        if not wrong:
            continue
        options = [action, *rng.sample(wrong, min(len(wrong), settings.options - 1))]
        rng.shuffle(options)
        page = " ".join(lived.visits[moment].rich_text.split())
        yielded += 1
        yield make_example(
            "next_click",
            episode,
            story_seed,
            f"Page: {page}\nNext action:",
            action,
            options=tuple(options),
            dials={"length": moment, "distractors": len(options) - 1},
            meta={"story": page, "cue": episode.steps[moment].events[0].verb},
        )
    if not yielded:
        yield NO_MOMENT


def _rivals(visit: Visit, right: str) -> list[str]:
    """Return the clicks that could be wrong in place of the right one.

    In place of buying any choice; in place of a choice buying, and the same option's other values: another option may
    be chosen first.
    """
    clicks = {f"click[{label.lower()}]": name for label, (name, _) in visit.labels.items()}
    if right == BUY:
        return list(clicks)
    option = clicks.get(right.lower())
    return [BUY, *(click for click, name in clicks.items() if name == option)]


def _is_worse(lived: Shopping, episode: Episode, moment: int, action: str, right: str) -> bool:
    """Return whether an action leaves less than the right one: buying then is worth less, all else as it was done."""
    if action == right:
        return False
    return _reward(lived, episode, moment, action) < _reward(lived, episode, moment, right)


def _reward(lived: Shopping, episode: Episode, moment: int, action: str) -> float:
    """Return what buying is worth after an action at some moment."""
    visit, shop = lived.visits[moment], lived.world.shop
    assert visit.session.row is not None
    options = dict(visit.session.options)
    if action != BUY:
        name, value = next(
            pair for label, pair in visit.labels.items() if f"click[{label.lower()}]" == action.lower()
        )
        options[name] = value
    purchase = shop.purchase(visit.session.row, options)
    return shop.wish(episode.wanted.predicates).score(purchase, lived.world.rules).reward
