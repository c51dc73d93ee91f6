"""Examples that teach a language-model agent to do what it did when that went well: its own prompts, and the actions taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from worldschool.agents.language.prompt import Story, Turn
from worldschool.records import Episode, Example

TASK = "acting"
ALL = 1 << 30
"""No bound: what is too long for the model is left out by fine-tuning, with a count."""


def acting_examples(episodes: Iterable[Episode]) -> Iterator[Example]:
    """Yield an example for each action of episodes that reached their goal: the agent's prompt at that moment, and the action.

    Actions that failed or changed nothing, as far as events tell, are told as having been done, and not learned. (Imitating one's own
    successes: rejection sampling, as in Zelikman et al. 2022, arXiv:2203.14465, for answers.)
    """
    for episode in episodes:
        if episode.success:
            yield from _of(episode)


def _of(episode: Episode) -> Iterator[Example]:
    story = Story(episode.goal, seen=episode.initial_observation.strip())
    for number, step in enumerate(episode.steps):
        if not step.events or any(event.succeeded for event in step.events):
            yield Example(
                example_id=f"{TASK}-{episode.episode_id}-{number}",
                task=TASK,
                prompt=f"{story.prompt(ALL, lambda texts: [0] * len(texts))}Action:",
                completion=f" {step.action}\n",
                answer=step.action,
                split=episode.split,
                episode_id=episode.episode_id,
                builder=TASK,
                builder_version=1,
                seed=episode.seed,
            )
        story.turns.append(Turn(story.seen, step.action))
        story.seen = step.observation.strip()
