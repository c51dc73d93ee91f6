"""Activities and splits: what a model is asked about in held-out houses, it was not told about in training ones."""

from __future__ import annotations

from worldschool.experience.builders.base import Skipped
from worldschool.records import Episode
from worldschool.splits import split_of_activity

OTHER_SPLIT = Skipped("its activity belongs to another split")


def of_another_split(episode: Episode) -> bool:
    """Return whether an episode's goal is drawn from an activity of another split than the episode's.

    The household draws none such; worlds that do not split their activities may.
    """
    return episode.activity is not None and split_of_activity(episode.activity) != episode.split
