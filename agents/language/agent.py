"""The language-model agent: sees, thinks if it is told to, and acts; it may consult notes from earlier episodes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any, TypeAlias

from worldschool.agents.language.config import LanguageConfig
from worldschool.agents.language.matching import matched
from worldschool.agents.language.prompt import Story, Turn
from worldschool.agents.language.recall import Note, Recall, make_recall
from worldschool.agents.language.usage import Usage
from worldschool.envs import World
from worldschool.models.growing import GrowingPrompt
from worldschool.models.language import CompletionScore, LocalModel, ProbedModel, load_model
from worldschool.records import Goal

Scorer: TypeAlias = Callable[[str, Sequence[str]], list[CompletionScore]]

CHARACTERS_PER_TOKEN = 3
"""Where only a server could count: an underestimate, so that a prompt is not longer than it seems."""
ASKED = "Action:"
"""The last words of a prompt that asks for an action."""
MARGIN = 16
"""Tokens of a context that are left free beside a prompt and what is written."""


@lru_cache(maxsize=2)
def _loaded(model: str, adapter: str | None, dtype: str) -> ProbedModel:
    # An agent lives for one episode; its model is loaded once.
    return load_model(model, adapter, dtype)


def _scorer(model: ProbedModel) -> Scorer:
    """Return what scores actions behind the growing prompt of one episode: where the model is here, nothing is computed twice."""
    if isinstance(model, LocalModel):
        return GrowingPrompt(model).score

    def score(prompt: str, completions: Sequence[str]) -> list[CompletionScore]:
        (row,) = model.score([prompt], [completions])
        return row

    return score


class LanguageAgent:
    """Acts as a language model says.

    Args:
        config: see `LanguageConfig`.
        world: the one to act in.
        seed: of actions that are drawn.
        model: instead of the one that the settings name.
        recall: the same of notes.

    Attributes:
        usage: what was asked of the model so far.
        notes: what was recalled for this episode, the best first.

    Raises:
        ModelError: there is no such model.
        ConfigError: there is nothing of the name that `recall` has.
    """

    def __init__(
        self,
        config: LanguageConfig,
        world: World,
        seed: int,
        *,
        model: ProbedModel | None = None,
        recall: Recall | None = None,
    ) -> None:
        self._config, self._world = config, world
        self._random = Random(seed)
        self._model = model or _loaded(config.model, config.adapter, config.dtype)
        self._recall = recall or (make_recall(config.recall) if config.recall is not None else None)
        self.usage = Usage()
        self.notes: Sequence[Note] = ()
        self._story = Story("")
        self._done: Counter[tuple[str, str]] = Counter()
        self._idle: set[tuple[str, str]] = set()
        self._scorers = _scorer(self._model), _scorer(self._model)  # without the goal, and with it

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        """Begin an episode; notes are recalled when the first observation is there."""
        self._story = Story(goal.text)
        self.notes = ()
        self._done.clear()
        self._idle.clear()
        self._scorers = _scorer(self._model), _scorer(self._model)

    def act(self, observation: str, info: dict[str, Any]) -> str | None:
        """Return a legal action, or None if there is none.

        Raises:
            ModelError: the model cannot be reached, refuses, or its numbers are none.
        """
        legal = info.get("legal_actions")
        actions: list[str] = self._world.legal_actions() if legal is None else legal
        if not actions:
            return None
        self._see(observation, info)
        thought = self._thought() if self._config.think else ""
        prompt = self._prompt(thought)
        action = (
            self._scored(prompt, actions) if self._config.mode == "score" else self._written(prompt, actions)
        )
        self._did(action, thought)
        return action

    def notice(self, observation: str, info: dict[str, Any], action: str) -> None:
        """Remember a step that was chosen for it, as if it had been its own."""
        self._see(observation, info)
        self._did(action)

    def _see(self, observation: str, info: dict[str, Any]) -> None:
        story = self._story
        if self._recall is not None and not story.turns:
            self.notes = self._recall.recall(story.goal, observation, self._world.world_id)
            story.notes = [note.text for note in self.notes]
        error = info.get("error")
        story.seen = f"{observation.strip()}{f' (The last action failed: {error})' if error else ''}"
        if story.turns and story.turns[-1].seen == story.seen:
            self._idle.add((story.seen, story.turns[-1].action))

    def _did(self, action: str, thought: str = "") -> None:
        self._done[self._story.seen, action] += 1
        self._story.turns.append(Turn(self._story.seen, action, thought))

    # -- asking the model --------------------------------------------------------------------------------------------

    def _prompt(self, thought: str, goal: bool = True) -> str:
        said = f"Thought: {thought}\n{ASKED}" if thought else ASKED
        story = self._story if goal else replace(self._story, goal="", notes=())
        return f"{story.prompt(self._budget(said), self._count)}{said}"

    def _budget(self, said: str) -> int:
        bound = min(self._config.context, self._model.context_length)
        return bound - self._config.new_tokens - MARGIN - self._count([said])[0]

    def _thought(self) -> str:
        prompt = f"{self._story.prompt(self._budget('Thought:'), self._count)}Thought:"
        return self._generated(prompt)

    def _written(self, prompt: str, actions: Sequence[str]) -> str:
        """Return the legal action that the model writes; if it writes none, one is drawn."""
        found = matched(self._generated(prompt), actions)
        if found is None:
            self.usage.add(Usage(unmatched=1))
            return self._random.choice(list(actions))
        return found

    def _generated(self, prompt: str) -> str:
        began = time.monotonic()
        (text,) = self._model.generate([prompt], self._config.new_tokens)
        self._used(began, prompt, [text])
        return text

    def _scored(self, prompt: str, actions: Sequence[str]) -> str:
        seen = self._story.seen
        actions = [action for action in actions if (seen, action) not in self._idle] or list(actions)
        scores = self._likely(prompt, actions)
        if self._config.contrast:
            without = self._likely(self._prompt("", goal=False), actions, goal=False)
            scores = [
                score - self._config.contrast * other for score, other in zip(scores, without, strict=True)
            ]
        scores = [
            score - self._config.again * self._done[seen, action]
            for score, action in zip(scores, actions, strict=True)
        ]
        best = max(scores)
        if not self._config.temperature:
            return actions[scores.index(best)]
        weights = [math.exp((score - best) / self._config.temperature) for score in scores]
        return self._random.choices(actions, weights)[0]

    def _likely(self, prompt: str, actions: Sequence[str], goal: bool = True) -> list[float]:
        """Return the log-likelihood of each action behind a prompt, or its mean over tokens."""
        began = time.monotonic()
        row = self._scorers[goal](prompt, [f" {action}" for action in actions])
        self._used(began, prompt, actions)
        by_token = self._config.normalization == "tokens"
        return [one.logprob / (one.tokens if by_token else 1) for one in row]

    def _used(self, began: float, prompt: str, texts: Sequence[str]) -> None:
        first, *others = self._count([prompt, *texts])
        self.usage.add(Usage(1, first, sum(others), time.monotonic() - began))

    def _count(self, texts: Sequence[str]) -> list[int]:
        found = self._model.count_tokens(texts)
        return [1 + len(text) // CHARACTERS_PER_TOKEN for text in texts] if found is None else found
