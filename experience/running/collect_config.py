"""The settings of `worldschool collect`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from worldschool.config import Config
from worldschool.records import Split

EXECUTION_FIELDS = ("workers", "executor", "ray_address", "strict", "time_budget_s")
"""How a run is carried out: the same run may be continued with others."""
EXTENT_FIELDS = ("episodes", "shard_size")
"""How much is kept and in what pieces: with the above, what an episode's id does not depend on."""


class AgentSettings(Config):
    """Which agent acts, and its own settings."""

    name: str = "random"
    """A name from the table of agents (`worldschool.agents.base.AGENTS`)."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The agent's configuration; what it leaves out has the agent's defaults."""


class GoalSettings(Config):
    """A goal, as it is stored."""

    text: str
    """In English, as the agent is told."""
    predicates: tuple[tuple[str, str, str | None], ...] = Field(min_length=1)
    """What must be true: [NAME, subject, object or null] each, NAME being ON, INSIDE, HOLDS, AT or STATE:x; an argument is
    an entity's name, or "class:apple" for any of its class."""


class CollectConfig(Config):
    """What to collect."""

    world: str = "worldschool/Household-v0"
    """Registered id of the world."""
    world_config: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the world, without `split`."""
    agent: AgentSettings = AgentSettings()
    """Who acts."""
    goals: tuple[GoalSettings, ...] | None = Field(default=None, min_length=1)
    """Goals in place of those that the world draws: episode i has goal i modulo their number. In a house that lacks what a
    goal names the episode fails."""
    episodes: int | None = Field(default=None, ge=1)
    """How many episodes the dataset will hold; left out, `time_budget_s` ends the run."""
    time_budget_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds one run may take: the shard under way then is the last, and the same command goes on from there."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """The run seed; with an episode's index it fixes everything in that episode."""
    shard_size: int = Field(default=32, ge=1)
    """Episodes in a shard: what is written at once. A kill loses about as many, and what other workers finished behind an
    episode that takes long: a dataset always holds a beginning of its run."""
    round_size: int = Field(default=32, ge=1)
    """Episodes in a round of an agent that learns: all of them are lived with what it knew when the round began. A
    multiple of shard_size. Other agents have no rounds."""
    executor: Literal["local", "ray"] = "local"
    """Where workers run: processes on this machine, or actors of a Ray cluster; the episodes are the same."""
    workers: int = Field(default=1, ge=1)
    """How many act at once; the episodes are the same whatever their number."""
    ray_address: str | None = None
    """Of a running Ray cluster; left out, $RAY_ADDRESS or one that is started on this machine for the run."""
    split: Split = "train"
    """Which worlds the episodes are lived in; the splits share no world."""
    strict: bool = False
    """Stop at the first episode that fails, instead of recording its error and going on."""
