"""worldschool: language models go to school in simulated worlds.

`import worldschool` gives the records that every room speaks in. The rooms are `worldschool.envs`, `.agents`,
`.models`, `.experience`, `.learners` and `.probes`; none is imported here, so that this import stays light.
"""

from typing import Any

from worldschool.errors import UserError, WorldschoolError
from worldschool.records import (
    Entity,
    Episode,
    Event,
    Example,
    Fact,
    Goal,
    Interval,
    Plan,
    Skill,
    Snapshot,
    Step,
)
from worldschool.version import __version__

__all__ = [
    "AnyText",
    "Entity",
    "Episode",
    "Event",
    "Example",
    "Fact",
    "Goal",
    "Interval",
    "Plan",
    "Skill",
    "Snapshot",
    "Step",
    "UserError",
    "WorldschoolError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # AnyText needs gymnasium, which takes longer to import than all of this package's core.
    if name == "AnyText":
        from worldschool.spaces import AnyText

        return AnyText
    raise AttributeError(f"module 'worldschool' has no attribute {name!r}")
