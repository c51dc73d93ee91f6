"""In what order entries come that a search found: by similarity, how new they are, and what they were worth."""

from __future__ import annotations

from pydantic import Field

from worldschool.config import Config
from worldschool.learners.memory.entries import Entry


class Ranking(Config):
    """Weights of what an entry is ordered by; their sum need not be 1."""

    similarity: float = Field(default=1.0, ge=0)
    """Of the cosine of key and query."""
    recency: float = Field(default=0.0, ge=0)
    """Of 1 for the newest entry, falling by half every `half_life` entries."""
    value: float = Field(default=0.0, ge=0)
    """Of how often acting on the entry went well (`worth`)."""
    half_life: float = Field(default=1000.0, gt=0)
    """In entries."""

    @property
    def by_similarity(self) -> bool:
        """Whether nothing but similarity counts."""
        return self.recency == self.value == 0

    def score(self, entry: Entry, cosine: float, newest: int) -> float:
        """Return the weighted sum; `newest` is the highest `created_index`."""
        found = self.similarity * cosine
        if self.recency:
            found += self.recency * 0.5 ** ((newest - entry.created_index) / self.half_life)
        return found + self.value * worth(entry)


def worth(entry: Entry) -> float:
    """Return the expected share of uses that go well, 0 to 1.

    The mean of a Beta distribution after `used` tries, `succeeded` of them well, that began even; what the entry itself tells of,
    a success or a failure, counts as one more try.
    """
    well = entry.succeeded + 1 + (entry.success is True)
    badly = entry.used - entry.succeeded + 1 + (entry.success is False)
    return well / (well + badly)
