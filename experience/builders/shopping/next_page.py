"""Next page: what is seen after a click? The options are what different clicks from the same page lead to."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from worldschool.experience.builders.base import BuilderSettings, Skipped, make_example
from worldschool.experience.builders.shopping.visits import Shopping, asks_of_shopping
from worldschool.experience.executing import executed
from worldschool.records import Example, Snapshot

FEW_PAGES = Skipped("no page with enough clicks that lead to different pages")
BUY = "click[buy now]"
"""Not asked about: the page after it tells the reward, which no page foretells."""


class NextPageSettings(BuilderSettings):
    """Settings of the next page builder."""

    options: int = Field(default=3, ge=2)
    """Pages to choose from: what different clicks lead to."""


@asks_of_shopping
def build(
    lived: Shopping, settings: NextPageSettings, story_seed: int, rng: Random
) -> Iterator[Example | Skipped]:
    """Show a page that the shopper saw and an action, and ask what is seen then.

    What was done and other actions that were possible are carried out in turn; what each led to are the options, so
    that every one of them is right once.
    """
    count = settings.options
    yielded = 0
    steps = lived.episode.steps
    asked: set[str] = set()
    starts = _snapshots(lived)
    for moment in rng.sample(range(len(steps)), len(steps)):
        seen = _plain(lived.world.restore(starts[moment])[0])
        led_to = _pages(lived, starts[moment], steps[moment].action, count, rng)
        if len(led_to) < count or seen in asked:
            continue
        asked.add(seen)
        options = tuple(rng.sample(sorted(led_to.values()), count))
        for action in rng.sample(sorted(led_to), count):
            if yielded == settings.per_episode:
                return
            yielded += 1
            yield make_example(
                "next_page",
                lived.episode,
                story_seed,
                f"Seen: {seen}\nDone: {lived.world.narrate_action(action)}\nSeen next:",
                led_to[action],
                options=options,
                dials={"length": 1, "characters": 1},
                meta={"story": seen, "cue": "1 step", "moment": moment},
            )
    if not yielded:
        yield FEW_PAGES


def _snapshots(lived: Shopping) -> list[Snapshot]:
    """Return the state before each step of the episode."""
    return [lived.world.snapshot() for _ in executed(lived.world, lived.episode)]


def _pages(lived: Shopping, start: Snapshot, done: str, count: int, rng: Random) -> dict[str, str]:
    """Return `count` actions, the one done among them, and what each shows, all different; fewer if there are not so
    many."""
    lived.world.restore(start)
    others = [one for one in lived.world.legal_actions() if one not in (done, BUY)]
    rng.shuffle(others)
    found: dict[str, str] = {}
    for action in ([done] if done != BUY else []) + others:
        lived.world.restore(start)
        observation, _, _, _, info = lived.world.step(action)
        page = _plain(observation)
        if info["error"] is None and page and page not in found.values():
            found[action] = page
        if len(found) == count:
            break
    return found


def _plain(observation: str) -> str:
    return " ".join(observation.split())
