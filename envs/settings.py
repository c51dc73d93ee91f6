"""Checks that worlds share: their settings, and the options of `reset`. Errors name the world, the field and what is accepted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from worldschool.errors import WorldError, nearest

ConfigT = TypeVar("ConfigT")


def build_settings(cls: type[ConfigT], world: str, settings: Mapping[str, Any]) -> ConfigT:
    """Return a dataclass of settings made from keyword arguments.

    Args:
        cls: a dataclass that checks the values of its fields.
        world: whose settings they are, as errors name it ("Household").
        settings: field to value.

    Raises:
        WorldError: a setting is unknown, or its value is not accepted.
    """
    known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for name in settings:
        if name not in known:
            raise WorldError(
                f"unknown setting {name!r}",
                where=world,
                mend=f"Accepted: {', '.join(known)}.{nearest(name, known)}",
            )
    return cls(**settings)


def check_choice(world: str, field: str, value: Any, accepted: Iterable[Any]) -> None:
    """Check that a value is one of some.

    Raises:
        WorldError: it is none of them. 1 is not True.
    """
    choices = tuple(accepted)
    # 1 == True in Python, so the type is compared as well.
    if not any(value == one and type(value) is type(one) for one in choices):
        names = ", ".join(repr(one) for one in choices)
        raise WorldError(f"found {value!r}", where=f"{world}: {field}", mend=f"Accepted: {names}.")


def check_count(world: str, field: str, value: Any, low: int, high: int | None = None) -> None:
    """Check that a value is a whole number from `low` to `high`.

    Raises:
        WorldError: it is none.
    """
    if type(value) is not int or value < low or (high is not None and value > high):
        numbers = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise WorldError(
            f"found {value!r}", where=f"{world}: {field}", mend=f"Accepted: a whole number {numbers}."
        )


def check_options(
    world: str, options: Mapping[str, Any] | None, accepted: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the options of `reset`, {} for none.

    Raises:
        WorldError: one is unknown.
    """
    for name in options or {}:
        if name not in accepted:
            mend = f"Accepted: {', '.join(map(repr, accepted))}." if accepted else "Give none."
            raise WorldError(f"unknown option {name!r}", where=f"{world}: reset", mend=mend)
    return dict(options or {})
