"""Writes a catalogue: products and goals as they come, in batches, so that memory does not grow with their number."""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from worldschool.canonical import canonical_json
from worldschool.envs.shop.catalogue.columns import (
    GOALS,
    ID,
    IDS,
    LONGEST_ID,
    ORDER,
    PRODUCTS,
    batch_of,
    row_of_goal,
    row_of_product,
)
from worldschool.envs.shop.goals import GoalTemplate, ShopGoal
from worldschool.envs.shop.products import Product
from worldschool.errors import OutputError, WorldError
from worldschool.files import sync_directory, write_json
from worldschool.records import SPLITS
from worldschool.version import __version__

SCHEMA = "worldschool.shop-catalogue/1"
DESCRIPTION = "catalogue.json"
BATCH = 64
"""Rows of a record batch; the last one has fewer. The first product of a batch that is read costs reading all of it."""


def write_catalogue(
    folder: Path,
    products: Iterable[Product],
    goals: Iterable[ShopGoal | GoalTemplate],
    about: Mapping[str, Any],
    price: Callable[[Product], float],
    order: Callable[[int], NDArray[np.int64]] | None,
) -> None:
    """Write a catalogue into a folder that is not there yet, or is empty; see `Catalogue.write`."""
    check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        content = hashlib.sha256()
        ids = _write_products(temporary / "products.arrow", products, price, content)
        if not len(ids):
            raise WorldError("there is no product", where=str(folder), mend="Give one at least.")
        rows, count = _write_goals(temporary / "goals.arrow", goals, ids, content)
        if order is not None:
            places = order(count)
            content.update(places.astype("<i8").tobytes())
            _write(
                temporary / "order.arrow",
                ORDER,
                [pa.record_batch([pa.array(places, pa.int64())], schema=ORDER)],
            )
        _write_ids(temporary / "ids.arrow", ids)
        description = {
            "schema": SCHEMA,
            "products": len(ids),
            "goals": count,
            "goal_rows": rows,
            "ordered": order is not None,
            "digest": content.hexdigest(),
            "files": {path.name: path.stat().st_size for path in sorted(temporary.iterdir())},
            "about": dict(about),
            "worldschool": __version__,
        }
        write_json(temporary / DESCRIPTION, description)
        temporary.chmod(0o755)
        try:
            temporary.rename(folder)
        except OSError as error:
            raise OutputError(
                f"the folder cannot be made ({error})", where=str(folder), mend="Name a new folder."
            ) from None
        sync_directory(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_new(folder: Path) -> None:
    """Check that a folder is not there yet, or is empty.

    Raises:
        OutputError: it is not so.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            "there is something here already",
            where=str(folder),
            mend="Name a new folder, or remove this one.",
        )


def _write_products(
    path: Path, products: Iterable[Product], price: Callable[[Product], float], content: Any
) -> NDArray[Any]:
    """Write products.arrow; returns the ids in the order of the rows, as bytes."""
    found: list[NDArray[Any]] = [np.zeros(0, "S1")]

    def rows() -> Iterable[dict[str, Any]]:
        for product in products:
            _check(product)
            try:
                row = row_of_product(product, price(product))
            except (TypeError, ValueError, AttributeError) as error:
                raise WorldError(
                    f"a field is of another type ({error})",
                    where=f"product {product.asin!r}",
                    mend="Give it as worldschool.envs.shop.products describes it.",
                ) from None
            if not math.isfinite(row["price"]):
                raise WorldError(
                    f"found {row['price']}", where=f"product {product.asin!r}: price", mend="Give dollars."
                )
            yield row

    def batches() -> Iterable[pa.RecordBatch]:
        for batch in _batches(rows(), PRODUCTS, "product", content):
            found.append(
                np.array([asin.encode() for asin in batch.column("asin").to_pylist()], dtype=np.bytes_)
            )
            yield batch

    _write(path, PRODUCTS, batches())
    return np.concatenate(found)


def _write_goals(
    path: Path, goals: Iterable[ShopGoal | GoalTemplate], ids: NDArray[Any], content: Any
) -> tuple[int, int]:
    """Write goals.arrow; returns its rows, and how many goals these stand for."""
    rows = count = 0

    def described() -> Iterable[dict[str, Any]]:
        nonlocal rows, count
        for goal in goals:
            _check_goal(goal, ids)
            rows += 1
            count += goal.combinations if isinstance(goal, GoalTemplate) else 1
            yield row_of_goal(goal)

    _write(path, GOALS, _batches(described(), GOALS, "goal of product", content))
    return rows, count


def _write_ids(path: Path, ids: NDArray[Any]) -> None:
    """Write ids.arrow, sorted; no two may be alike."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    alike = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(alike):
        one, other = order[alike[0]], order[alike[0] + 1]
        raise WorldError(
            f"rows {one} and {other} have one id",
            where=f"product {ordered[alike[0]].decode()!r}: asin",
            mend="Leave one of them out.",
        )
    padded = pa.py_buffer(ordered.astype(f"S{LONGEST_ID}").tobytes())
    column = pa.FixedSizeBinaryArray.from_buffers(IDS.field("asin").type, len(ordered), [None, padded])
    _write(path, IDS, [pa.record_batch([column, pa.array(order, pa.int64())], schema=IDS)])


def _batches(
    rows: Iterable[dict[str, Any]], schema: pa.Schema, what: str, content: Any
) -> Iterable[pa.RecordBatch]:
    """Gather rows into batches; `content` hashes every row."""
    gathered: list[dict[str, Any]] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == BATCH:
            yield _hashed(gathered, schema, what, content)
            gathered = []
    if gathered:
        yield _hashed(gathered, schema, what, content)


def _hashed(rows: list[dict[str, Any]], schema: pa.Schema, what: str, content: Any) -> pa.RecordBatch:
    batch = batch_of(rows, schema, what)
    for row in rows:
        content.update(canonical_json(row).encode())
        content.update(b"\n")
    return batch


def _write(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _check(product: Product) -> None:
    asin = product.asin
    where = f"product {asin!r:.80}"
    if not isinstance(asin, str) or not ID.fullmatch(asin):
        raise WorldError(
            "this is no id",
            where=f"{where}: asin",
            mend=f"Give 1 to {LONGEST_ID} capitals, digits, '.', '_' and '-', a capital or digit first.",
        )
    for one in product.prices:
        if isinstance(one, bool) or not isinstance(one, (int, float)) or not math.isfinite(one) or one < 0:
            raise WorldError(f"found {one!r}", where=f"{where}: prices", mend="Give dollars, at least 0.")


def _check_goal(goal: ShopGoal | GoalTemplate, ids: NDArray[Any]) -> None:
    if not 0 <= goal.row < len(ids) or ids[goal.row] != goal.asin.encode("utf-8", "replace"):
        raise WorldError(
            f"row {goal.row} is not this product",
            where=f"goal of product {goal.asin!r:.80}: row",
            mend="Give the product's row.",
        )
    if goal.split is not None and goal.split not in SPLITS:
        raise WorldError(
            f"found {goal.split!r}",
            where=f"goal of product {goal.asin!r}: split",
            mend=f"Accepted: {', '.join(SPLITS)}, None.",
        )
    for name, value in (("price_upper", goal.price_upper), ("weight", goal.weight)):
        if not math.isfinite(value) or value < 0:
            raise WorldError(
                f"found {value!r}",
                where=f"goal of product {goal.asin!r}: {name}",
                mend="Give a number from 0.",
            )
