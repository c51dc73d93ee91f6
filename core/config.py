"""Configuration: YAML checked by pydantic, with `--set key=value` overrides.

A configuration class derives from `Config`; every field has a string under it that says what it is.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from yaml.composer import ComposerError

from worldschool.errors import ConfigError, nearest


class Config(BaseModel):
    """Base of all configurations: frozen; unknown keys are errors, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """Return the resolved configuration as plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def before_override(cls, values: dict[str, Any], key: str, value: Any) -> None:
        """Take out of `values`, what a file gave of this class, the keys that an override of `key` makes void."""


ConfigT = TypeVar("ConfigT", bound=Config)

FURTHER_MISTAKES = 5
"""Places that an error names beside the first."""


def load_config(cls: type[ConfigT], path: Path | str | None, overrides: Sequence[str] = ()) -> ConfigT:
    """Read a YAML file into `cls`, apply `key=value` overrides (dotted keys reach inside), and check it.

    Args:
        cls: the configuration class.
        path: the YAML file, or None for an empty one.
        overrides: texts like "agent.name=random"; the value is read as YAML.

    Raises:
        ConfigError: the file is missing or no YAML mapping, or a key or value is not accepted.
    """
    source = str(path) if path is not None else "the configuration"
    values = _read_mapping(Path(path)) if path is not None else {}
    apply_overrides(values, overrides, cls=cls)
    return build_config(cls, values, source)


def apply_overrides(
    values: dict[str, Any],
    overrides: Sequence[str],
    example: str = "episodes=100",
    cls: type[Config] | None = None,
) -> dict[str, Any]:
    """Put the values of `--set key=value` texts into a mapping, and return it.

    Args:
        values: is changed; dotted keys reach into the mappings inside it, copies of which take their places.
        overrides: the texts; a value is read as YAML.
        example: of such a text, for errors.
        cls: what the values are of: its classes are asked first what the overrides make void (`Config.before_override`).

    Raises:
        ConfigError: a text is not key=value, its value no YAML, or a dotted key reaches into what is no mapping.
    """
    given = [_read_override(override, example) for override in overrides]
    # All before the first is put in: what is void is what the file gave, never another override.
    for keys, value in given:
        _unshare(values, keys)
        _make_way(values, keys, value, cls)
    for keys, value in given:
        _unshare(values, keys)
        _put(values, keys, value)
    return values


def build_config(cls: type[ConfigT], values: dict[str, Any], source: str) -> ConfigT:
    """Check plain `values` against `cls`; `source` names them in the errors.

    Raises:
        ConfigError: a key or value is not accepted.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        raise _explain(cls, values, error, source) from None


class _Loader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice; of the two, PyYAML would silently take the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        # Here, not where mappings are made: there, the keys that `<<` merges are among a mapping's own.
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise ComposerError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
                seen.add(key.value)
        return node


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise ConfigError(
            "there is no such file", where=str(path), mend="Give the path of a YAML configuration."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read: {error}", where=str(path)) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date like 2024-13-45
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"this is not valid YAML: {problem}", where=place) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(
            f"a mapping of keys to values is expected, found {type(loaded).__name__}", where=str(path)
        )
    return loaded


def _read_override(override: str, example: str) -> tuple[list[str], Any]:
    """Return the keys that lead to a value, and the value."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"{override!r} is not key=value", where="--set", mend=f"Write it like --set {example}."
        )
    try:
        return key.split("."), yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError):
        raise ConfigError(
            f"the value of {key} is not valid YAML: {text!r}", where="--set", mend="Quote it."
        ) from None


def _unshare(values: dict[str, Any], keys: Sequence[str]) -> None:
    """Put a copy in the place of each mapping that `keys` lead through: an alias in YAML is the same object as its anchor."""
    for parent in keys[:-1]:
        inner = values.get(parent)
        if not isinstance(inner, dict):
            return
        values[parent] = dict(inner)
        values = values[parent]


def _make_way(values: Any, keys: Sequence[str], value: Any, cls: type[Config] | None) -> None:
    *parents, last = keys
    for parent in parents:
        values = values.get(parent) if isinstance(values, dict) else None
    if cls is not None and isinstance(values, dict):
        for model in _models_at(cls, parents):
            if issubclass(model, Config):
                model.before_override(values, last, value)


def _put(values: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    *parents, last = keys
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{'.'.join(keys)}: {parent!r} is not a mapping", where="--set")
    values[last] = value


def _explain(cls: type[Config], values: dict[str, Any], error: ValidationError, source: str) -> ConfigError:
    """Return the first mistake with its mend, and the places of the others."""
    first, *others = error.errors(include_url=False)
    place = _place(first, values)
    if first["type"] == "extra_forbidden":
        location = [str(part) for part in first["loc"]]
        known = sorted(_fields_at(cls, location[:-1]))
        mend = f"Accepted here: {', '.join(known)}.{nearest(location[-1], known)}" if known else None
        problem = "unknown key"
    elif first["type"] == "missing":
        problem, mend = "this key is required but missing", None
    else:
        said = first["msg"].removeprefix("Value error, ")  # of a check of our own, which names what it found
        problem, mend = f"{said[0].lower()}{said[1:]}", None
        if first["type"] != "value_error":
            problem += f"; found {first.get('input')!r:.80}"
    further = [one for one in dict.fromkeys(_place(other, values) for other in others) if one != place]
    if further:
        left = f" and {len(further) - FURTHER_MISTAKES} more" if len(further) > FURTHER_MISTAKES else ""
        mend = f"{mend or ''} Wrong, too: {', '.join(further[:FURTHER_MISTAKES])}{left}.".strip()
    return ConfigError(problem, where=f"{source}: {place}" if place else source, mend=mend)


def _place(error: ErrorDetails, values: Any) -> str:
    """Return the dotted keys that lead to a mistake, without the names that pydantic gives the members of a union."""
    found = []
    for part in error["loc"]:
        try:
            values = values[part]
        except (LookupError, TypeError):
            continue
        found.append(str(part))
    if error["type"] == "missing":
        found.append(str(error["loc"][-1]))
    return ".".join(found)


def _fields_at(cls: type[BaseModel], location: Sequence[str]) -> set[str]:
    """Return the accepted keys of the model found by following `location` (unions: of all their members)."""
    return {name for model in _models_at(cls, location) for name in model.model_fields}


def _models_at(cls: type[BaseModel], location: Sequence[str]) -> list[type[BaseModel]]:
    models: list[type[BaseModel]] = [cls]
    for part in location:
        following: list[type[BaseModel]] = []
        for model in models:
            if part in model.model_fields:
                following += _models_in(model.model_fields[part].annotation)
        models = following or models  # list positions and union tags stay where they are
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (list, tuple, dict, typing.Union, types.UnionType, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in _models_in(part)]
    return []
