"""Which split a name belongs to, where names are split by what they are called."""

from __future__ import annotations

from worldschool.canonical import blake2b_hex
from worldschool.records import Split

TRAIN_SHARE, VALIDATION_SHARE = 60, 20


def split_of_activity(activity: str) -> Split:
    """Return the split that an activity belongs to, by its name: 60% train, 20% validation, 20% heldout."""
    number = int(blake2b_hex(f"activity: {activity}"), 16) % 100
    if number < TRAIN_SHARE:
        return "train"
    return "validation" if number < TRAIN_SHARE + VALIDATION_SHARE else "heldout"
