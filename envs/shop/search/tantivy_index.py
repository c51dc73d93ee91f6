"""Search by Tantivy, for catalogues of millions (extra `tantivy`)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.shop.search.analyzer import terms_of
from worldschool.errors import WorldError
from worldschool.files import read_json, write_json

FORMAT = "worldschool.shop-tantivy/1"
MEMORY = 256_000_000
"""Bytes that Tantivy may use while it indexes."""


class TantivyIndex:
    """Products ranked by Tantivy's BM25 over the terms of `analyzer.terms_of`.

    Products of equal score are in the order of their rows, as far as they are among twice as many as were asked for.

    Args:
        folder: of Tantivy's files.
        temporary: whether the folder goes with this object.
    """

    FORMAT: ClassVar[str] = FORMAT

    def __init__(self, folder: Path, temporary: bool = False) -> None:
        self.folder = folder
        self._temporary = temporary
        self._schema = _schema()
        self._searcher = _tantivy().Index(self._schema, path=str(folder), reuse=True).searcher()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def __del__(self) -> None:
        if getattr(self, "_temporary", False):
            shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def build(cls, texts: Iterable[str], ids: Sequence[str]) -> Self:
        """Index one text for each product, in a temporary folder until it is saved. `ids` are not needed."""
        tantivy = _tantivy()
        folder = Path(tempfile.mkdtemp(prefix="worldschool-tantivy-"))
        writer = tantivy.Index(_schema(), path=str(folder)).writer(MEMORY, 1)
        for row, text in enumerate(texts):
            document = tantivy.Document()
            document.add_text("body", " ".join(terms_of(text)))
            document.add_integer("row", row)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        return cls(folder, temporary=True)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a saved index.

        Raises:
            WorldError: there is no index of this format, or Tantivy is not installed.
        """
        try:
            described = read_json(folder / "index.json", what="a search index")
            if described.get("schema") != FORMAT:
                raise ValueError(f"schema {described.get('schema')!r}")
            return cls(folder / "tantivy")
        except (OSError, ValueError) as error:
            raise WorldError(
                f"this is no search index of format {FORMAT} ({error})",
                where=str(folder),
                mend="Remove the folder; the index is built again from the catalogue.",
            ) from None

    def save(self, folder: Path) -> None:
        """Write the index into a folder; index.json comes last, so that what was interrupted is not opened."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(
            self.folder, folder / "tantivy", ignore=shutil.ignore_patterns("*.lock"), dirs_exist_ok=True
        )
        write_json(folder / "index.json", {"schema": FORMAT, "documents": len(self)})

    def search(self, query: str, limit: int = 50) -> NDArray[np.int32]:
        """Return the rows of the products that a query finds, best first, at most `limit`."""
        tantivy = _tantivy()
        terms = dict.fromkeys(terms_of(query))
        if not terms:
            return np.zeros(0, np.int32)
        wanted = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "body", term, "freq"))
            for term in terms
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(wanted), 2 * limit).hits
        rows = np.array(self._searcher.fast_field_values("row", [place for _, place in hits]), np.int32)
        scores = np.array([score for score, _ in hits], np.float32)
        return rows[np.lexsort((rows, -scores))][:limit]


def _schema() -> Any:
    builder = _tantivy().SchemaBuilder()
    builder.add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("row", stored=False, fast=True, indexed=False)
    return builder.build()


def _tantivy() -> Any:
    try:
        import tantivy
    except ImportError:
        raise WorldError(
            "Tantivy is not installed", where="Shop: engine", mend="pip install 'worldschool[tantivy]'"
        ) from None
    return tantivy
