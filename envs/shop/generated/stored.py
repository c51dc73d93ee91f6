"""Generated catalogues in the cache folder: made once, opened ever after."""

from __future__ import annotations

from pathlib import Path

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.generated.goals import generate_goals
from worldschool.envs.shop.generated.products import generate
from worldschool.errors import OutputError, WorldError
from worldschool.files import cache_folder
from worldschool.progress import say

VERSION = 2
"""Of the generator: raised by every change of what it makes, so that no catalogue of an older one is opened."""
TOLD_FROM = 20_000
"""Products from which on the wait is announced."""


def generated_folder(products: int, seed: int) -> Path:
    """Return where the catalogue of so many products of a seed is kept."""
    return cache_folder() / "shop" / f"generated-{VERSION}-{seed}-{products}"


def generated_catalogue(products: int, seed: int) -> Catalogue:
    """Return the catalogue of so many products of a seed; the first call makes it, 5,000 products a second.

    Processes that make it at the same time do not disturb each other: a catalogue is there once it is whole.

    Raises:
        WorldError: the number of products is below 1, or the seed below 0; or what the cache holds is damaged.
        OutputError: the cache folder cannot be written to.
    """
    for name, value, least in (("products", products, 1), ("catalogue_seed", seed, 0)):
        if value < least:
            raise WorldError(
                f"found {value}", where=f"shop: {name}", mend=f"Give a whole number of at least {least}."
            )
    folder = generated_folder(products, seed)
    if not folder.exists():
        about = {
            "generator": "worldschool.envs.shop.generated",
            "version": VERSION,
            "products": products,
            "seed": seed,
        }
        if products >= TOLD_FROM:
            say(f"Making a catalogue of {products:,} products, which is done once: {folder}")
        try:
            return Catalogue.write(folder, generate(products, seed), generate_goals(products, seed), about)
        except OutputError:
            if not folder.exists():
                raise
            # Another process was faster.
    try:
        return Catalogue.open(folder)
    except WorldError as error:
        raise WorldError(
            error.problem, where=str(folder), mend="Remove this folder: the catalogue will be made again."
        ) from None
