"""The World protocol: a gymnasium.Env in text that can be snapshotted, and the table of registered worlds."""

from __future__ import annotations

import importlib
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

import gymnasium

from worldschool.errors import WorldError, nearest
from worldschool.records import Entity, Event, Fact, Goal, Snapshot

_SENTENCE_END = re.compile(r"(?<=[.!])\s+|\n+")
_NUMBERING = re.compile(r"^(?:step\s*)?\d+\s*[.):]\s*|^[-*]\s+", re.IGNORECASE)
_TOLD = re.compile(r"(?P<name>[A-Z]\w*), (?P<order>.+)")


class World(gymnasium.Env[str, str]):
    """A simulated world whose observations and actions are text.

    `step` and `reset` follow Gymnasium. An illegal or unparseable action changes nothing and is told in
    `info["error"]`; stepping after the end raises. `info` always carries "events" (tuple of Event), "success" (bool)
    and "error" (str or None), and "legal_actions" (list of str) when the world was made with `info_legal=True`.
    """

    world_id: ClassVar[str]
    """The registered id, "worldschool/NAME-vN"."""
    version: ClassVar[str]
    """Version of the dynamics; another version may give other results for the same seed and actions."""

    @property
    @abstractmethod
    def config(self) -> dict[str, Any]:
        """The keyword arguments that make this world again, as plain JSON values."""

    @abstractmethod
    def legal_actions(self) -> list[str]:
        """Return the actions that would succeed now, sorted."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return all of the state, generator and step count included."""

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        """Return to `snapshot`; the same actions then give the same future. Returns observation and info."""

    @property
    @abstractmethod
    def goal(self) -> Goal:
        """The goal of this episode; one without predicates is never reached."""

    @abstractmethod
    def set_goal(self, goal: Goal) -> None:
        """Replace the goal.

        Raises:
            WorldError: a predicate names something that is not in this world.
        """

    @abstractmethod
    def satisfied(self, goal: Goal) -> tuple[bool, ...]:
        """Return, for each of the goal's predicates in order, whether it holds now."""

    @abstractmethod
    def events(self) -> tuple[Event, ...]:
        """Return the events of the last step."""

    @abstractmethod
    def entities(self) -> tuple[Entity, ...]:
        """Return every entity of this episode, sorted by name."""

    @abstractmethod
    def facts(self) -> tuple[Fact, ...]:
        """Return every relation that holds now, sorted."""

    @classmethod
    @abstractmethod
    def narrate(cls, events: Sequence[Event], style: str, rng: Random) -> list[str]:
        """Tell `events` in English, one sentence each; `rng` picks among wordings."""

    @classmethod
    @abstractmethod
    def narrate_action(cls, action: str, style: str = "plain", rng: Random | None = None) -> str:
        """Return one action as an imperative sentence ("walk to kitchen": "Walk to the kitchen."); `rng` picks wordings."""

    @classmethod
    @abstractmethod
    def phrase(cls, name: str) -> str:
        """Return an entity's name with its article, as stories say it ("the apple", "Mary")."""

    @classmethod
    def read_instructions(cls, text: str) -> list[str]:
        """Return a text's sentences as actions that `step` takes; what cannot be read stays as it is written.

        Numbers and dashes before sentences are left out; "Mary, pick up the apple." is "Mary: pick up the apple".
        """
        sentences = (_NUMBERING.sub("", one.strip()).strip() for one in _SENTENCE_END.split(text))
        told = [one.rstrip(" .!") for one in sentences]
        return [_TOLD.sub(r"\g<name>: \g<order>", one) for one in told if one]


@dataclass(frozen=True)
class WorldSpec:
    """One row of the table of worlds: the entry point is "module:Class", imported when the world is made."""

    id: str
    entry_point: str
    gymnasium_id: str | None = None
    """Under which Gymnasium makes it, where `id` is that of its numeric form there; None: under `id`."""


WORLDS: tuple[WorldSpec, ...] = (
    WorldSpec("worldschool/Household-v0", "worldschool.envs.household.env:HouseholdEnv"),
    WorldSpec(
        "worldschool/HouseholdGrid-v0",
        "worldschool.envs.household.grid.text:HouseholdGridTextEnv",
        gymnasium_id="worldschool/HouseholdGridText-v0",
    ),
    WorldSpec("worldschool/Shop-v0", "worldschool.envs.shop.env:ShopEnv"),
)


@dataclass(frozen=True)
class NumericSpec:
    """One row of the table of numeric forms: the same dynamics with numbers in place of text."""

    id: str
    entry_point: str
    vector_entry_point: str | None = None


NUMERIC_FORMS: tuple[NumericSpec, ...] = (
    NumericSpec(
        "worldschool/HouseholdDiscrete-v0",
        "worldschool.envs.household.discrete:HouseholdDiscreteEnv",
        "worldschool.envs.household.vector:HouseholdVectorEnv",
    ),
    NumericSpec("worldschool/HouseholdGrid-v0", "worldschool.envs.household.grid.env:HouseholdGridEnv"),
)


BROWSER_FORMS: tuple[NumericSpec, ...] = (
    NumericSpec("worldschool/ShopBrowser-v0", "worldschool.envs.shop.browser:ShopBrowserEnv"),
)
"""The same pages in a real browser: the actions and texts of the world, but no snapshots."""


def register_worlds() -> None:
    """Register every world and its other forms with Gymnasium. They own their step limit, so none is given here."""
    for spec in WORLDS:
        name = spec.gymnasium_id or spec.id
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point=spec.entry_point, max_episode_steps=None)
    for form in (*NUMERIC_FORMS, *BROWSER_FORMS):
        if form.id not in gymnasium.registry:
            gymnasium.register(
                id=form.id,
                entry_point=form.entry_point,
                vector_entry_point=form.vector_entry_point,
                max_episode_steps=None,
            )


def world_class(world_id: str) -> type[World]:
    """Return the class behind a registered id.

    Raises:
        WorldError: there is no such world.
    """
    for spec in WORLDS:
        if spec.id == world_id:
            module, name = spec.entry_point.split(":")
            found: type[World] = getattr(importlib.import_module(module), name)
            return found
    known = [spec.id for spec in WORLDS]
    raise WorldError(
        f"there is no world {world_id!r}",
        where="world",
        mend=f"Known worlds: {', '.join(known)}.{nearest(world_id, known)}",
    )


def check_kind(snapshot: Snapshot, world_id: str, where: str) -> None:
    """Check that a snapshot is one of this world.

    Raises:
        WorldError: it is another world's; `where` is named as the place.
    """
    if snapshot.world != world_id:
        problem = f"the snapshot is of {snapshot.world!r}"
        raise WorldError(problem, where=where, mend=f"Restore one of {world_id!r}.")


def make(world_id: str, **config: Any) -> World:
    """Make a world by its registered id, without Gymnasium's wrappers.

    Raises:
        WorldError: there is no such world, or it does not take this configuration.
    """
    cls = world_class(world_id)
    try:
        return cls(**config)
    except TypeError as error:
        raise WorldError(str(error).split(") ", 1)[-1], where=world_id) from None
