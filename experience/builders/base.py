"""What an example builder is, what it makes, and how one is called by its name.

To add a builder: a module with a `build` function and its settings, and one row in `table.BUILDERS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, Self

from pydantic import Field, model_validator

from worldschool.canonical import canonical_json, short_digest
from worldschool.config import Config, build_config
from worldschool.errors import ConfigError, nearest
from worldschool.experience.builders.table import BUILDERS
from worldschool.records import Episode, Example

DIALS = (
    "length",
    "revisits",
    "distractors",
    "characters",
    "indirection",
    "moves",
    "sentences",
    "constraints",
    "options",
)
"""What makes a question harder; each builder records those that it has, and `dials` asks for some of them."""


class BuilderSettings(Config):
    """Settings that all builders share."""

    style: str = "varied"
    """How the world tells its events: "plain", "varied", "brief", or another style that the world has."""
    per_episode: int = Field(default=2, ge=1)
    """At most this many examples from one episode."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the episodes that are asked about."""
    shots: int = Field(default=0, ge=0, le=16)
    """Worked examples before each question, from other houses of the train split (`worldschool examples` adds them)."""
    dials: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """Least and most of any of the task's dials: `{length: [3, 5], revisits: [1, 9]}` asks nothing easier or harder."""

    @model_validator(mode="after")
    def _check_dials(self) -> Self:
        for dial, (least, most) in self.dials.items():
            if dial not in DIALS:
                raise ValueError(
                    f"there is no dial {dial!r}; dials are {', '.join(DIALS)}{nearest(dial, DIALS)}"
                )
            if least > most:
                raise ValueError(f"dials: {dial}: the least ({least}) is more than the most ({most})")
        return self


@dataclass(frozen=True)
class Skipped:
    """Said in place of an example: why an episode, or one question about it, was left out."""

    reason: str


NOT_REACHED = Skipped("the goal was not reached")
TOO_LONG = Skipped("the plan is longer than the maximum")


class Builder(Protocol):
    """Pure and seeded: the same episode, settings and generator give the same examples."""

    def __call__(
        self, episode: Episode, settings: Any, story_seed: int, rng: Random
    ) -> Iterator[Example | Skipped]:
        """Yield examples whose answers are computed from the episode's events, and what was left out.

        Args:
            episode: from any world whose events follow the records.
            settings: the builder's own settings.
            story_seed: fixes the wording of the story, so that all builders tell one episode alike.
            rng: for every other choice.
        """
        ...


NOT_DRAWN = "the episode is not among the share asked about"


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
    return (found for found in ask(name, episode, settings, seed) if isinstance(found, Example))


def ask(name: str, episode: Episode, settings: BuilderSettings, seed: int) -> Iterator[Example | Skipped]:
    """Yield what `run_builder` yields, and why something was left out."""
    there = set(episode.classes.values())
    for class_ in BUILDERS[name].classes:
        if class_ not in there:
            return iter((Skipped(f"this world has nothing of class {class_}"),))
    build: Builder = _load(BUILDERS[name].function)
    rng = Random(f"{seed}:{episode.episode_id}:{name}")
    story_seed = Random(f"{seed}:{episode.episode_id}").getrandbits(32)
    if rng.random() >= settings.share:
        return iter((Skipped(NOT_DRAWN),))
    return build(episode, settings, story_seed, rng)


def fixed_examples(name: str) -> list[Example]:
    """Return the questions that a builder asks in any case."""
    entry = BUILDERS[name].fixed
    return list(_load(entry)()) if entry else []


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


def choose_from(options: Sequence[str]) -> str:
    """Return the sentence that names the options, in their order."""
    return f"Choose from: {'; '.join(options)}."


def _load(entry_point: str) -> Any:
    module, name = entry_point.split(":")
    return getattr(importlib.import_module(module), name)
