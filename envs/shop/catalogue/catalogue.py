"""A catalogue of products and goals in Arrow files, mapped into memory: opened in milliseconds, shared by processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.shop.catalogue.columns import GOALS, IDS, LONGEST_ID, ORDER, PRODUCTS, product_of_row
from worldschool.envs.shop.catalogue.goal_view import GoalView
from worldschool.envs.shop.catalogue.indexing import saved_index
from worldschool.envs.shop.catalogue.mapped import MEND, MappedRows, single_batch
from worldschool.envs.shop.catalogue.writing import BATCH, DESCRIPTION, SCHEMA, write_catalogue
from worldschool.envs.shop.goals import GoalTemplate, ShopGoal
from worldschool.envs.shop.prices import price_of
from worldschool.envs.shop.products import Listing, Product, price_text_of
from worldschool.envs.shop.search.engines import Engine, SearchIndex, index_class
from worldschool.errors import UserError, WorldError
from worldschool.files import read_json
from worldschool.records import Split

PRODUCTS_KEPT = 1 << 14
"""Products that an open catalogue keeps in memory as objects, the last used."""


class Catalogue:
    """Products and goals; made by `open` or `write`. What is read of it never changes.

    Args:
        folder: where it is.
        description: its catalogue.json.
    """

    def __init__(self, folder: Path, description: Mapping[str, Any]) -> None:
        self.folder, self.description = folder, description
        self._products = MappedRows(folder / "products.arrow", PRODUCTS, BATCH, len(self))
        self._kept = lru_cache(maxsize=PRODUCTS_KEPT)(self._read)

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Open a catalogue.

        Raises:
            WorldError: there is none of this format, or a file of it is damaged.
        """
        folder = Path(folder)
        try:
            description = read_json(folder / DESCRIPTION, what="a shop's catalogue")
        except UserError as error:
            raise WorldError(
                "there is no catalogue that can be read" if folder.exists() else "there is no such folder",
                where=str(folder),
                mend=f"{error.problem[:1].upper()}{error.problem[1:]}: {DESCRIPTION}."
                if folder.exists()
                else None,
            ) from None
        _check(folder, description)
        return cls(folder, description)

    @classmethod
    def write(
        cls,
        folder: Path | str,
        products: Iterable[Product],
        goals: Iterable[ShopGoal | GoalTemplate] = (),
        about: Mapping[str, Any] | None = None,
        *,
        price: Callable[[Product], float] = price_of,
        order: Callable[[int], NDArray[np.int64]] | None = None,
    ) -> Self:
        """Write a catalogue and open it. The folder appears once it is whole.

        Args:
            folder: one that is not there yet, or is empty.
            products: taken one by one, no two of one id.
            goals: asked for only after the last product was taken. A template stands for all goals of it.
            about: where it comes from; any JSON values.
            price: what a product costs, in dollars.
            order: from how many goals there are, the place among those given of each goal's number; None: as given.

        Raises:
            WorldError: a product or goal cannot be stored; it and the field are named.
            OutputError: the folder holds something.
        """
        write_catalogue(Path(folder), products, goals, about or {}, price, order)
        return cls.open(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.folder,)

    def __len__(self) -> int:
        return int(self.description["products"])

    @property
    def digest(self) -> str:
        """sha256 of every product, price and goal; neither files nor versions count."""
        return str(self.description["digest"])

    def product(self, row: int) -> Product:
        """Return the product of a row, from 0.

        Raises:
            IndexError: there is no such row.
        """
        return self._kept(row)

    def listing(self, row: int) -> Listing:
        """Return what pages of results show of a row's product; a quarter of the work of `product`, and not kept.

        Raises:
            IndexError: there is no such row.
        """
        asin, title, prices = self._products.values(row, ("asin", "title", "prices"))
        return Listing(asin, title, price_text_of(prices))

    def products(self) -> Iterator[Product]:
        """Yield every product in order, none kept in memory."""
        return map(product_of_row, self._products)

    def price(self, row: int) -> float:
        """Return what a row's product costs, in dollars."""
        return float(self._products.value(row, "price"))

    def row_of(self, asin: str) -> int | None:
        """Return the row of a product's id; None: there is none."""
        ids, rows = self._ids
        wanted = asin.encode("utf-8", "replace")
        if not wanted or len(wanted) > ids.dtype.itemsize or wanted.endswith(b"\0"):
            return None
        place = int(np.searchsorted(ids, np.array(wanted, ids.dtype)))
        return int(rows[place]) if place < len(ids) and ids[place] == wanted else None

    @cached_property
    def goals(self) -> GoalView:
        """The goals, each made when it is asked for."""
        rows = MappedRows(self.folder / "goals.arrow", GOALS, BATCH, self.description["goal_rows"])
        count, order = self.description["goals"], None
        if self.description["ordered"]:
            order = single_batch(self.folder / "order.arrow", count, ORDER).column(0).to_numpy()
        return GoalView(rows, self.product, count, order)

    def goals_of(self, split: Split) -> NDArray[np.int64]:
        """Return the numbers of a split's goals, rising."""
        return self.goals.numbers_of(split)

    @cached_property
    def index(self) -> SearchIndex:
        """WebShop's search index: built when it is first asked for, kept beside the catalogue, mapped into memory."""
        return self.index_of("webshop")

    def index_of(self, engine: Engine) -> SearchIndex:
        """Return the index of a search engine (`search.engines.ENGINES`), built and kept like WebShop's.

        Raises:
            WorldError: the engine's package is not installed.
        """
        kind = index_class(engine)
        return saved_index(self.folder, self.digest, kind, lambda: self._build_index(kind))

    def _build_index(self, kind: type[SearchIndex]) -> SearchIndex:
        ids: list[str] = self._products.column("asin").to_pylist()
        return kind.build((product.indexed_text for product in self.products()), ids)

    @cached_property
    def _ids(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The ids, sorted, and the row of each."""
        batch = single_batch(self.folder / "ids.arrow", len(self), IDS)
        ids = np.frombuffer(batch.column(0).buffers()[1], f"S{LONGEST_ID}", len(self))
        return ids, batch.column(1).to_numpy()

    def _read(self, row: int) -> Product:
        return product_of_row(self._products[row])


def _check(folder: Path, description: Any) -> None:
    """Check that a description is of this format, and its files are as large as it says."""
    where = str(folder / DESCRIPTION)
    schema = description.get("schema") if isinstance(description, dict) else None
    if schema != SCHEMA:
        raise WorldError(
            f"schema {schema!r}", where=where, mend=f"This release reads {SCHEMA}; make the catalogue again."
        )
    for name in ("products", "goals", "goal_rows", "ordered", "digest", "files"):
        if not _fits(description.get(name), name):
            raise WorldError(f"found {description.get(name)!r}", where=f"{where}: {name}", mend=MEND)
    files = [
        "products.arrow",
        "goals.arrow",
        "ids.arrow",
        *(["order.arrow"] if description["ordered"] else []),
    ]
    for name in files:
        path = folder / name
        if not path.is_file() or path.stat().st_size != description["files"].get(name):
            raise WorldError("this file is missing or cut short", where=str(path), mend=MEND)


def _fits(value: Any, name: str) -> bool:
    """Return whether a value of catalogue.json can be what it is called."""
    if name in ("products", "goals", "goal_rows"):
        return type(value) is int and value >= 0
    return isinstance(value, {"ordered": bool, "digest": str, "files": dict}[name])
