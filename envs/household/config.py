"""The household's settings: the keywords of HouseholdEnv, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worldschool.envs.settings import build_settings, check_choice, check_count
from worldschool.errors import WorldError
from worldschool.records import SPLITS, Split

WORLD = "Household"
# With fewer than two rooms a character could run out of legal actions; above eight, room sets are too few to split.
ROOM_LIMITS = (2, 8)
FURNITURE_LIMITS = (1, 8)
OBJECT_LIMITS = (1, 64)
CHARACTER_LIMITS = (1, 6)
GOAL_LIMITS = (1, 3)


@dataclass(frozen=True)
class HouseholdConfig:
    """What kind of houses, who is in them, what is seen, and what is asked.

    Raises:
        WorldError: a value is not accepted.
    """

    split: Split = "train"
    """Which object classes, character names and room sets are drawn: "train", "validation" or "heldout"."""
    rooms: tuple[int, int] = (3, 5)
    """Least and most rooms in a house, within 2 to 8."""
    furniture: tuple[int, int] = (2, 4)
    """Least and most pieces of furniture in a room, within 1 to 8."""
    objects: tuple[int, int] = (5, 8)
    """Least and most things to carry in a house, within 1 to 64."""
    characters: int = 1
    """How many characters, 1 to 6; the first is the one that acts when control is "self"."""
    control: str = "self"
    """"self": the agent acts the first character, scripts the others. "all": the agent acts each in turn, by name."""
    observe: str = "room"
    """"room": the observer's room. "full": every room."""
    actions: str = "useful"
    """"useful": legal_actions lists the verbs that change what a goal may ask for. "all": looking, reading and such too."""
    max_steps: int = 40
    """Steps after which an episode is truncated, at least 1."""
    goal: str = "none"
    """"none"; "random": reset draws a goal that does not hold yet and can be reached; "activity": it draws one of the
    everyday activities that the house offers (a random goal where it offers none)."""
    goal_size: tuple[int, int] = (1, 2)
    """Least and most predicates of a random goal, within 1 to 3."""
    wording: str = "plain"
    """"plain": observations and goals have one wording. "varied": their wording depends on the state; names stay exact."""
    info_legal: bool = False
    """Whether info carries "legal_actions"."""
    focus: bool = False
    """Whether the house is stripped: one surface a room, one container and one switch in all."""

    def __post_init__(self) -> None:
        check_choice(WORLD, "split", self.split, SPLITS)
        check_choice(WORLD, "control", self.control, ("self", "all"))
        check_choice(WORLD, "observe", self.observe, ("room", "full"))
        check_choice(WORLD, "actions", self.actions, ("useful", "all"))
        check_choice(WORLD, "goal", self.goal, ("none", "random", "activity"))
        check_choice(WORLD, "wording", self.wording, ("plain", "varied"))
        check_count(WORLD, "characters", self.characters, *CHARACTER_LIMITS)
        check_count(WORLD, "max_steps", self.max_steps, 1, 1_000_000)
        for name, limits in (
            ("rooms", ROOM_LIMITS),
            ("furniture", FURNITURE_LIMITS),
            ("objects", OBJECT_LIMITS),
            ("goal_size", GOAL_LIMITS),
        ):
            object.__setattr__(self, name, _checked_range(name, getattr(self, name), *limits))
        for name in ("info_legal", "focus"):
            check_choice(WORLD, name, getattr(self, name), (True, False))

    @classmethod
    def build(cls, settings: Mapping[str, Any]) -> HouseholdConfig:
        """Check keyword arguments and return the configuration.

        Raises:
            WorldError: a keyword is unknown or its value not accepted.
        """
        return build_settings(cls, WORLD, settings)

    def to_json(self) -> dict[str, Any]:
        """Return every setting as plain JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


def _checked_range(field: str, value: Any, low: int, high: int) -> tuple[int, int]:
    is_pair = isinstance(value, list | tuple) and len(value) == 2 and all(type(end) is int for end in value)
    if not is_pair or not low <= value[0] <= value[1] <= high:
        raise WorldError(
            f"found {value!r}",
            where=f"{WORLD}: {field}",
            mend=f"Accepted: two whole numbers, least and most, within {low} to {high}, like [{low}, {high}].",
        )
    return value[0], value[1]
