"""What an example builder is, and the table of builders.

To add a builder: a module with a `build` function and its settings, and one line in `BUILDERS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from pydantic import Field

from worldschool.canonical import canonical_json, short_digest
from worldschool.config import Config, build_config
from worldschool.errors import ConfigError, nearest
from worldschool.records import Episode, Example


class BuilderSettings(Config):
    """Settings that all builders share."""

    style: str = "varied"
    """How the world tells its events: "plain", "varied", "brief", or another style that the world has."""
    per_episode: int = Field(default=2, ge=1)
    """At most this many examples from one episode."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the episodes that are asked about."""


class Builder(Protocol):
    """Pure and seeded: the same episode, settings and generator give the same examples."""

    def __call__(self, episode: Episode, settings: Any, story_seed: int, rng: Random) -> Iterator[Example]:
        """Yield examples whose answers are computed from the episode's events.

        Args:
            episode: from any world whose events follow the records.
            settings: the builder's own settings.
            story_seed: fixes the wording of the story, so that all builders tell one episode alike.
            rng: for every other choice.
        """
        ...


@dataclass(frozen=True)
class BuilderSpec:
    """One row of the table: "module:function", "module:Settings" and the version of what it builds."""

    function: str
    settings: str
    version: int


_ROOM = "worldschool.experience.builders"
BUILDERS: dict[str, BuilderSpec] = {
    "object_path": BuilderSpec(f"{_ROOM}.object_path:build", f"{_ROOM}.object_path:ObjectPathSettings", 1),
    "object_location": BuilderSpec(
        f"{_ROOM}.object_location:build", f"{_ROOM}.object_location:ObjectLocationSettings", 1
    ),
    "counting": BuilderSpec(f"{_ROOM}.counting:build", f"{_ROOM}.counting:CountingSettings", 1),
    "plan_generation": BuilderSpec(
        f"{_ROOM}.plan_generation:build", f"{_ROOM}.plan_generation:PlanGenerationSettings", 1
    ),
}


def builder_settings(name: str, values: dict[str, Any], source: str) -> BuilderSettings:
    """Check a builder's settings.

    Raises:
        ConfigError: there is no such builder, or a setting is not accepted.
    """
    if name not in BUILDERS:
        raise ConfigError(
            f"there is no builder {name!r}",
            where=source,
            mend=f"Known builders: {', '.join(BUILDERS)}.{nearest(name, BUILDERS)}",
        )
    cls: type[BuilderSettings] = _load(BUILDERS[name].settings)
    return build_config(cls, values, f"{source}.{name}")


def run_builder(name: str, episode: Episode, settings: BuilderSettings, seed: int) -> Iterator[Example]:
    """Yield one builder's examples for one episode; what is drawn depends on `seed` and the episode alone."""
    build: Builder = _load(BUILDERS[name].function)
    rng = Random(f"{seed}:{episode.episode_id}:{name}")
    story_seed = Random(f"{seed}:{episode.episode_id}").getrandbits(32)
    if rng.random() >= settings.share:
        return iter(())
    return build(episode, settings, story_seed, rng)


def make_example(
    builder: str,
    episode: Episode,
    seed: int,
    prompt: str,
    answer: str,
    options: tuple[str, ...] | None = None,
    dials: dict[str, int] | None = None,
    meta: dict[str, Any] | None = None,
) -> Example:
    """Fill in an Example; its id is a digest of what is asked, so that equal questions have equal ids."""
    return Example(
        example_id=f"{builder}-{episode.episode_id}-{short_digest([prompt, answer])}",
        task=builder,
        prompt=prompt,
        completion=f" {answer}\n",
        answer=answer,
        split=episode.split,
        episode_id=episode.episode_id,
        builder=builder,
        builder_version=BUILDERS[builder].version,
        seed=seed,
        options=options,
        answer_index=None if options is None else options.index(answer),
        dials=canonical_json(dials or {}),
        meta=canonical_json(meta or {}),
    )


def question(story: str, asked: str) -> str:
    """Return the prompt: the story, a question about it, and where the answer goes."""
    return f"{story}\nQuestion: {asked}\nAnswer:"


def _load(entry_point: str) -> Any:
    module, name = entry_point.split(":")
    return getattr(importlib.import_module(module), name)
