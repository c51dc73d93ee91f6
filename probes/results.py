"""The form of a probe's `results.json`."""

from __future__ import annotations

RESULTS_SCHEMA = "worldschool.results/1"
"""Written by `run`, read by `reporting` and `comparing`; another release's is refused there."""
