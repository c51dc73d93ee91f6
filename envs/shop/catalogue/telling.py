"""A catalogue in numbers and in a few lines."""

from __future__ import annotations

from typing import Any

from worldschool.envs.shop.catalogue.catalogue import Catalogue
from worldschool.records import SPLITS


def describe(catalogue: Catalogue) -> dict[str, Any]:
    """Return what a catalogue holds, as plain JSON values."""
    return {
        "path": str(catalogue.folder),
        "products": len(catalogue),
        "goals": len(catalogue.goals),
        "splits": {split: len(catalogue.goals_of(split)) for split in SPLITS},
        "nouns": catalogue.product(0).nouns is not None,
        "digest": catalogue.digest,
        "about": catalogue.description["about"],
    }


def tell_catalogue(catalogue: Catalogue) -> str:
    """Return what a catalogue holds, and one product and goal of it."""
    found, product = describe(catalogue), catalogue.product(0)
    splits = ", ".join(f"{count} {split}" for split, count in found["splits"].items())
    left = found["goals"] - sum(found["splits"].values())
    none = f", {left} in no split" if left else ""
    lines = [
        str(catalogue.folder),
        f"{found['products']} products, {found['goals']} goals ({splits}{none})",
        f"The first product: {product.asin}, {product.title}, {product.price_text}",
    ]
    if found["goals"]:
        lines.append(f"The first goal: {catalogue.goals[0].instruction}")
    if not found["nouns"]:
        lines.append(
            "The nouns of its titles are not stored: shopping there needs spaCy (pip install 'worldschool[spacy]')."
        )
    return "\n".join(lines)
