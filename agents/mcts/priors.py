"""Priors from a language model: how likely it finds each action where the world stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from worldschool.agents.mcts.tree import Priors
from worldschool.envs import World
from worldschool.records import Fact, Goal

if TYPE_CHECKING:  # torch is imported where a model is loaded
    from worldschool.models.language import LanguageModel

REMEMBERED = 4096
"""Situations whose priors are kept."""
LEAST = 1e-6
"""Prior that every legal action has at least, so that none is shut out for ever."""


def situation(world: World, goal: Goal) -> str:
    """Return the prompt: the goal and what holds now, and where the next action goes."""
    facts = [f"{fact.subject} {fact.relation} {fact.object}" for fact in _named(world, goal)]
    return f"Goal: {goal.text}\n{'; '.join(facts)}\nNext action:"


def _named(world: World, goal: Goal) -> list[Fact]:
    names = {part for _, *parts in goal.predicates for part in parts if part is not None}
    classes = {entity.name: f"class:{entity.class_}" for entity in world.entities()}
    people = {fact.subject for fact in world.facts() if fact.relation == "AT"}

    def matters(name: str) -> bool:
        return name in names or name in people or classes.get(name) in names

    return [fact for fact in world.facts() if matters(fact.subject) or matters(fact.object)]


def priors_of(model: LanguageModel) -> Priors:
    """Return priors: the softmax over the legal actions of their mean token log-probability after `situation`.

    The mean, so that long names are not held against an action. Each situation is asked once.
    """
    asked: OrderedDict[tuple[str, tuple[str, ...]], tuple[float, ...]] = OrderedDict()

    def priors(world: World, goal: Goal, legal: Sequence[str]) -> Sequence[float]:
        if not legal:
            return ()
        key = situation(world, goal), tuple(legal)
        if key not in asked:
            (scores,) = model.score([key[0]], [[f" {action}\n" for action in legal]])
            means = np.array([score.logprob / max(score.tokens, 1) for score in scores])
            shares = np.exp(means - means.max())
            asked[key] = tuple(np.maximum(shares / shares.sum(), LEAST).tolist())
            if len(asked) > REMEMBERED:
                asked.popitem(last=False)
        return asked[key]

    return priors


_loaded: dict[str, Priors] = {}


def language_model_priors(name_or_path: str) -> Priors:
    """Return the priors of a model by a pulled model's name, directory or hub name; it is loaded once a process.

    Raises:
        ModelError: there is no such model.
    """
    if name_or_path not in _loaded:
        from worldschool.models.language import LocalModel

        _loaded[name_or_path] = priors_of(LocalModel.load(name_or_path))
    return _loaded[name_or_path]
