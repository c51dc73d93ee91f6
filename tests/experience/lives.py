"""Episodes for the tests of builders, and the simulator's own word on what happened in them."""

from __future__ import annotations

import json
import re
from functools import cache

from tests.envs.solving import solve
from worldschool.agents.base import agent_config, make_agent
from worldschool.envs import make
from worldschool.experience.builders.base import builder_settings, run_builder
from worldschool.experience.recording import EpisodeLabel, record_episode

HOUSEHOLD = "worldschool/Household-v0"
RARE = dict.fromkeys(("close", "switch", "plug", "unplug", "wash", "wipe", "sit", "lie", "wear", "pour"), 0.1)
CARRYING = {"walk": 5, "grab": 6, "put": 6, "drop": 2, "open": 0.5, **RARE}


def settings(name, **values):
    return builder_settings(name, values, "builders")


def build(name, episode, seed=0, **values):
    return list(run_builder(name, episode, settings(name, **values), seed))


@cache
def episodes(count, split="train"):
    """Random episodes of two characters in small houses with few things, so that things are moved again and again."""
    world = make(
        HOUSEHOLD,
        split=split,
        characters=2,
        control="all",
        focus=True,
        rooms=[3, 4],
        objects=[3, 5],
        max_steps=24,
    )
    config = agent_config("random", {"verb_weights": CARRYING})
    return tuple(
        record_episode(
            world,
            make_agent("random", config, world, seed),
            EpisodeLabel(f"{split}-{seed}", 0, seed, seed, "random", "{}", split),
            strict=True,
        )
        for seed in range(count)
    )


class Scripted:
    def __init__(self, actions):
        self.actions = iter(actions)

    def reset(self, goal, info):
        pass

    def act(self, observation, info):
        return next(self.actions, None)


def scripted_episode(world, seed, actions, split="heldout"):
    return record_episode(
        world, Scripted(actions), EpisodeLabel(f"e-{seed}", 0, 0, seed, "s", "{}", split), strict=True
    )


class Replay:
    """An episode lived again: where everything was after every step, by the world's facts."""

    def __init__(self, episode):
        world = make(episode.world, **json.loads(episode.world_config))
        world.reset(seed=episode.seed)
        self.rooms = {entity.name for entity in world.entities() if entity.class_ == "room"}
        self.phrases = {world.phrase(entity.name): entity.name for entity in world.entities()}
        assert len(self.phrases) == len(world.entities())
        self.places = [self._places(world)]
        self.handled = {}
        for number, step in enumerate(episode.steps):
            _, _, _, _, info = world.step(step.action)
            self.places.append(self._places(world))
            done = re.fullmatch(
                r"\w+: (?:grab|put|drop|wear|take off|pour) (.+?)(?: (?:on|in|into) .+)?", step.action
            )
            if done and info["error"] is None:
                self.handled.setdefault(done[1], number)

    def _places(self, world):
        places = {}
        for fact in world.facts():
            if fact.relation == "HOLDS":
                places[fact.object] = ("HOLDS", fact.subject)
            elif fact.relation != "STATE":
                places[fact.subject] = (fact.relation, fact.object)
        return places

    def room(self, name, moment):
        while name not in self.rooms:
            name = self.places[moment][name][1]
        return name

    def path(self, thing):
        """Rooms from the moment somebody first handled the thing, without immediate repeats."""
        found = []
        for moment in range(self.handled[thing], len(self.places)):
            room = self.room(thing, moment)
            if not found or found[-1] != room:
                found.append(room)
        return found

    def moved_inside(self, thing):
        """Whether the thing changed rooms while it lay in something."""
        return any(
            self.room(thing, moment) != self.room(thing, moment + 1)
            and self.places[moment + 1][thing][0] == "INSIDE"
            and self.places[moment + 1][thing][1] not in self.rooms
            for moment in range(len(self.places) - 1)
        )


@cache
def houses(count, split="heldout"):
    """Houses with many things in which nothing happened: stories are acted out in them."""
    world = make(
        HOUSEHOLD, split=split, characters=2, control="all", rooms=[3, 4], objects=[12, 18], max_steps=2
    )
    return tuple(scripted_episode(world, seed, [], split) for seed in range(count))


@cache
def loners(count, split="train"):
    """Random episodes of one character."""
    world = make(HOUSEHOLD, split=split, rooms=[3, 4], objects=[4, 7], max_steps=24)
    config = agent_config("random", {"verb_weights": CARRYING | {"open": 2, "switch": 1}})
    return tuple(
        record_episode(
            world,
            make_agent("random", config, world, seed),
            EpisodeLabel(f"lone-{split}-{seed}", 0, seed, seed, "random", "{}", split),
            strict=True,
        )
        for seed in range(count)
    )


@cache
def done_activities(count, split="train"):
    """Everyday activities, each carried out from its first step to its last."""
    world = make(HOUSEHOLD, split=split, goal="activity", rooms=[3, 5], objects=[8, 14])
    found = []
    for seed in range(count):
        world.reset(seed=seed)
        actions = solve(world)
        found.append(scripted_episode(world, seed, actions, split))
    return tuple(found)
