"""The columns of a catalogue on disk, and how products and goals become rows of them and are made of rows again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from worldschool.envs.shop.goals import GoalOptions, GoalTemplate, ShopGoal
from worldschool.envs.shop.products import Product, Review
from worldschool.errors import WorldError

LONGEST_ID = 32
ID = re.compile(rf"[A-Z0-9][A-Z0-9._-]{{0,{LONGEST_ID - 1}}}")
"""A product's id. Shoppers write it in any case and addresses contain it."""
_TEXT, _NUMBER, _COUNT = pa.large_string(), pa.float64(), pa.int64()


def _list(of: pa.DataType) -> pa.DataType:
    return pa.large_list(_field("item", of))


def _records(**fields: pa.DataType) -> pa.DataType:
    return _list(pa.struct([_field(name, of) for name, of in fields.items()]))


def _field(name: str, of: pa.DataType) -> pa.Field:
    """Return a column that is never null, or one that may be: written "name?"."""
    return pa.field(name.removesuffix("?"), of, nullable=name.endswith("?"))


PRODUCTS = pa.schema(
    [
        _field("asin", _TEXT),
        _field("title", _TEXT),
        _field("description", _TEXT),
        _field("bullets", _list(_TEXT)),
        _field("prices", _list(_NUMBER)),
        _field("price", _NUMBER),
        _field("category", _TEXT),
        _field("query", _TEXT),
        _field("product_category", _TEXT),
        _field("attributes", _list(_TEXT)),
        _field("options", _records(name=_TEXT, values=_list(_TEXT))),
        _field("image", _TEXT),
        _field("option_images", _records(**{"value": _TEXT, "image?": _TEXT})),
        _field("rating", _TEXT),
        _field("reviews", _records(title=_TEXT, score=_TEXT, body=_TEXT)),
        _field("nouns?", _list(_TEXT)),
    ]
)
"""A product: the fields of `Product`, and `price`, what it costs. nouns is null where they are not known."""
GOALS = pa.schema(
    [
        _field("asin", _TEXT),
        _field("row", _COUNT),
        _field("category?", _TEXT),
        _field("query?", _TEXT),
        _field("name?", _TEXT),
        _field("product_category?", _TEXT),
        _field("instruction", _TEXT),
        _field("attributes", _list(_TEXT)),
        _field("options?", _records(**{"name?": _TEXT, "value": _TEXT})),
        _field("price_upper", _NUMBER),
        _field("weight", _NUMBER),
        _field("split?", _TEXT),
        _field("combinations?", _COUNT),
    ]
)
"""A goal: the fields of `ShopGoal`; an option's name is null where only a value is wanted.

A `GoalTemplate` is a row with `combinations`; category, query, name, product_category and options are then null.
"""
IDS = pa.schema([_field("asin", pa.binary(LONGEST_ID)), _field("row", _COUNT)])
"""The products' ids, sorted, padded with zero bytes, and the row of each."""
ORDER = pa.schema([_field("place", _COUNT)])
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
        WorldError: a field is of another type, missing or not UTF-8; `what` the rows are is named ("product").
    """
    try:
        return pa.record_batch(
            [_column(field, [row[field.name] for row in rows]) for field in schema], schema=schema
        )
    except _NOT_STORED:
        for row in rows:
            for field in schema:
                try:
                    _column(field, [row[field.name]])
                except _NOT_STORED as error:
                    raise WorldError(
                        f"found {str(row[field.name])!r:.60} ({error})",
                        where=f"{what} {row['asin']!r}: {field.name}",
                        mend="Give it as worldschool.envs.shop.products and goals describe it, in valid Unicode.",
                    ) from None
        raise


_NOT_STORED = (pa.ArrowException, TypeError, ValueError, OverflowError)


def _column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    column = pa.array(values, field.type)
    if _has_wrong_null(column, field):
        raise ValueError("None where there has to be a value")
    return column


def _has_wrong_null(column: pa.Array, field: pa.Field) -> bool:
    if column.null_count and not field.nullable:
        return True
    if pa.types.is_large_list(field.type):
        return _has_wrong_null(column.flatten(), field.type.value_field)
    if pa.types.is_struct(field.type):
        return any(
            _has_wrong_null(column.field(n), field.type.field(n)) for n in range(field.type.num_fields)
        )
    return False
