"""Every kind of product that the generated shop sells."""

from __future__ import annotations

from worldschool.envs.shop.generated.beauty import BEAUTY
from worldschool.envs.shop.generated.electronics import ELECTRONICS
from worldschool.envs.shop.generated.fashion import FASHION
from worldschool.envs.shop.generated.garden import GARDEN
from worldschool.envs.shop.generated.grocery import GROCERY
from worldschool.envs.shop.generated.kinds import Kind

KINDS: tuple[Kind, ...] = (*BEAUTY, *ELECTRONICS, *FASHION, *GARDEN, *GROCERY)
KIND_OF: dict[str, Kind] = {kind.query: kind for kind in KINDS}
"""A product's `query` to its kind."""
