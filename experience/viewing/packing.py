"""Episodes as the page reads them: plain JSON in which every text is kept once and named by its number."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import suppress
from random import Random
from typing import Any

from worldschool.envs.world import World, world_class
from worldschool.errors import WorldError
from worldschool.experience.viewing.holding import Held
from worldschool.experience.viewing.relive import Relived
from worldschool.records import Episode, Event, Goal, Step

MARKS = {True: "1", False: "0", None: "?"}


class TextTable:
    """Texts by number, in the order in which they were first asked for.

    Attributes:
        texts: the texts.
        size: bytes they take as JSON.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.size = 0
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of a text."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
            self.size += len(page_json(text).encode()) + 1
        return found

    def optional(self, text: str | None) -> int | None:
        """Return the number of a text, or None for None."""
        return None if text is None else self.number(text)


def page_json(value: Any) -> str:
    """Return JSON that is safe inside a script element: no character in it can end or begin markup."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode().translate(_ESCAPED)


_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def pack(
    episode: Episode, goal: Goal | None, held: list[Held], lived: Relived | None, texts: TextTable
) -> dict[str, Any]:
    """Return one episode for the page.

    Args:
        episode: the record.
        goal: its goal, or None if its predicates cannot be read.
        held: at the start and after each step, what holds of the goal.
        lived: what executing it again gave; None if that was not asked for.
        texts: the page's texts; observations are kept line by line, as most lines come again and again.
    """
    observations = [episode.initial_observation, *(step.observation for step in episode.steps)]
    hashes = [episode.initial_state_hash, *(step.state_hash for step in episode.steps)]
    narrator = _Narrator(episode.world)
    return {
        "id": episode.episode_id,
        "index": episode.index,
        # JavaScript's numbers end at 2**53.
        "seed": str(episode.seed),
        "run_seed": str(episode.run_seed),
        "world": texts.number(episode.world),
        "world_version": texts.number(episode.world_version),
        "world_config": texts.number(episode.world_config),
        "agent": texts.number(episode.agent),
        "agent_config": texts.number(episode.agent_config),
        "package_version": texts.number(episode.package_version),
        "split": texts.number(episode.split),
        "goal": texts.number(episode.goal),
        "activity": texts.optional(episode.activity),
        "predicates": None if goal is None else [list(predicate) for predicate in goal.predicates],
        "unread_predicates": episode.goal_predicates if goal is None else None,
        "success": episode.success,
        "terminated": episode.terminated,
        "truncated": episode.truncated,
        "return": _number(episode.return_),
        "length": len(episode.steps),
        "error": episode.error,
        "people": [texts.number(name) for name in _people(episode, lived)],
        "observations": [[texts.number(line) for line in text.split("\n")] for text in observations],
        "hashes": hashes,
        "steps": [_step(step, narrator, texts) for step in episode.steps],
        "held": ["".join(MARKS[row[place]] for row in held) for place in range(len(held[0]) if held else 0)],
        "refusals": {} if lived is None else {k: texts.number(text) for k, text in lived.refusals.items()},
        "relived": lived is not None,
        "differs": None if lived is None else lived.differs,
        "frames": None,
    }  # fmt: skip


def _step(step: Step, narrator: _Narrator, texts: TextTable) -> list[Any]:
    """Return [action, reward, legal actions, events]."""
    events = [_event(event, narrator, texts) for event in step.events]
    return [texts.number(step.action), _number(step.reward), step.legal_actions, events]


def _event(event: Event, narrator: _Narrator, texts: TextTable) -> list[Any]:
    """Return [actor, verb, object, source, target, relation, succeeded, seen by, in words]; t is in its step."""
    return [
        texts.number(event.actor),
        texts.number(event.verb),
        texts.optional(event.object),
        texts.optional(event.source),
        texts.optional(event.target),
        texts.optional(event.relation),
        int(event.succeeded),
        [texts.number(name) for name in event.seen_by],
        texts.optional(narrator.tell(event)),
        event.t,
    ]


class _Narrator:
    """Tells events in their world's own words, as far as it has any."""

    def __init__(self, world_id: str) -> None:
        self._world: type[World] | None = None
        with suppress(WorldError, ImportError):  # of a world that is not here, events are shown as rows
            self._world = world_class(world_id)

    def tell(self, event: Event) -> str | None:
        """Return an event in words, or None where there are none."""
        if self._world is None:
            return None
        try:
            return " ".join(self._world.narrate([event], "plain", Random(0))) or None
        except Exception:  # noqa: BLE001 (events of another version may name what this one has no words for)
            return None


def _people(episode: Episode, lived: Relived | None) -> Iterable[str]:
    """Return the characters in the order of their colours: that of the pictures, else that of their first acts."""
    if lived is not None and lived.people:
        return lived.people
    acting = [event.actor for event in episode.events]
    return dict.fromkeys([*acting, *(one.name for one in episode.entities if one.class_ == "character")])


def _number(value: float) -> float | str:
    """Return a number as JSON can hold it; what is not finite as text."""
    return value if math.isfinite(value) else str(value)
