"""The columns of a catalogue on disk, and how products and goals become rows of them and are made of rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from worldschool.envs.shop.goals import GoalOptions, GoalTemplate, ShopGoal
from worldschool.envs.shop.products import Product, Review
from worldschool.errors import WorldError

_TEXT = pa.large_string()
_TEXTS = pa.large_list(_TEXT)


def _records(*fields: str) -> pa.DataType:
    return pa.large_list(pa.struct([(field, _TEXT) for field in fields]))


PRODUCTS = pa.schema(
    [
        ("asin", _TEXT),
        ("title", _TEXT),
        ("description", _TEXT),
        ("bullets", _TEXTS),
        ("prices", pa.large_list(pa.float64())),
        ("price", pa.float64()),
        ("category", _TEXT),
        ("query", _TEXT),
        ("product_category", _TEXT),
        ("attributes", _TEXTS),
        ("options", pa.large_list(pa.struct([("name", _TEXT), ("values", _TEXTS)]))),
        ("image", _TEXT),
        ("option_images", _records("value", "image")),
        ("rating", _TEXT),
        ("reviews", _records("title", "score", "body")),
        ("nouns", _TEXTS),
    ]
)
"""A product: the fields of `Product`, and `price`, what it costs. nouns is null where they are not known."""
GOALS = pa.schema(
    [
        ("asin", _TEXT),
        ("row", pa.int64()),
        ("category", _TEXT),
        ("query", _TEXT),
        ("name", _TEXT),
        ("product_category", _TEXT),
        ("instruction", _TEXT),
        ("attributes", _TEXTS),
        ("options", _records("name", "value")),
        ("price_upper", pa.float64()),
        ("weight", pa.float64()),
        ("split", _TEXT),
        ("combinations", pa.int64()),
    ]
)
"""A goal: the fields of `ShopGoal`; an option's name is null where only a value is wanted.

A `GoalTemplate` is a row with `combinations`; category, query, name, product_category and options are then null.
"""
IDS = pa.schema([("row", pa.int64())])
"""The products' rows in the order of their ids: beside a column `asin` of fixed width, UTF-8, padded with zero bytes."""
ORDER = pa.schema([("place", pa.int64())])
"""Of each goal's number, its place in the order in which goals.arrow has them."""


def row_of_product(product: Product, price: float) -> dict[str, Any]:
    """Return a product as a row of `PRODUCTS`."""
    return {
        "asin": product.asin,
        "title": product.title,
        "description": product.description,
        "bullets": list(product.bullets),
        "prices": [float(one) for one in product.prices],
        "price": float(price),
        "category": product.category,
        "query": product.query,
        "product_category": product.product_category,
        "attributes": list(product.attributes),
        "options": [{"name": name, "values": list(values)} for name, values in product.options.items()],
        "image": product.image,
        "option_images": [{"value": value, "image": image} for value, image in product.option_images.items()],
        "rating": product.rating,
        "reviews": [{"title": title, "score": score, "body": body} for title, score, body in product.reviews],
        "nouns": None if product.nouns is None else list(product.nouns),
    }


def product_of_row(row: Mapping[str, Any]) -> Product:
    """Return the product of a row of `PRODUCTS`."""
    return Product(
        asin=row["asin"],
        title=row["title"],
        description=row["description"],
        bullets=tuple(row["bullets"]),
        prices=tuple(row["prices"]),
        category=row["category"],
        query=row["query"],
        product_category=row["product_category"],
        attributes=tuple(row["attributes"]),
        options={one["name"]: tuple(one["values"]) for one in row["options"]},
        image=row["image"],
        option_images={one["value"]: one["image"] for one in row["option_images"]},
        rating=row["rating"],
        reviews=tuple(Review(one["title"], one["score"], one["body"]) for one in row["reviews"]),
        nouns=None if row["nouns"] is None else tuple(row["nouns"]),
    )


def row_of_goal(goal: ShopGoal | GoalTemplate) -> dict[str, Any]:
    """Return a goal, or the template of many, as a row of `GOALS`."""
    row: dict[str, Any] = dict.fromkeys(GOALS.names)
    row |= {
        "asin": goal.asin,
        "row": goal.row,
        "instruction": goal.instruction,
        "attributes": list(goal.attributes),
        "price_upper": float(goal.price_upper),
        "weight": float(goal.weight),
        "split": goal.split,
    }
    if isinstance(goal, GoalTemplate):
        return row | {"combinations": goal.combinations}
    return row | {
        "category": goal.category,
        "query": goal.query,
        "name": goal.name,
        "product_category": goal.product_category,
        "options": [{"name": name, "value": value} for name, value in _with_names(goal.options)],
    }


def goal_of_row(row: Mapping[str, Any]) -> ShopGoal | GoalTemplate:
    """Return the goal, or the template of many, of a row of `GOALS`."""
    shared = {name: row[name] for name in ("asin", "row", "instruction", "price_upper", "weight", "split")}
    shared["attributes"] = tuple(row["attributes"])
    if row["combinations"] is not None:
        return GoalTemplate(combinations=row["combinations"], **shared)
    for name in ("category", "query", "name", "product_category"):
        shared[name] = row[name]
    pairs = [(one["name"], one["value"]) for one in row["options"]]
    named = all(name is not None for name, _ in pairs)
    return ShopGoal(options=tuple(pairs) if named else tuple(value for _, value in pairs), **shared)


def _with_names(options: GoalOptions) -> list[tuple[str | None, str]]:
    return [(None, option) if isinstance(option, str) else option for option in options]


def batch_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema, what: str) -> pa.RecordBatch:
    """Return rows as a batch of columns.

    Raises:
        WorldError: a field is of another type or not UTF-8; `what` the rows are is named ("product").
    """
    try:
        return pa.record_batch(
            [pa.array([row[field.name] for row in rows], field.type) for field in schema], schema=schema
        )
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        for row in rows:
            for field in schema:
                try:
                    pa.array([row[field.name]], field.type)
                except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
                    raise WorldError(
                        f"{row[field.name]!r:.80} is no {field.type} ({error})",
                        where=f"{what} {row['asin']!r}: {field.name}",
                        mend="Give the field as worldschool.envs.shop.products and goals describe it, in valid Unicode.",
                    ) from None
        raise
