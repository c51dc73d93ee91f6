"""Tasks that a language model proposes in words.

What it says is read by the world (`TaskGenerator.read`), which knows its own words. What cannot be read, is not here, is
so already, could never be reached or was asked before is refused, and the next prompt says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from worldschool.agents.curriculum.config import WordsConfig
from worldschool.agents.curriculum.proposals import is_repeated
from worldschool.agents.curriculum.state import CurriculumState
from worldschool.agents.curriculum.tasks import TaskGenerator, draw_task
from worldschool.errors import WorldError
from worldschool.records import Goal

if TYPE_CHECKING:
    from worldschool.models.language import LanguageModel


MOST_IN_EXAMPLES = 3


class Refusal(NamedTuple):
    """A proposal that was not accepted, and why."""

    text: str
    reason: str


class Proposed(NamedTuple):
    """What came of asking a language model.

    Attributes:
        goal: the first proposal that was accepted, in the model's own words; None if all were refused.
        refused: the proposals before it.
    """

    goal: Goal | None
    refused: tuple[Refusal, ...]


class Asked(NamedTuple):
    """What a proposal is checked against.

    Attributes:
        state: what is known at the start of the round.
        tasks: of the world now.
        start: its digest.
        is_solvable: whether a plan is found beforehand; None: do not search.
    """

    state: CurriculumState
    tasks: TaskGenerator
    start: str
    is_solvable: Callable[[Goal], bool] | None = None


def propose_in_words(model: LanguageModel, config: WordsConfig, asked: Asked) -> Proposed:
    """Ask a language model for a task, up to `tries` times; each prompt tells what was refused before it.

    The model decodes greedily, so equal states and starts give equal proposals.
    """
    refused: list[Refusal] = []
    for _ in range(config.tries):
        text = model.generate([prompt(asked, refused)], config.max_new_tokens)[0]
        try:
            return Proposed(accepted(text, asked), tuple(refused))
        except WorldError as error:
            reason = " ".join(part for part in (f"{error.problem}.", error.mend) if part)
            said_again = any(refusal.text == text for refusal in refused)
            refused.append(Refusal(text, reason))
            if said_again:
                break  # it does not take the hint
    return Proposed(None, tuple(refused))


def accepted(text: str, asked: Asked) -> Goal:
    """Return the goal that a text asks for.

    Raises:
        WorldError: it is refused; the message says why.
    """
    goal = asked.tasks.read(text)
    if goal.key in {example.key for example in examples(asked)}:
        raise WorldError("this is one of the examples", where="task", mend="Ask for something new.")
    size, most = len(goal.predicates), asked.state.horizon
    if size > most:
        raise WorldError(
            f"this asks for {size} things", where="task", mend=f"Ask for {most} at most for now."
        )
    if is_repeated(asked.state, asked.start, goal):
        raise WorldError("this was asked here before and done", where="task", mend="Ask for something new.")
    if asked.is_solvable is not None and not asked.is_solvable(goal):
        raise WorldError("no way to do this was found", where="task", mend="Ask for something easier.")
    return Goal(text, goal.predicates)


def examples(asked: Asked) -> list[Goal]:
    """Return tasks of this place that show how one is written: of one, two and three predicates, up to the horizon.

    They name what is there, since what an example names is what a small model asks for.
    """
    rng = Random(asked.start)
    drawn = (
        draw_task(asked.tasks, size, rng) for size in range(1, min(asked.state.horizon, MOST_IN_EXAMPLES) + 1)
    )
    return [goal for goal in drawn if goal is not None]


def prompt(asked: Asked, refused: Sequence[Refusal] = ()) -> str:
    """Return what the model is asked: what there is, what was done and what failed, and what was refused just now."""
    state = asked.state
    lines: list[str] = []
    if state.solved:
        lines += ["Tasks that were done in other places:", *(f"- {text}" for text in state.solved), ""]
    if state.failed:
        lines += ["Tasks that failed in other places:", *(f"- {text}" for text in state.failed), ""]
    # Last, since small models name what they read last.
    lines += [asked.tasks.describe(), ""]
    parts = "one thing" if state.horizon == 1 else f"up to {state.horizon} things"
    lines.append(
        f"Propose one new task in one sentence. It asks for {parts} to be true in the end, neither too easy nor too hard."
    )
    lines += [f"Task: {example.text}" for example in examples(asked)]
    for refusal in refused:
        lines.append(f"Task: {refusal.text}\nThis was refused: {refusal.reason}")
    return "\n".join([*lines, "Task:"])
