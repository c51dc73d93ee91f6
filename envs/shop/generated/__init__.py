"""The shop's embedded default: plausible products, goals and pictures of any number, all drawn from a seed."""

from worldschool.envs.shop.generated.goals import generate_goals
from worldschool.envs.shop.generated.hostile import hostile_products
from worldschool.envs.shop.generated.pictures import picture
from worldschool.envs.shop.generated.products import generate, product_at
from worldschool.envs.shop.generated.stored import generated_catalogue

__all__ = ["generate", "generate_goals", "generated_catalogue", "hostile_products", "picture", "product_at"]
