"""Examples: built from datasets of episodes, written and read as Parquet or JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import Field

from worldschool.config import Config
from worldschool.errors import ConfigError, DatasetError
from worldschool.experience.builders.activity_recognition import ActivitySettings
from worldschool.experience.builders.base import BuilderSettings, builder_settings
from worldschool.experience.questions.asking import AGAIN, Asking, asked_of, balancers_for, questions_about
from worldschool.experience.questions.example_files import (
    ARROW_SCHEMA,
    EXAMPLES_FILE,
    EXAMPLES_STEM,
    iterate_examples,
    read_examples,
    write_examples,
    writer,
)
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.questions.judging import ENOUGH, Judgement, Kept, judge, refuse
from worldschool.experience.questions.shots import ShotPool, answer_spans
from worldschool.experience.storage.writing import writing
from worldschool.experience.store import EpisodeStore
from worldschool.files import read_json, write_json
from worldschool.progress import Advance, progress, silent
from worldschool.records import Episode, Example
from worldschool.runs import claim_output, giving_back

__all__ = [
    "ARROW_SCHEMA",
    "EXAMPLES_FILE",
    "ExamplesConfig",
    "build_examples",
    "examples_command",
    "iterate_examples",
    "permute_answers",
    "read_examples",
    "read_report",
    "write_examples",
]

REPORT_FILE = "report.json"


class ExamplesConfig(Config):
    """Settings of `worldschool examples`."""

    datasets: tuple[str, ...] = Field(min_length=1)
    """Dataset directories, as `worldschool collect` writes them."""
    builders: dict[str, dict[str, Any]] = Field(min_length=1)
    """Builder name to its settings."""
    seed: int = 0
    """Fixes wordings and choices."""
    limit: int | None = Field(default=None, ge=1)
    """At most this many examples of each builder."""
    balance: bool = False
    """Choose what is asked so that answers are spread evenly and shortcuts do not pay; asks less than could be asked."""
    refuse: Literal["probes", "all", "none"] = "probes"
    """Tasks to refuse when a shortcut pays by more than 3 points over chance, judged on 5,000 questions or more: "probes":
    those that hold questions of another split than train; "all": training questions too; "none": it is only reported."""
    longest: int | None = Field(default=None, ge=1)
    """Most characters of prompt and completion together: longer examples are left out, never cut. Null: any."""
    shots_from: tuple[str, ...] = ()
    """Datasets of the train split to take worked examples from (builders' `shots`); empty: `datasets`."""
    format: Literal["parquet", "jsonl"] = "parquet"
    """What is written: `examples.parquet` or `examples.jsonl`."""


def build_examples(
    episodes: Iterable[Episode], builders: Mapping[str, BuilderSettings], seed: int, advance: Advance = silent
) -> Iterator[Example]:
    """Yield every builder's examples, episode by episode, so that questions about one story follow each other."""
    return asked_of(episodes, Asking(builders, seed), Tally(list(builders)), advance=advance)


def examples_command(config: ExamplesConfig, out: Path, advance: Advance | None = None) -> Path:
    """Build the configured examples into a file in `out`; done already, it is left as it is.

    Beside it `report.json` says how many there are, how answers are spread and what was left out (`read_report`).
    Examples are written as they are built, so that memory does not grow with their number.

    Args:
        config: what to build from what.
        out: the output directory; the same configuration continues it.
        advance: told of every episode; None shows a progress bar on standard error.

    Raises:
        ConfigError: a builder or setting is not accepted, or there is nothing to take worked examples from.
        DatasetError: a dataset is missing, empty or damaged, or nothing could be built from it, or a shortcut answers
            a task of 5,000 questions or more (`ExamplesConfig.refuse`).
        OutputError: `out` belongs to something else or cannot be written.
    """
    builders = {name: builder_settings(name, values, "builders") for name, values in config.builders.items()}
    stores = [EpisodeStore.open(Path(directory)) for directory in config.datasets]
    shown = [EpisodeStore.open(Path(directory)) for directory in config.shots_from] or stores
    target = out / f"{EXAMPLES_STEM}.{config.format}"
    if claim_output(out, "examples", config.to_json(), config.seed) and target.exists():
        return target
    with giving_back(out), writing(out):
        builders = with_activities(builders, [*stores, *(one for one in shown if one not in stores)])
        _write(config, builders, stores, shown, target, advance)
    return target


def _write(
    config: ExamplesConfig,
    builders: Mapping[str, BuilderSettings],
    stores: Sequence[EpisodeStore],
    shown: Sequence[EpisodeStore],
    target: Path,
    advance: Advance | None,
) -> None:
    """Write the examples into `target` and the report beside it; `shown` holds the worked examples."""
    asking = Asking(builders, config.seed, config.balance, config.limit, config.longest)
    tally = Tally(list(builders))
    total = sum(len(store) for store in stores)
    bar = progress("examples", total, "episodes") if advance is None else nullcontext(advance)
    with bar as told:
        pool = _worked_examples(asking, shown)
        found = asked_of(_each_once(stores, tally), asking, tally, pool, told)
        kept = Kept(config.seed)
        with writer(target) as write:
            for example in found:
                write(example)
                kept.add(example)
            if not any(one.examples for one in tally.tasks.values()):
                raise DatasetError(
                    "none of the builders found anything to ask about in these episodes",
                    where=", ".join(config.datasets),
                    mend=_why(tally),
                )
            judgements = _judged(kept, tally, config.seed)
            refuse(_refusable(judgements, tally, config.refuse), balanced=config.balance)
            judged = {task: one.to_json() for task, one in judgements.items()}
            write_json(target.parent / REPORT_FILE, tally.to_json() | {"judged": judged})


def read_report(path: Path) -> dict[str, Any]:
    """Return the report beside a file of examples that `examples_command` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    report: dict[str, Any] = read_json(path.parent / REPORT_FILE, what="a report on examples")
    return report


def _judged(kept: Kept, tally: Tally, seed: int) -> dict[str, Judgement]:
    """Return the judgement of each task that has enough questions."""
    tasks = [task for task, counted in tally.tasks.items() if counted.examples >= ENOUGH]
    if not tasks:
        return {}
    found = {}
    with progress("judging shortcuts", len(tasks), "tasks") as advance:
        for task in tasks:
            found[task] = judge(kept.tasks[task], seed)
            advance(1)
    return found


def _refusable(
    judgements: Mapping[str, Judgement], tally: Tally, which: Literal["probes", "all", "none"]
) -> dict[str, Judgement]:
    """Return the judgements by which tasks are refused."""
    asked = {task for task in judgements if set(tally.tasks[task].splits) - {"train"}}
    return {
        task: one
        for task, one in judgements.items()
        if which == "all" or (which == "probes" and task in asked)
    }


def with_activities(
    builders: Mapping[str, BuilderSettings], stores: Sequence[EpisodeStore]
) -> dict[str, BuilderSettings]:
    """Return the settings with the datasets' activities, and how frequent each is, where a builder about them names none."""
    if not any(isinstance(one, ActivitySettings) and not one.activities for one in builders.values()):
        return dict(builders)
    rows = (row for store in stores for row in store.rows(["activity", "success"]))
    found = Counter(row["activity"] for row in rows if row["activity"] and row["success"])
    update = {"activities": tuple(sorted(found)), "frequencies": dict(sorted(found.items()))}
    return {
        name: settings.model_copy(update=update)
        if isinstance(settings, ActivitySettings) and not settings.activities
        else settings
        for name, settings in builders.items()
    }


def _worked_examples(asking: Asking, stores: Sequence[EpisodeStore]) -> ShotPool | None:
    """Return worked examples for the builders that want some, or None if none does."""
    tasks = [name for name, settings in asking.builders.items() if settings.shots]
    if not tasks:
        return None
    pool, tally, balancers = ShotPool(), Tally(list(asking.builders)), balancers_for(asking)
    episodes = (episode for store in stores for episode in store.scan("train"))
    pool.fill(
        episodes,
        tasks,
        lambda task, episode: questions_about(episode, task, asking, balancers.get(task), tally),
    )
    if not pool.sizes():
        raise ConfigError(
            f"worked examples are asked for ({', '.join(tasks)}), and no episode of the train split gives one",
            where="shots_from",
            mend="Name a dataset that was collected with `split: train`.",
        )
    return pool


def _each_once(stores: Sequence[EpisodeStore], tally: Tally) -> Iterator[Episode]:
    """Yield the episodes of all datasets; one that an earlier dataset had is counted and left out."""
    seen: set[str] = set()
    for number, store in enumerate(stores):
        for episode in store:
            if episode.episode_id in seen:
                for task in tally.tasks.values():
                    task.skipped[AGAIN] += 1
                continue
            if number < len(stores) - 1:  # the last one's are not looked for any more
                seen.add(episode.episode_id)
            yield episode


def _why(tally: Tally) -> str:
    """Return what was left out, as what to mend."""
    reasons = [
        f"{task}: {reason} ({count} times)"
        for task, one in tally.tasks.items()
        for reason, count in one.skipped.most_common(2)
    ]
    return " ".join(
        [*(f"{reason}." for reason in reasons[:6]), "Collect other episodes, or use other builders."]
    )


def permute_answers(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return the examples with their answers exchanged at random among those of one task: a control.

    Whoever learns from these learns what answers look like, and how often each is right, but nothing about stories.
    Every example gets the answer of another episode, unless one episode has more than half of them; and every worked example
    in a prompt the answer of another one, unless one is more than half of those.
    """
    rng = Random(seed)
    found = list(examples)
    for task in sorted({example.task for example in examples}):
        indices = [i for i, example in enumerate(examples) if example.task == task]
        givers = _others([examples[i].episode_id for i in indices], rng)
        prompts = _permute_worked([examples[i].prompt for i in indices], rng)
        for i, giver, prompt in zip(indices, givers, prompts, strict=True):
            given = examples[indices[giver]]
            found[i] = replace(
                examples[i],
                prompt=prompt,
                completion=given.completion,
                answer=given.answer,
                options=None,
                answer_index=None,
            )
    return found


def _permute_worked(prompts: Sequence[str], rng: Random) -> list[str]:
    """Return the prompts with the answers of the worked examples in all of them exchanged."""
    spans = [(n, *span) for n, prompt in enumerate(prompts) for span in answer_spans(prompt)]
    # A worked example stands in several prompts; it is known by the text before its answer.
    asked = [prompts[n][:start].rpartition("\n\n")[2] for n, start, _ in spans]
    answers = [prompts[n][start:end] for n, start, end in spans]
    found = list(prompts)
    for (n, start, end), giver in reversed(list(zip(spans, _others(asked, rng), strict=True))):
        found[n] = found[n][:start] + answers[giver] + found[n][end:]
    return found


def _others(keys: Sequence[str], rng: Random) -> list[int]:
    """Return a random permutation whose every index has another key than what it gets, as long as no key has more than half."""
    indices = list(range(len(keys)))
    rng.shuffle(indices)
    indices.sort(key=lambda i: keys[i])  # turned by half of them, those of one key meet others
    half = len(indices) // 2
    givers = dict(zip(indices, indices[half:] + indices[:half], strict=True))
    return [givers[i] for i in range(len(keys))]
