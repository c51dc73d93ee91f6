"""The shop's settings: the keywords of ShopEnv, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from worldschool.envs.settings import build_settings, check_choice, check_count
from worldschool.envs.shop.search.engines import ENGINES, Engine
from worldschool.errors import WorldError
from worldschool.records import SPLITS, Split

WORLD = "Shop"
ObservationMode: TypeAlias = Literal["text", "text_rich", "html", "url"]
Compat: TypeAlias = Literal["webshop"] | None
OBSERVATION_MODES: tuple[str, ...] = ("text", "text_rich", "html", "url")


@dataclass(frozen=True)
class ShopConfig:
    """Which shop, what is asked there, and what is seen.

    Raises:
        WorldError: a value is not accepted.
    """

    products: int = 1000
    """Products of the generated catalogue."""
    catalogue_seed: int = 0
    """Which generated catalogue."""
    catalogue: str | None = None
    """A folder with a catalogue (docs/shop.md) in place of the generated one."""
    compat: Compat = None
    """"webshop" keeps what is odd in WebShop (docs/shop.md lists it); None mends it."""
    engine: Engine = "webshop"
    """How products are found: "webshop" ranks as WebShop does; "tantivy" is for millions (extra `tantivy`)."""
    observation_mode: str = "text"
    """"text": the page on one line; "text_rich": on lines, what can be clicked marked; "html"; "url"."""
    split: Split = "train"
    """Which goals are drawn; no product and no combination of attributes is wanted in two splits."""
    max_steps: int = 30
    """Steps after which an episode is truncated, at least 1."""
    show_attributes: bool = False
    """Whether product pages have a button for the product's attributes."""
    info_legal: bool = False
    """Whether info carries "legal_actions"."""

    def __post_init__(self) -> None:
        check_choice(WORLD, "split", self.split, SPLITS)
        check_choice(WORLD, "observation_mode", self.observation_mode, OBSERVATION_MODES)
        check_choice(WORLD, "compat", self.compat, (None, "webshop"))
        check_choice(WORLD, "engine", self.engine, tuple(ENGINES))
        check_count(WORLD, "products", self.products, 1)
        check_count(WORLD, "catalogue_seed", self.catalogue_seed, 0)
        check_count(WORLD, "max_steps", self.max_steps, 1)
        check_choice(WORLD, "show_attributes", self.show_attributes, (False, True))
        check_choice(WORLD, "info_legal", self.info_legal, (False, True))
        if self.catalogue is not None and not isinstance(self.catalogue, str):
            raise WorldError(f"found {self.catalogue!r}", where="Shop: catalogue", mend="Name a folder.")

    @classmethod
    def build(cls, settings: Mapping[str, Any]) -> ShopConfig:
        """Return the settings, checked.

        Raises:
            WorldError: a setting is unknown or its value not accepted.
        """
        return build_settings(cls, WORLD, settings)

    def to_json(self) -> dict[str, Any]:
        """Return every setting as plain JSON values."""
        return dataclasses.asdict(self)
