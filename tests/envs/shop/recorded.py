"""WebShop's recorded cases, read from WORLDSCHOOL_CONFORMANCE_DATA/webshop (its README.md says what is in them)."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.catalogue.webshop import read_webshop
from worldschool.envs.shop.goals import webshop_order

VARIABLE = "WORLDSCHOOL_CONFORMANCE_DATA"
needs_recordings = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} does not name the folder of recorded cases"
)
LARGE_ITEMS = "1d2f82bdbbe4591c7ef9b351f3be04803e40f47c3f7f83abdae0986ba3c04705"
"""SHA-256 of the products of which search_100k was recorded."""
WEBSHOP_FILES = ("items_shuffle.json.gz", "items_ins_v2.json.gz", "items_human_ins.json.gz")


def folder() -> Path:
    """Where the recordings are."""
    return Path(os.environ[VARIABLE]) / "webshop"


def lines(name: str) -> Iterator[dict[str, Any]]:
    """Every case of files such as "reward_*.jsonl.gz", whichever parts of them are here."""
    for path in sorted(folder().glob(name)):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)


def webshop_files() -> tuple[Path, Path, Path]:
    """The products, attributes and human instructions that were recorded with."""
    items, attributes, human = (folder() / "catalogue_1k" / name for name in WEBSHOP_FILES)
    return items, attributes, human


def large_webshop_files(where: Path) -> tuple[Path, Path, Path]:
    """Make the hundred thousand products that search_100k was recorded with."""
    script = folder() / "gen_catalogue.py"
    subprocess.run([sys.executable, script, "100000", where, "12"], check=True, capture_output=True)
    items, attributes, human = (where / name.removesuffix(".gz") for name in WEBSHOP_FILES)
    return items, attributes, human


@cache
def state() -> dict[str, Any]:
    """What WebShop drew: its goals after the shuffle, and what products cost."""
    with gzip.open(folder() / "traj_state.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def recorded_catalogue(where: Path) -> Catalogue:
    """Write the recorded catalogue into a folder, prices and bounds those that WebShop drew."""
    drawn = state()["goals_after_shuffle"]
    made: list[dict[str, Any]] = [{}] * len(drawn)
    for goal, place in zip(drawn, webshop_order(len(drawn)).tolist(), strict=True):
        made[place] = goal
    before: Counter[str] = Counter()
    bounds = {}
    for goal in made:
        bounds[f"{goal['asin']} {before[goal['asin']]}"] = float(goal["price_upper"])
        before[goal["asin"]] += 1
    prices = dict(state()["product_prices"])
    files = read_webshop(
        *webshop_files(),
        price=lambda product: prices[product.asin],
        bound=lambda _, key: bounds[key],
    )
    return Catalogue.write(
        where,
        files.products(),
        files.goals(),
        files.about,
        price=lambda product: prices[product.asin],
        order=webshop_order,
    )
