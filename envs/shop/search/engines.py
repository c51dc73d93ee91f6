"""What a shop's search is, and the table of engines.

"webshop" ranks as WebShop does. "tantivy" is a library for millions of products: BM25 over the same terms with its own
constants (k1 1.2, b 0.75), so that other products come first; it skips what cannot be among the best.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Literal, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Engine: TypeAlias = Literal["webshop", "tantivy"]
ENGINES: dict[Engine, str] = {
    "webshop": "worldschool.envs.shop.search.bm25:BM25Index",
    "tantivy": "worldschool.envs.shop.search.tantivy_index:TantivyIndex",
}
"""Name to "module:Class" of a `SearchIndex`."""


class SearchIndex(Protocol):
    """An index of one text for each product; built once, saved, opened by many processes."""

    FORMAT: ClassVar[str]
    """The schema of its files, "worldschool.shop-NAME/VERSION"."""

    @classmethod
    def build(cls, texts: Iterable[str], ids: Sequence[str]) -> Self:
        """Index texts; `ids` are the products', in the same order, no two alike."""
        ...

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a saved index.

        Raises:
            WorldError: there is none of this format.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        ...

    def search(self, query: str, limit: int = 50) -> NDArray[np.int32]:
        """Return the rows of the products that a query finds, best first, at most `limit`; the same in every process."""
        ...


def index_class(engine: Engine) -> type[SearchIndex]:
    """Return the class of an engine's index."""
    module, name = ENGINES[engine].split(":")
    found: type[SearchIndex] = getattr(importlib.import_module(module), name)
    return found
