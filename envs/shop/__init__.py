"""The shop: simulated web shopping with WebShop's task, actions, observations and reward."""

from worldschool.envs.shop.reward import Score
from worldschool.envs.shop.scoring import score

__all__ = ["Score", "score"]
