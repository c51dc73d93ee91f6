"""Simulated worlds with the Gymnasium API. Importing this registers them: `gymnasium.make("worldschool/Household-v0")`."""

from worldschool.envs.world import WORLDS, World, WorldSpec, make, register_worlds, world_class

register_worlds()

__all__ = ["WORLDS", "World", "WorldSpec", "make", "register_worlds", "world_class"]
