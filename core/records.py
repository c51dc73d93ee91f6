"""The records every room speaks in: types only, frozen.

Sequences are tuples, so that a record is hashable and nobody downstream can change what was lived through.
`to_json` gives the plain form that files hold; its keys are the field names of the file formats.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

from worldschool.canonical import blake2b_hex, canonical_json

Split: TypeAlias = Literal["train", "validation", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "validation", "heldout")
Relation: TypeAlias = Literal["ON", "INSIDE", "HOLDS", "AT"]
Predicate: TypeAlias = tuple[str, str, str | None]

EPISODE_SCHEMA = "worldschool.episode/1"
EXAMPLE_SCHEMA = "worldschool.example/1"


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing, place or character of one episode: its name there, unique, and its class."""

    name: str
    class_: str

    def to_json(self) -> dict[str, str]:
        """Return `{"name", "class"}`."""
        return {"name": self.name, "class": self.class_}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that holds at one moment: `subject` stands in `relation` to `object`.

    ON, INSIDE and AT (a character in a room) read from subject to object; HOLDS too: the subject holds the object.
    "STATE" gives the subject's state in `object` ("open", "closed", "on", "off").
    """

    subject: str
    relation: Literal["ON", "INSIDE", "HOLDS", "AT", "STATE"]
    object: str

    def to_json(self) -> dict[str, str]:
        """Return the three fields as they are stored."""
        return {"subject": self.subject, "relation": self.relation, "object": self.object}


@dataclass(frozen=True, slots=True)
class Event:
    """What one character did in one step, as the world knows it.

    `source` and `target` are where the object was and came to be (for a walk: the rooms left and entered), `relation`
    how it stands to the target. `seen_by` names the characters that could see it, the actor included.
    """

    t: int
    actor: str
    verb: str
    object: str | None = None
    source: str | None = None
    target: str | None = None
    relation: Relation | None = None
    succeeded: bool = True
    seen_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as they are stored."""
        return {
            "t": self.t,
            "actor": self.actor,
            "verb": self.verb,
            "object": self.object,
            "source": self.source,
            "target": self.target,
            "relation": self.relation,
            "succeeded": self.succeeded,
            "seen_by": list(self.seen_by),
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Event:
        """Read the stored form."""
        return cls(**{**row, "seen_by": tuple(row["seen_by"])})


@dataclass(frozen=True, slots=True)
class Step:
    """One action and what came of it.

    `observation` is what the actor saw after the action; `state_hash` the world's `Snapshot.position` then;
    `legal_actions` how many actions were legal before it.
    """

    observation: str
    action: str
    reward: float
    state_hash: str
    legal_actions: int
    events: tuple[Event, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as they are stored."""
        return {
            "observation": self.observation,
            "action": self.action,
            "reward": self.reward,
            "state_hash": self.state_hash,
            "legal_actions": self.legal_actions,
            "events": [event.to_json() for event in self.events],
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Step:
        """Read the stored form."""
        return cls(**{**row, "events": tuple(Event.from_json(event) for event in row["events"])})


@dataclass(frozen=True)
class Goal:
    """What is to be true: predicates that must all hold, and their English.

    A predicate is `(name, subject, object)` with names ON, INSIDE, HOLDS, AT and STATE:x; an argument is an entity's
    name or `class:apple` for any of its class. Predicates are kept sorted and distinct, so two goals are the same
    when `key` is.
    """

    text: str
    predicates: tuple[Predicate, ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted({tuple(p) for p in self.predicates}, key=lambda p: tuple(part or "" for part in p))
        object.__setattr__(self, "predicates", tuple(ordered))

    @property
    def key(self) -> str:
        """The canonical JSON of the predicates."""
        return canonical_json([list(p) for p in self.predicates])


@dataclass(frozen=True)
class Snapshot:
    """All of a world's state at one moment; immutable, hashable, picklable.

    Attributes:
        world: the registered id it belongs to.
        state: nested tuples of plain values: everything but the generator and the step count, the goal included.
        bookkeeping: the random generator's state and the step count, as nested tuples of plain values.
    """

    world: str
    state: tuple[Any, ...]
    bookkeeping: tuple[Any, ...] = ()

    @cached_property
    def position(self) -> str:
        """blake2b-128 (hex) of the state without generator and step count; what transpositions compare."""
        return blake2b_hex(canonical_json([self.world, self.state]))

    @cached_property
    def digest(self) -> str:
        """blake2b-128 (hex) of everything."""
        return blake2b_hex(canonical_json([self.world, self.state, self.bookkeeping]))


@dataclass(frozen=True)
class Plan:
    """A sequence of actions from a planner.

    Attributes:
        actions: in order; empty when the goal already holds or nothing was found.
        success: whether replaying them from the planner's start reached the goal.
        simulations: how many simulations the planner spent.
        value: the discounted return of the replay.
    """

    actions: tuple[str, ...]
    success: bool
    simulations: int
    value: float


@dataclass(frozen=True)
class Skill:
    """A named plan that can be used again where its preconditions hold."""

    name: str
    parameters: tuple[str, ...]
    preconditions: tuple[Predicate, ...]
    actions: tuple[str, ...]
    goal: Goal
    episode_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Episode:
    """One life in a world, from reset to end. Nothing in it depends on time, host or worker.

    `digest` seals the row: blake2b-128 (hex) of its canonical JSON without `digest` itself and `index`, the place in a
    dataset, which merging and splitting change. "" in rows that were written before there was one.
    """

    episode_id: str
    run_seed: int
    index: int
    world: str
    world_version: str
    world_config: str
    seed: int
    agent: str
    agent_config: str
    split: Split
    goal: str
    goal_predicates: str
    activity: str | None
    entities: tuple[Entity, ...]
    initial_facts: tuple[Fact, ...]
    initial_observation: str
    initial_state_hash: str
    steps: tuple[Step, ...]
    terminated: bool
    truncated: bool
    success: bool
    return_: float
    length: int
    error: str | None
    package_version: str
    digest: str = ""

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event of the episode, in order."""
        return tuple(event for step in self.steps for event in step.events)

    @property
    def wanted(self) -> Goal:
        """The goal with its predicates, as a world takes it.

        Raises:
            ValueError, TypeError: `goal_predicates` is no JSON list of predicates.
        """
        return Goal(self.goal, tuple(tuple(predicate) for predicate in json.loads(self.goal_predicates)))

    @property
    def classes(self) -> dict[str, str]:
        """Entity name to class."""
        return {entity.name: entity.class_ for entity in self.entities}

    def sealed(self) -> Episode:
        """Return the episode with the digest of its content."""
        return dataclasses.replace(self, digest=self.content_digest())

    def content_digest(self) -> str:
        """Return what `digest` is when nothing was edited."""
        row = self.to_json()
        del row["digest"], row["index"]
        return blake2b_hex(canonical_json(row))

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is stored; `return_` is stored as "return"."""
        row: dict[str, Any] = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name in ("entities", "initial_facts", "steps"):
                value = [part.to_json() for part in value]
            row["return" if item.name == "return_" else item.name] = value
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Episode:
        """Read the stored form."""
        values = dict(row)
        values["return_"] = values.pop("return")
        values["entities"] = tuple(Entity(e["name"], e["class"]) for e in row["entities"])
        values["initial_facts"] = tuple(Fact(**fact) for fact in row["initial_facts"])
        values["steps"] = tuple(Step.from_json(step) for step in row["steps"])
        return cls(**values)


@dataclass(frozen=True)
class Example:
    """One thing to learn or to be asked, in TRL's prompt-completion form.

    `prompt` ends without a space; `completion` begins with one and ends with a newline; the loss is on all of the
    completion. `dials` and `meta` are JSON objects.
    """

    example_id: str
    task: str
    prompt: str
    completion: str
    answer: str
    split: Split
    episode_id: str
    builder: str
    builder_version: int
    seed: int
    options: tuple[str, ...] | None = None
    answer_index: int | None = None
    dials: str = "{}"
    weight: float = 1.0
    meta: str = "{}"

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is stored."""
        row = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        row["options"] = None if self.options is None else list(self.options)
        return row

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Example:
        """Read the stored form; unknown fields are left aside."""
        known = {item.name for item in dataclasses.fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        if values.get("options") is not None:
            values["options"] = tuple(values["options"])
        return cls(**values)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% confidence interval."""

    value: float
    low: float
    high: float
    n: int = field(default=0)
