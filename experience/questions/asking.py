"""Asking: episodes in, examples out, one episode at a time; what is left out is counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from worldschool.errors import ConfigError
from worldschool.experience.builders.base import BuilderSettings, Skipped, ask, fixed_examples
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.questions.balance import Balancer
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.questions.shots import ShotPool, house_of
from worldschool.progress import Advance, silent
from worldschool.records import Episode, Example

TOO_LONG = "longer than the longest allowed"
TWICE = "the same example again"
AGAIN = "the episode was asked about already"
FOR_BALANCE = "kept back, so that no shortcut pays"
OTHER_DIALS = "harder or easier than the dials that are asked for"


@dataclass(frozen=True)
class Asking:
    """What is asked.

    Attributes:
        builders: builder to its settings.
        seed: fixes wordings and choices.
        balance: whether questions are chosen so that no shortcut pays.
        limit: at most this many examples of each builder.
        longest: characters of prompt and completion together; what is longer is left out.
    """

    builders: Mapping[str, BuilderSettings]
    seed: int
    balance: bool = False
    limit: int | None = None
    longest: int | None = None


def asked_of(
    episodes: Iterable[Episode],
    asking: Asking,
    tally: Tally,
    pool: ShotPool | None = None,
    advance: Advance = silent,
) -> Iterator[Example]:
    """Yield every builder's examples, episode by episode; memory does not grow with their number.

    Args:
        episodes: of any splits.
        asking: what is asked.
        tally: counts what is yielded, and what is left out.
        pool: worked examples, if any builder's `shots` is above 0.
        advance: told of every episode.
    """
    balancers = balancers_for(asking)
    fixed = {name: fixed_examples(name) for name in asking.builders}
    for episode in episodes:
        tally.episodes += 1
        for name, settings in asking.builders.items():
            counted = tally.tasks[name]
            for example in [one for one in fixed[name] if one.split == episode.split]:
                fixed[name].remove(example)  # each once, and never among questions of another split
                counted.add(name, example)
                yield example
            if asking.limit is not None and counted.examples >= asking.limit:
                continue
            for example in questions_about(episode, name, asking, balancers.get(name), tally):
                if asking.limit is not None and counted.examples >= asking.limit:
                    break
                shown = example
                if pool is not None:
                    shown = pool.shown_with(example, house_of(episode), settings.shots, asking.longest)
                counted.add(name, shown)
                yield shown
        advance(1)


def balancers_for(asking: Asking) -> dict[str, Balancer]:
    """Return a new balancer for each builder, or none."""
    return {name: Balancer(BUILDERS[name].rules) for name in asking.builders} if asking.balance else {}


def questions_about(
    episode: Episode, name: str, asking: Asking, balancer: Balancer | None, tally: Tally
) -> Sequence[Example]:
    """Return one builder's examples about one episode, without worked examples before them."""
    settings, skipped = asking.builders[name], tally.tasks[name].skipped
    pool = settings
    if balancer is not None or settings.dials:  # more is offered than will be asked
        pool = settings.model_copy(update={"per_episode": max(BUILDERS[name].pool, settings.per_episode)})
    candidates: dict[str, Example] = {}
    for found in ask(name, episode, pool, asking.seed):
        problem = found.reason if isinstance(found, Skipped) else _problem(found, asking.longest)
        if problem is None and isinstance(found, Example) and found.example_id in candidates:
            problem = TWICE
        if problem is None and isinstance(found, Example) and not _within(found, settings.dials):
            problem = OTHER_DIALS
        if problem is not None:
            skipped[problem] += 1
        elif isinstance(found, Example):
            candidates[found.example_id] = found
    offered = list(candidates.values())
    if balancer is None:
        return offered[: settings.per_episode]
    chosen = balancer.choose(offered, settings.per_episode)
    if kept_back := min(settings.per_episode, len(offered)) - len(chosen):
        skipped[FOR_BALANCE] += kept_back
    return chosen


def _within(example: Example, dials: Mapping[str, tuple[int, int]]) -> bool:
    """Return whether a question is as hard as is asked for.

    Raises:
        ConfigError: the task does not have one of the dials.
    """
    if not dials:
        return True
    found = json.loads(example.dials)
    for dial, (least, most) in dials.items():
        if dial not in found:
            raise ConfigError(
                f"questions of this task have no dial {dial!r}",
                where=f"builders.{example.task}.dials",
                mend=f"They have {', '.join(sorted(found)) or 'none'}.",
            )
        if not least <= found[dial] <= most:
            return False
    return True


def _problem(example: Example, longest: int | None) -> str | None:
    """Return why an example is not fit to be kept, or None."""
    if not example.prompt.strip() or not example.answer.strip():
        return "an empty prompt or answer"
    options = example.options
    if options is not None and (len(set(options)) < len(options) or len(options) < 2):
        return "options that are the same, or a single one"
    if options is not None and (
        example.answer_index is None or options[example.answer_index] != example.answer
    ):
        return "an answer that is not among the options"
    if longest is not None and len(example.prompt) + len(example.completion) > longest:
        return TOO_LONG
    return None
