"""Which items of an evaluation are among the examples that are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from worldschool.errors import DatasetError
from worldschool.experience.questions.shots import answer_spans
from worldschool.records import Example

NAMED = 5
"""Items that the error names; it counts the others."""
ANOTHER_SPLIT = "Probe on examples of another split, or leave these suites out."


class Overlap:
    """Which items are among other examples: the same prompt, alone, behind worked examples or as one, or the same episode.

    Args:
        suites: name to items.
    """

    def __init__(self, suites: Mapping[str, Sequence[Example]]) -> None:
        self._by_prompt: dict[str, list[tuple[str, Example]]] = {}
        self._by_episode: dict[str, list[tuple[str, Example]]] = {}
        self._found: dict[tuple[str, str], None] = {}
        for suite, items in suites.items():
            for item in items:
                # The item itself may stand behind worked examples that the trained-on one was without.
                for prompt in _endings(item.prompt):
                    self._by_prompt.setdefault(prompt, []).append((suite, item))
                self._by_episode.setdefault(item.episode_id, []).append((suite, item))
        self._prompts = {item.prompt for items in suites.values() for item in items}

    def add(self, examples: Iterable[Example]) -> None:
        """Look for the items among these."""
        for example in examples:
            hits = [*self._by_episode.get(example.episode_id, ()), *self._by_prompt.get(example.prompt, ())]
            for asked in (example.prompt, *_worked(example.prompt)):
                for ending in _endings(asked):
                    if ending in self._prompts:
                        hits += self._by_prompt[ending]
            self._found.update({(suite, item.example_id): None for suite, item in hits})

    @property
    def found(self) -> tuple[tuple[str, str], ...]:
        """The suite and id of every item that was found so far, in the order of finding."""
        return tuple(self._found)

    def refuse(self, what: str, where: str, mend: str = ANOTHER_SPLIT) -> None:
        """Raise if an item was found.

        Args:
            what: says what the items are among, behind "items that".
            where: the setting at fault.
            mend: what to do about it.

        Raises:
            DatasetError: the suites and items are named.
        """
        if not self._found:
            return
        suites = sorted({suite for suite, _ in self._found})
        named = ", ".join(item for _, item in list(self._found)[:NAMED])
        more = f" and {len(self._found) - NAMED} more" if len(self._found) > NAMED else ""
        raise DatasetError(
            f"{', '.join(suites)}: items that {what} are asked, {len(self._found)} of them: {named}{more}",
            where=where,
            mend=mend,
        )


def _worked(prompt: str) -> Iterable[str]:
    """Yield what stands before each worked answer in a prompt: that answer may be learned as well as the last."""
    spaces = prompt[len(prompt.rstrip(" ")) :]
    for start, _ in answer_spans(prompt):
        yield prompt[:start] + spaces


def _endings(prompt: str) -> Iterable[str]:
    """Yield a prompt, and what stands in it behind each blank line: worked examples end with one."""
    yield prompt
    start = prompt.find("\n\n")
    while start >= 0:
        yield prompt[start + 2 :]
        start = prompt.find("\n\n", start + 1)
