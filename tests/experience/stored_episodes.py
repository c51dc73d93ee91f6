"""Episodes for the tests of the store: hypothesis strategies, and small ones made by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from worldschool.experience.store import EpisodeStore
from worldschool.records import Entity, Episode, Event, Fact, Step

texts = st.text(max_size=20)
maybe = st.none() | texts
int32 = st.integers(-(2**31), 2**31 - 1)
int64 = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3).map(tuple)


events = st.builds(
    Event,
    int32,
    texts,
    texts,
    maybe,
    maybe,
    maybe,
    st.sampled_from([None, "ON", "AT"]),
    st.booleans(),
    several(texts),
)
steps = st.builds(Step, texts, texts, floats, texts, int32, several(events))
facts = st.builds(Fact, texts, st.sampled_from(["ON", "STATE"]), texts)
episodes = st.builds(
    Episode,
    episode_id=texts,
    run_seed=int64,
    index=int64,
    world=texts,
    world_version=texts,
    world_config=texts,
    seed=int64,
    agent=texts,
    agent_config=texts,
    split=st.sampled_from(["train", "validation", "heldout"]),
    goal=texts,
    goal_predicates=texts,
    activity=maybe,
    entities=several(st.builds(Entity, texts, texts)),
    initial_facts=several(facts),
    initial_observation=texts,
    initial_state_hash=texts,
    steps=several(steps),
    terminated=st.booleans(),
    truncated=st.booleans(),
    success=st.booleans(),
    return_=floats,
    length=int32,
    error=maybe,
    package_version=texts,
    digest=texts,
)

STEP = Step("A room. Ünïcödé 🍎", "walk to room 2", 0.0, "ab" * 16, 3, (Event(0, "Mary", "walk"),))


def numbered(given: list[Episode]) -> list[Episode]:
    """Return generated episodes as a dataset accepts them: indices from 0, ids that differ, true lengths."""
    return [
        dataclasses.replace(one, index=i, episode_id=f"{i} {one.episode_id}", length=len(one.steps))
        for i, one in enumerate(given)
    ]


def episode(index: int, **changes: Any) -> Episode:
    """Return an episode of three steps."""
    base = Episode(
        episode_id=f"0123abcd-{0:016x}-{index:08d}",
        run_seed=0,
        index=index,
        world="worldschool/Corridor-v0",
        world_version="1",
        world_config="{}",
        seed=index * 7,
        agent="random",
        agent_config="{}",
        split="train",
        goal="Open the chest.",
        goal_predicates='[["STATE:open","chest",null]]',
        activity=None,
        entities=(Entity("Mary", "character"),),
        initial_facts=(Fact("Mary", "AT", "room 1"),),
        initial_observation="A room.",
        initial_state_hash="cd" * 16,
        steps=(STEP,) * 3,
        terminated=False,
        truncated=True,
        success=False,
        return_=0.0,
        length=3,
        error=None,
        package_version="0.1.0",
    )
    return dataclasses.replace(base, **changes)


def long_episode(index: int, steps: int = 200) -> Episode:
    """Return an episode of many steps, each different, so that a few of them fill a row group."""
    lived = tuple(
        dataclasses.replace(STEP, observation=f"Step {t} of {index}.", reward=float(t)) for t in range(steps)
    )
    return episode(index, steps=lived, length=steps)


def filled(directory: Path, n: int = 7, size: int = 3, steps: int | None = None) -> EpisodeStore:
    """Make a dataset of `n` episodes in shards of `size`, and let go of it."""
    make = episode if steps is None else lambda i: long_episode(i, steps)
    with EpisodeStore.create(directory, {"episodes": n}, 0, size) as store:
        for k in range(-(-n // size)):
            store.commit_shard(k, [make(i) for i in range(k * size, min((k + 1) * size, n))])
    return store
