"""The household: rooms, furniture, things and several characters; and VirtualHome's scenes and programs."""

from typing import TYPE_CHECKING, Any

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.houses import split_of_rooms
from worldschool.envs.household.vocabulary import CHARACTERS, FURNITURE, OBJECTS, ROOMS, phrase

if TYPE_CHECKING:
    from worldschool.envs.household.scene.replay import Replay, replay

__all__ = [
    "CHARACTERS",
    "FURNITURE",
    "OBJECTS",
    "ROOMS",
    "HouseholdConfig",
    "HouseholdEnv",
    "Replay",
    "phrase",
    "replay",
    "split_of_rooms",
]


def __getattr__(name: str) -> Any:
    # Replaying brings Numba along, which takes a second to import: only those who replay wait for it.
    if name in ("Replay", "replay"):
        from worldschool.envs.household.scene import replay as module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
