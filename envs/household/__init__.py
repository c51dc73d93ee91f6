"""The household: rooms, furniture, things and several characters."""

from worldschool.envs.household.config import HouseholdConfig
from worldschool.envs.household.env import HouseholdEnv
from worldschool.envs.household.houses import split_of_rooms
from worldschool.envs.household.vocabulary import CHARACTERS, FURNITURE, OBJECTS, ROOMS, phrase

__all__ = [
    "CHARACTERS",
    "FURNITURE",
    "OBJECTS",
    "ROOMS",
    "HouseholdConfig",
    "HouseholdEnv",
    "phrase",
    "split_of_rooms",
]
