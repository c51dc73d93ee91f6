"""Examples and episodes for TRL: prompt and completion, or messages; one file of JSON lines a split.

TRL: https://huggingface.co/docs/trl/dataset_formats ("prompt-completion", and "language modeling", conversational).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from worldschool.experience.exports.lines import line_writer
from worldschool.progress import Advance, silent
from worldschool.records import Episode, Example


def prompt_completion(example: Example) -> dict[str, Any]:
    """Return an example in TRL's prompt-completion form; both texts are as they are trained on."""
    return {"prompt": example.prompt, "completion": example.completion, **_origin(example)}


def example_messages(example: Example) -> dict[str, Any]:
    """Return an example as messages: the prompt from the user, the completion, without the white space around it, from
    the assistant."""
    messages = [_message("user", example.prompt), _message("assistant", example.completion.strip())]
    return {"messages": messages, **_origin(example)}


def episode_messages(episode: Episode) -> dict[str, Any] | None:
    """Return an episode as messages, or None if nothing was done in it.

    The goal comes from the system, every observation from the user, every action from the assistant; what was seen after
    the last action, which nobody answers, is left out. An episode without a goal has no system message.
    """
    if not episode.steps:
        return None
    messages = [_message("system", episode.goal)] if episode.goal else []
    seen = episode.initial_observation
    for step in episode.steps:
        messages += [_message("user", seen), _message("assistant", step.action)]
        seen = step.observation
    return {
        "messages": messages,
        "episode_id": episode.episode_id,
        "world": episode.world,
        "agent": episode.agent,
        "split": episode.split,
        "success": episode.success,
        "return": episode.return_,
    }


def write_by_split(
    records: Iterable[Any], form: Callable[[Any], dict[str, Any] | None], out: Path, advance: Advance = silent
) -> tuple[int, int]:
    """Write what `form` makes of each record (of an Example or Episode) into `out/SPLIT.jsonl`.

    Returns:
        How many records were written, and how many were left out because `form` gave None.
    """
    written = skipped = 0
    with ExitStack() as files:
        writers: dict[str, Callable[[dict[str, Any]], None]] = {}
        for record in records:
            row = form(record)
            advance(1)
            if row is None:
                skipped += 1
                continue
            if record.split not in writers:
                writers[record.split] = files.enter_context(line_writer(out / f"{record.split}.jsonl"))
            writers[record.split](row)
            written += 1
    return written, skipped


def _origin(example: Example) -> dict[str, Any]:
    return {
        "example_id": example.example_id,
        "episode_id": example.episode_id,
        "task": example.task,
        "split": example.split,
        "answer": example.answer,
        "options": None if example.options is None else list(example.options),
    }


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
