"""WebShop's ranking: BM25 as Lucene 8 computes it under Anserini's settings, from impacts worked out beforehand.

    score(q, d) = sum over terms of q   w - w / s(t, d),                 w = qtf * ln(1 + (N - df + 0.5) / (df + 0.5))
    s(t, d) = 1 + tf / (k1 * ((1 - b) + b * len(d) / avgdl)),            k1 = 0.9, b = 0.4

(Robertson and Zaragoza 2009; the form without the factor k1 + 1 of Lucene 8.) w, s and each term's score are float32, their
sum is a double, rounded to float32 at the end. len(d) is the length as Lucene keeps it in one byte (`kept_length`), avgdl the
exact mean. Equal scores are in the order of the products' ids.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from worldschool.compiling import kept
from worldschool.envs.shop.search.analyzer import terms_of
from worldschool.errors import UserError, WorldError
from worldschool.files import read_json, write_json

K1, B = np.float32(0.9), np.float32(0.4)
FORMAT = "worldschool.shop-index/1"
ARRAYS = ("offsets", "documents", "saturations", "rows")
"""Of each term where its postings begin; of each posting its document and s(t, d); of each document its product's row."""


def kept_length(length: int) -> int:
    """Return a document's length as Lucene's one byte keeps it: exact to 40, then 24 more than a number of four bits."""
    if length < 40:
        return length
    above = length - 24
    cut = max(0, above.bit_length() - 4)
    return 24 + (above >> cut << cut)


class BM25Index:
    """Products ranked for a query, as WebShop's Lucene ranks them.

    Args:
        terms: every term, sorted; a term's number is its place.
        offsets: int64, shape (terms + 1,).
        documents: int32, shape (postings,), rising within a term.
        saturations: float32, shape (postings,).
        rows: int32, shape (documents,): the catalogue's row of each, documents in the order of the products' ids.
    """

    FORMAT: ClassVar[str] = FORMAT

    def __init__(
        self,
        terms: Sequence[str],
        offsets: NDArray[np.int64],
        documents: NDArray[np.int32],
        saturations: NDArray[np.float32],
        rows: NDArray[np.int32],
    ) -> None:
        self.terms = terms
        self.offsets, self.documents, self.saturations, self.rows = offsets, documents, saturations, rows
        self._number = {term: number for number, term in enumerate(terms)}

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def build(cls, texts: Iterable[str], ids: Sequence[str]) -> BM25Index:
        """Index one text for each product.

        Args:
            texts: in the catalogue's order.
            ids: of the products, in the same order; no two alike.
        """
        order = np.argsort(np.array(ids, dtype=np.str_), kind="stable").astype(np.int32)
        document_of = np.empty(len(ids), np.int32)
        document_of[order] = np.arange(len(ids), dtype=np.int32)
        numbers: dict[str, int] = {}
        of_term, documents, counts = array("i"), array("i"), array("i")
        lengths = np.zeros(len(ids), np.int64)
        for row, text in enumerate(texts):
            terms = terms_of(text)
            lengths[document_of[row]] = len(terms)
            for term, count in Counter(terms).items():
                of_term.append(numbers.setdefault(term, len(numbers)))
                documents.append(document_of[row])
                counts.append(count)
        names = sorted(numbers)
        renumbered = np.empty(len(names), np.int32)
        renumbered[[numbers[name] for name in names]] = np.arange(len(names), dtype=np.int32)
        term_numbers = renumbered[np.frombuffer(of_term, np.int32)] if names else np.zeros(0, np.int32)
        posted = np.frombuffer(documents, np.int32) if names else np.zeros(0, np.int32)
        by_term = np.lexsort((posted, term_numbers))
        offsets = np.zeros(len(names) + 1, np.int64)
        np.cumsum(np.bincount(term_numbers, minlength=len(names)), out=offsets[1:])
        posted = posted[by_term]
        frequencies = np.frombuffer(counts, np.int32)[by_term] if names else np.zeros(0, np.int32)
        saturations = _saturations(frequencies, posted, lengths)
        return cls(names, offsets, posted, saturations, order)

    @classmethod
    def open(cls, folder: Path) -> BM25Index:
        """Open a saved index; its arrays are mapped from the files, so that processes share them.

        Raises:
            WorldError: there is no index of this format.
        """
        try:
            described = read_json(folder / "index.json", what="a search index")
            if described.get("schema") != FORMAT:
                raise ValueError(f"schema {described.get('schema')!r}")
            terms = (folder / "terms.txt").read_text("utf-8").split("\n")[:-1]
            arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS]
            offsets, documents, saturations, rows = arrays
            found = (len(terms), len(rows), len(offsets), len(documents), len(saturations))
            postings = int(offsets[-1]) if len(offsets) else 0
            if found != (described["terms"], described["documents"], len(terms) + 1, postings, postings):
                raise ValueError("its files do not belong together")
        except (OSError, EOFError, KeyError, ValueError, UserError) as error:
            raise WorldError(
                f"this is no search index of format {FORMAT} ({error})",
                where=str(folder),
                mend="Remove the folder; the index is built again from the catalogue.",
            ) from None
        return cls(terms, *arrays)

    def save(self, folder: Path) -> None:
        """Write the index into a folder; index.json comes last, so that what was interrupted is not opened."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "terms.txt").write_text("".join(f"{term}\n" for term in self.terms), "utf-8")
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        write_json(
            folder / "index.json", {"schema": FORMAT, "documents": len(self), "terms": len(self.terms)}
        )

    def search(self, query: str, limit: int = 50) -> NDArray[np.int32]:
        """Return the rows of the products that a query finds, best first, at most `limit`."""
        return self.rows[self.ranked(query, limit)[0]]

    def ranked(self, query: str, limit: int = 50) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return documents and their scores, best first."""
        asked = Counter(number for term in terms_of(query) if (number := self._number.get(term)) is not None)
        starts, ends = (
            np.array([self.offsets[number + end] for number in asked], np.int64) for end in (0, 1)
        )
        found = (ends - starts).astype(np.float64)
        idf = np.log(1 + (len(self) - found + 0.5) / (found + 0.5)).astype(np.float32)
        weights = np.array(list(asked.values()), np.float32) * idf
        documents, scores = np.empty(limit, np.int32), np.empty(limit, np.float32)
        kept_ones = _best(
            starts, ends, weights, self.documents, self.saturations, np.zeros(len(self)), documents, scores
        )
        return documents[:kept_ones], scores[:kept_ones]


