"""A tiny deterministic world for tests: a corridor, a key somewhere in it, and a chest at its end.

`tests/conftest.py` loads this file as the module `worldschool_fakes` and registers the world as "worldschool/Corridor-v0".
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from worldschool.envs import World
from worldschool.errors import WorldError
from worldschool.records import Entity, Event, Fact, Goal, Snapshot
from worldschool.spaces import AnyText

OPEN_CHEST = Goal("Open the chest.", (("STATE:open", "chest", None),))
MULTIPLIER, INCREMENT, MODULUS = 6364136223846793005, 1442695040888963407, 2**64


class CorridorWorld(World):
    """Mary walks along "room 1" .. "room LENGTH"; the key opens the chest, which stands in the last room.

    Actions: "walk to room N" (a neighbour), "grab key", "drop key", "open chest" (with the key in hand), "wait".
    The seed places Mary and the key. With `cat=True` a cat walks about by the world's own generator.
    """

    world_id = "worldschool/Corridor-v0"
    version = "1"

    def __init__(
        self,
        *,
        split: str = "train",
        length: int = 4,
        max_steps: int = 50,
        goal: str = "chest",
        cat: bool = False,
        fail_at: int | None = None,
    ) -> None:
        self._config = {
            "split": split,
            "length": length,
            "max_steps": max_steps,
            "goal": goal,
            "cat": cat,
            "fail_at": fail_at,
        }
        self.length, self.max_steps, self.cat, self.fail_at = length, max_steps, cat, fail_at
        self._goal_setting = goal
        self.observation_space, self.action_space = AnyText(200), AnyText(40)
        self.steps_taken = 0
        self._ended = True

    @property
    def config(self) -> dict[str, Any]:
        return dict(self._config)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        random = Random(seed)
        self._room, self._key = random.randint(1, self.length), random.randint(1, self.length)  # key 0: held
        self._cat_room = random.randint(1, self.length) if self.cat else 0
        self._generator = random.getrandbits(64)
        self._open = False
        self._goal = OPEN_CHEST if self._goal_setting == "chest" else Goal("Do as you like.")
        self._t = 0
        self._ended = False
        self._events: tuple[Event, ...] = ()
        return self._observe(), self._info(None)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if self._ended:
            raise RuntimeError("the episode has ended; reset the world")
        if self.fail_at is not None and self._t == self.fail_at:
            raise ZeroDivisionError("the corridor collapsed")
        self.steps_taken += 1
        error = None if action in self.legal_actions() else f"{action!r} cannot be done now"
        self._events = ()
        if error is None:
            self._events = (self._do(action),)
        self._t += 1
        self._move_cat()
        success = self._success()
        truncated = not success and self._t >= self.max_steps
        self._ended = success or truncated
        return self._observe(), float(success), success, truncated, self._info(error)

    def _do(self, action: str) -> Event:
        here = f"room {self._room}"
        if action.startswith("walk to "):
            target = action.removeprefix("walk to ")
            self._room = int(target.split()[1])
            return Event(self._t, "Mary", "walk", "Mary", here, target, "AT", seen_by=("Mary",))
        if action == "grab key":
            self._key = 0
            return Event(self._t, "Mary", "grab", "key", here, "Mary", "HOLDS", seen_by=("Mary",))
        if action == "drop key":
            self._key = self._room
            return Event(self._t, "Mary", "drop", "key", "Mary", here, "AT", seen_by=("Mary",))
        if action == "open chest":
            self._open = True
            return Event(self._t, "Mary", "open", "chest", seen_by=("Mary",))
        return Event(self._t, "Mary", "wait", seen_by=("Mary",))

    def _move_cat(self) -> None:
        if not self.cat:
            return
        self._generator = (self._generator * MULTIPLIER + INCREMENT) % MODULUS
        self._cat_room = min(self.length, max(1, self._cat_room + (1 if self._generator >> 63 else -1)))

    def _observe(self) -> str:
        seen = [f"Mary is in room {self._room}."]
        if self._key == 0:
            seen.append("Mary holds the key.")
        elif self._key == self._room:
            seen.append("The key is here.")
        if self._cat_room == self._room:
            seen.append("The cat is here.")
        if self._room == self.length:
            seen.append(f"The chest is here; it is {'open' if self._open else 'closed'}.")
        return " ".join(seen)

    def _success(self) -> bool:
        return bool(self._goal.predicates) and all(self.satisfied(self._goal))

    def _info(self, error: str | None) -> dict[str, Any]:
        return {"events": self._events, "success": self._success(), "error": error}

    def legal_actions(self) -> list[str]:
        if self._ended:
            return []
        actions = [f"walk to room {n}" for n in (self._room - 1, self._room + 1) if 1 <= n <= self.length]
        if self._key == self._room:
            actions.append("grab key")
        if self._key == 0:
            actions.append("drop key")
        if self._key == 0 and self._room == self.length and not self._open:
            actions.append("open chest")
        return sorted([*actions, "wait"])

    def snapshot(self) -> Snapshot:
        goal = (self._goal.text, self._goal.predicates)
        state = (self._room, self._key, self._cat_room, self._open, self._ended, goal)
        events = tuple(tuple(event.to_json()[name] for name in _STORED) for event in self._events)
        return Snapshot(self.world_id, state, (self._generator, self._t, events))

    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        self._room, self._key, self._cat_room, self._open, self._ended, goal = snapshot.state
        self._goal = Goal(*goal)
        self._generator, self._t, events = snapshot.bookkeeping
        self._events = tuple(Event(*values, seen_by=("Mary",)) for values in events)
        return self._observe(), self._info(None)

    @property
    def goal(self) -> Goal:
        return self._goal

    def set_goal(self, goal: Goal) -> None:
        names = {entity.name for entity in self.entities()} | {f"class:{e.class_}" for e in self.entities()}
        for _, *arguments in goal.predicates:
            for argument in arguments:
                if argument is not None and argument not in names:
                    raise WorldError(f"there is no {argument!r} in this world", where="goal")
        self._goal = goal

    def satisfied(self, goal: Goal) -> tuple[bool, ...]:
        held = set(self.facts())
        return tuple(
            Fact(subject.removeprefix("class:"), "STATE", name.removeprefix("STATE:")) in held
            if name.startswith("STATE:")
            else Fact(subject.removeprefix("class:"), name, str(object_)) in held  # type: ignore[arg-type]
            for name, subject, object_ in goal.predicates
        )

    def events(self) -> tuple[Event, ...]:
        return self._events

    def entities(self) -> tuple[Entity, ...]:
        things = [Entity("Mary", "character"), Entity("key", "key"), Entity("chest", "chest")]
        if self.cat:
            things.append(Entity("cat", "cat"))
        rooms = [Entity(f"room {n}", "room") for n in range(1, self.length + 1)]
        return tuple(sorted(things + rooms, key=lambda entity: entity.name))

    def facts(self) -> tuple[Fact, ...]:
        key = Fact("Mary", "HOLDS", "key") if self._key == 0 else Fact("key", "AT", f"room {self._key}")
        facts = [Fact("Mary", "AT", f"room {self._room}"), Fact("chest", "AT", f"room {self.length}"), key]
        facts.append(Fact("chest", "STATE", "open" if self._open else "closed"))
        if self.cat:
            facts.append(Fact("cat", "AT", f"room {self._cat_room}"))
        return tuple(sorted(facts, key=lambda fact: (fact.subject, fact.relation, fact.object)))

    @classmethod
    def narrate(cls, events: Sequence[Event], style: str, rng: Random) -> list[str]:
        return [f"{event.actor} does: {event.verb} {event.object or ''}".strip() + "." for event in events]

    @classmethod
    def narrate_action(cls, action: str, style: str = "plain", rng: Random | None = None) -> str:
        return f"{action[0].upper()}{action[1:]}."

    @classmethod
    def phrase(cls, name: str) -> str:
        return name if name == "Mary" else f"the {name}"


_STORED = ("t", "actor", "verb", "object", "source", "target", "relation", "succeeded")
