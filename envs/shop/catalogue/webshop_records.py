"""One record of WebShop's files at a time: checked, and read as WebShop reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from worldschool.envs.shop.catalogue.columns import ID
from worldschool.envs.shop.products import NO_ATTRIBUTES, Product, prices_of
from worldschool.errors import WorldError

LONGEST_ASIN = 10
"""Characters of an id; WebShop leaves out products with a longer one."""


class Asked(NamedTuple):
    """What the attribute file has of a product.

    Attributes:
        attributes: None: it has none.
        instruction: of synthetic goals; None: there are none.
        wanted: the attributes that they ask for.
    """

    attributes: tuple[str, ...] | None
    instruction: str | None
    wanted: tuple[str, ...]


class Instruction(NamedTuple):
    """What somebody wrote for a product, and the attributes and values of options that it asks for."""

    text: str
    attributes: tuple[str, ...]
    options: tuple[str, ...]


class Record:
    """A JSON object, and where it stands.

    Args:
        value: the object, as read.
        where: file and product, as errors name them.

    Raises:
        WorldError: it is no object.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise WorldError(f"found {_short(value)}", where=where, mend="Give an object.")
        self._value, self._where = value, where

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; `default` where it is missing, null or not a number (as tables write what is missing)."""
        value = self.get(name)
        if value is None and default is not None:
            return default
        return self.checked_text(value, name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.get(name)
        if not isinstance(value, list):
            raise self.wrong(name, value, "a list of texts")
        return tuple(intern(self.checked_text(one, name)) for one in value)

    def get(self, name: str) -> Any:
        """Return a value; None where it is missing, null or not a number."""
        value = self._value.get(name)
        return None if isinstance(value, float) and math.isnan(value) else value

    def checked_text(self, value: Any, name: str) -> str:
        """Return a text whose halves of characters, which no file can hold, are replaced by U+FFFD."""
        if not isinstance(value, str):
            raise self.wrong(name, value, "a text")
        return (
            value
            if value.isascii()
            else value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        )

    def wrong(self, name: str, value: Any, wanted: str) -> WorldError:
        """Return the error that a field is not what it should be."""
        found = "this field is missing" if value is None else f"found {_short(value)}"
        return WorldError(
            found,
            where=f"{self._where}: {name}",
            mend=f"Give {wanted}, or take this product out of the file.",
        )


def product_of(value: Any, path: Path, place: int, asked: Mapping[str, Asked]) -> Product | None:
    """Return the product of an element of items_shuffle.json.

    Args:
        value: the element, and `place` its number in the file, from 0.
        path: the file.
        asked: id to what the attribute file has.

    Returns:
        None for what WebShop leaves out: an id "nan" or of more than 10 characters.

    Raises:
        WorldError: a field is missing or malformed where WebShop would fail, too; file, product and field are named.
    """
    unnamed = Record(value, f"{path}: element {place}")
    asin = unnamed.text("asin")
    if asin == "nan" or len(asin) > LONGEST_ASIN:
        return None
    if not ID.fullmatch(asin):
        raise unnamed.wrong("asin", asin, "an id of capitals and digits")
    record = Record(value, f"{path}: product {asin!r}")
    options, images = _options(record)
    attributes = asked[asin].attributes if asin in asked else None
    return Product(
        asin=asin,
        title=record.text("name"),
        description=record.text("full_description", ""),
        bullets=_bullets(record),
        prices=_prices(record),
        category=record.text("category"),
        query=record.text("query").lower().strip(),
        product_category=record.text("product_category"),
        attributes=NO_ATTRIBUTES if attributes is None else attributes,
        options=options,
        image=_image(record),
        option_images=images,
    )


def asked_of(asin: str, value: Any, path: Path) -> Asked:
    """Return what a member of items_ins_v2.json asks for.

    Raises:
        WorldError: a field is malformed.
    """
    record = Record(value, f"{path}: product {asin!r}")
    attributes = None if record.get("attributes") is None else record.texts("attributes")
    if record.get("instruction") is None:
        return Asked(attributes, None, ())
    wanted = record.texts("instruction_attributes")
    if not wanted:
        raise record.wrong("instruction_attributes", [], "one attribute at least")
    return Asked(attributes, record.text("instruction"), wanted)


def instructions_of(asin: str, value: Any, path: Path) -> tuple[Instruction, ...]:
    """Return the instructions of a member of items_human_ins.json.

    Raises:
        WorldError: a field is missing or malformed.
    """
    where = f"{path}: product {asin!r}"
    if not isinstance(value, list):
        raise WorldError(f"found {_short(value)}", where=where, mend="Give a list of instructions.")
    records = [Record(one, f"{where}, instruction {number}") for number, one in enumerate(value)]
    return tuple(
        Instruction(
            one.text("instruction"), one.texts("instruction_attributes"), one.texts("instruction_options")
        )
        for one in records
    )


def _bullets(record: Record) -> tuple[str, ...]:
    value = record.get("small_description")
    if value is None:
        return ()
    if isinstance(value, str):
        return (record.checked_text(value, "small_description"),)
    return record.texts("small_description")


def _prices(record: Record) -> tuple[float, ...]:
    value = record.get("pricing")
    try:
        prices = prices_of(value if not value else record.checked_text(value, "pricing"))
    except ValueError:
        prices = ()
    if not prices or not all(math.isfinite(price) for price in prices):
        raise record.wrong("pricing", value, 'dollars ("$12.99", "$5 - $9") or nothing')
    return prices[:2]


def _options(record: Record) -> tuple[dict[str, tuple[str, ...]], dict[str, str | None]]:
    """Return option name to its values, and value to its picture."""
    value = record.get("customization_options")
    options: dict[str, tuple[str, ...]] = {}
    images: dict[str, str | None] = {}
    if not value:
        return options, images
    if not isinstance(value, dict):
        raise record.wrong("customization_options", value, "an object of option name to its values")
    for name, contents in value.items():
        if contents is None:
            continue
        field = f"customization_options: {name}"
        if not isinstance(contents, list) or not all(isinstance(one, dict) for one in contents):
            raise record.wrong(field, contents, "a list of objects")
        values = []
        for one in contents:
            text = (
                record.checked_text(one.get("value"), f"{field}: value").strip().replace("/", " | ").lower()
            )
            image = one.get("image")
            images[text] = record.checked_text(image, f"{field}: image") if image is not None else None
            values.append(text)
        options[record.checked_text(name, "customization_options").lower()] = tuple(values)
    return options, images


def _image(record: Record) -> str:
    value = record.get("images")
    if not value:
        return ""
    if not isinstance(value, list):
        raise record.wrong("images", value, "a list of URLs")
    return "" if value[0] is None else record.checked_text(value[0], "images")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