def _saturations(
    frequencies: NDArray[np.int32], documents: NDArray[np.int32], lengths: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return s(t, d) of postings."""
    if not len(documents):
        return np.zeros(0, np.float32)
    average = np.float32(lengths.sum() / len(lengths))
    one = np.float32(1)
    kept_ones = np.array([kept_length(length) for length in range(int(lengths.max()) + 1)], np.float32)
    inverse = one / (K1 * ((one - B) + B * kept_ones / average))
    saturations: NDArray[np.float32] = one + frequencies.astype(np.float32) * inverse[lengths[documents]]
    return saturations


@kept
def _best(starts, ends, weights, documents, saturations, totals, best, scores):  # type: ignore[no-untyped-def]
    """Fill `best` and `scores` with the documents of the highest totals, highest first; returns how many there are.

    `totals` are zeros, one for each document.
    """
    touched = 0
    for t in range(len(starts)):
        touched += ends[t] - starts[t]
    seen = np.empty(min(touched, len(totals)), np.int32)
    count = 0
    for t in range(len(starts)):
        weight = weights[t]
        for at in range(starts[t], ends[t]):
            document = documents[at]
            if totals[document] == 0.0:
                seen[count] = document
                count += 1
            totals[document] += weight - weight / saturations[at]
    found = 0
    for place in range(count):
        document = seen[place]
        score = np.float32(totals[document])
        if found == len(best) and (
            score < scores[found - 1] or (score == scores[found - 1] and document > best[found - 1])
        ):
            continue
        at = min(found, len(best) - 1)
        while at > 0 and (scores[at - 1] < score or (scores[at - 1] == score and best[at - 1] > document)):
            best[at], scores[at] = best[at - 1], scores[at - 1]
            at -= 1
        best[at], scores[at] = document, score
        found = min(found + 1, len(best))
    return found
