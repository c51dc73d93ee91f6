"""An episode executed again from its seed: what holds of the goal, why actions were refused, and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from worldschool.envs import World
from worldschool.errors import UserError, WorldError
from worldschool.experience.executing import executed
from worldschool.experience.viewing.drawing import Drawing, Image, make_drawn
from worldschool.experience.viewing.holding import Held
from worldschool.records import Episode, Goal


@dataclass
class Relived:
    """What became known by executing an episode again.

    Attributes:
        held: at the start and after each step that was as recorded, what holds of the goal's predicates.
        refusals: step index to what the world answered to an action that could not be done.
        differs: where and how the replay was not what is stored, in one sentence; None if it was the same throughout.
        people: the characters in the order of their colours in the pictures.
        drawable: whether there are pictures of it, wanted or not.
    """

    held: list[Held] = field(default_factory=list)
    refusals: dict[int, str] = field(default_factory=dict)
    differs: str | None = None
    people: tuple[str, ...] = ()
    drawable: bool = False


class Reliver:
    """Executes episodes again; the world is kept from one to the next where it is the same."""

    def __init__(self) -> None:
        self._made: tuple[tuple[str, str], World, Drawing | None] | None = None

    def relive(self, episode: Episode, goal: Goal, show: Callable[[Image], None] | None) -> Relived:
        """Execute an episode again, up to the first state that is not the recorded one.

        Args:
            episode: a stored one.
            goal: its goal.
            show: given a picture of the start and of each state after; None if none are wanted.
        """
        lived = Relived()
        try:
            world, drawing = self._world(episode)
            self._live(world, drawing, episode, goal, lived, show)
        except UserError as error:
            lived.differs = f"It cannot be executed again: {error}"
        except Exception as error:  # noqa: BLE001 (a world may raise anything; the page tells what)
            lived.differs = f"Executing it again, the world raised {type(error).__name__}: {error}"
        if lived.differs is not None:
            self._made = None  # the world may be left in any state
        return lived

    def _world(self, episode: Episode) -> tuple[World, Drawing | None]:
        key = (episode.world, episode.world_config)
        if self._made is None or self._made[0] != key:
            self._made = (key, *make_drawn(episode.world, _settings(episode.world_config)))
        return self._made[1:]

    def _live(
        self,
        world: World,
        drawing: Drawing | None,
        episode: Episode,
        goal: Goal,
        lived: Relived,
        show: Callable[[Image], None] | None,
    ) -> None:
        hashes = [episode.initial_state_hash, *(step.state_hash for step in episode.steps)]
        for number, (moment, expected) in enumerate(zip(executed(world, episode, goal), hashes, strict=True)):
            if world.snapshot().position != expected:
                lived.differs = _difference(world, episode, number)
                return
            if number and moment.info.get("error"):
                lived.refusals[number - 1] = str(moment.info["error"])
            lived.held.append(world.satisfied(goal))
            if drawing is not None:
                lived.drawable = True
                lived.people = drawing.people()
                if show is not None:
                    show(drawing.frame())


def _settings(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise WorldError("the world's settings are no JSON object", where="world_config")
    return settings


def _difference(world: World, episode: Episode, moment: int) -> str:
    where = f"after step {moment}" if moment else "at the start"
    found = f"Executed again, the world is in another state {where} than the one recorded."
    if world.version != episode.world_version:
        found += f" It was recorded with version {episode.world_version} of {episode.world}; this is {world.version}."
    return found
