"""Catalogues on disk: what is written is read back, opened at once, shared, and never read when damaged."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.shop.products import PRODUCTS, goal, product
from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.catalogue import catalogue as module
from worldschool.envs.shop.catalogue.writing import BATCH
from worldschool.envs.shop.goals import GoalTemplate
from worldschool.envs.shop.search.bm25 import BM25Index
from worldschool.errors import OutputError, WorldError


def lamps(count):
    return [product(f"B{number:05d}", prices=(float(number),)) for number in range(count)]


@pytest.fixture
def folder(tmp_path):
    """A catalogue of more than one batch of products and of goals, with templates and an order."""
    some = lamps(BATCH + 3)
    goals = [
        goal(one, row, split=("train", "validation", "heldout", None)[row % 4])
        for row, one in enumerate(some)
    ]
    goals[5:5] = [template(some, 7), template(some, 8, combinations=1, split=None)]
    Catalogue.write(tmp_path / "c", some, goals, {"source": "test"}, order=backwards)
    return tmp_path / "c"


def template(some, row, **fields):
    given = {
        "instruction": "want",
        "attributes": ("x",),
        "combinations": 6,
        "price_upper": 30.0,
        "weight": 0.5,
    }
    return GoalTemplate(some[row].asin, row, **(given | {"split": "heldout"} | fields))


def backwards(count):
    return np.arange(count)[::-1]


@given(st.lists(PRODUCTS, min_size=1, max_size=4, unique_by=lambda one: one.asin), st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, products, data):
    rows = data.draw(st.lists(st.integers(0, len(products) - 1), max_size=4))
    goals = [
        goal(products[row], row, options=data.draw(OPTIONS), price_upper=data.draw(st.floats(0, 1e6)))
        for row in rows
    ]
    opened = Catalogue.write(tmp_path_factory.mktemp("c") / "c", iter(products), iter(goals))
    assert [opened.product(row) for row in range(len(opened))] == products
    assert list(opened.products()) == products
    assert list(opened.goals) == goals
    assert [opened.row_of(one.asin) for one in products] == list(range(len(products)))


OPTIONS = st.one_of(
    st.lists(st.sampled_from(["red", "", "größe"]), max_size=2).map(tuple),
    st.lists(st.tuples(st.sampled_from(["color", ""]), st.sampled_from(["red", ""])), max_size=2).map(tuple),
)


def test_rows_are_found_across_batches(folder):
    opened = Catalogue.open(folder)
    assert len(opened) == BATCH + 3
    for row in (0, BATCH - 1, BATCH, BATCH + 2):
        assert opened.product(row).asin == f"B{row:05d}"
        assert opened.price(row) == row
        assert opened.row_of(f"B{row:05d}") == row
    for row in (-1, BATCH + 3):
        with pytest.raises(IndexError, match=f"row {row} of {BATCH + 3}"):
            opened.product(row)


@pytest.mark.parametrize(
    "asin", ["", "B", "B99999", "A", "B00001 ", "B000010", "b00001", "B00001\0", "Ä", "\ud800"]
)
def test_an_id_that_is_not_there_has_no_row(folder, asin):
    assert Catalogue.open(folder).row_of(asin) is None


def test_ids_of_several_lengths_are_found(tmp_path):
    ids = ["B", "BB", "BBB", "0", "Z9", "B-1", "B_1.X", "A" * 32]
    opened = Catalogue.write(tmp_path / "c", [product(asin) for asin in ids])
    assert [opened.row_of(asin) for asin in ids] == list(range(len(ids)))


def test_products_are_kept_but_not_all(folder, monkeypatch):
    monkeypatch.setattr(module, "PRODUCTS_KEPT", 2)
    opened = Catalogue.open(folder)
    first = opened.product(0)
    assert opened.product(0) is first
    opened.product(1), opened.product(2)
    assert opened.product(0) is not first
    assert opened.product(0) == first


# -- goals ------------------------------------------------------------------------------------------------------------


def test_a_template_stands_for_each_of_its_goals_and_the_order_counts_them(folder):
    opened = Catalogue.open(folder)
    goals = opened.goals
    assert len(goals) == BATCH + 3 + 6 + 1
    made = list(goals)[::-1]  # in the order in which they were given
    assert [one.row for one in made[:13]] == [0, 1, 2, 3, 4, *[7] * 6, 8, 5]
    assert made[5].instruction == "want with color: red, and size: small, and price lower than 30.00 dollars"
    assert [dict(one.options) for one in made[5:11]] == [
        {"color": color, "size": size} for color in ("red", "blue") for size in ("small", "large", "x-large")
    ]
    assert goals[-1] == made[0]
    assert goals[2:5] == made[::-1][2:5]
    for number in (len(goals), -len(goals) - 1):
        with pytest.raises(IndexError, match=f"of {len(goals)}"):
            goals[number]


def test_splits_and_weights_are_those_of_the_goals(folder):
    opened = Catalogue.open(folder)
    goals = list(opened.goals)
    for split in ("train", "validation", "heldout"):
        numbers = opened.goals_of(split)
        assert numbers.dtype == np.int64
        assert numbers.tolist() == [number for number, one in enumerate(goals) if one.split == split]
    assert opened.goals.weights.tolist() == [one.weight for one in goals]


def test_a_catalogue_may_have_no_goals(tmp_path):
    opened = Catalogue.write(tmp_path / "c", [product()])
    assert len(opened.goals) == 0
    assert opened.goals_of("train").tolist() == []
    assert opened.goals.weights.tolist() == []


def test_a_template_of_millions_is_never_listed(tmp_path):
    options = {f"o{number}": tuple(map(str, range(100))) for number in range(5)}
    one = product(options=options)
    many = GoalTemplate(one.asin, 0, "want", ("x",), 100**5)
    opened = Catalogue.write(tmp_path / "c", [one, product("B2")], [many, goal(product("B2"), 1)])
    assert len(opened.goals) == 100**5 + 1
    assert dict(opened.goals[1_02_03_04_05].options) == {
        "o0": "1",
        "o1": "2",
        "o2": "3",
        "o3": "4",
        "o4": "5",
    }
    assert opened.goals[100**5].asin == "B2"


# -- content ----------------------------------------------------------------------------------------------------------


def test_the_digest_is_of_the_content_alone(tmp_path):
    some = lamps(3)
    goals = [goal(some[0], 0)]
    first = Catalogue.write(tmp_path / "a", some, goals, {"made": "here"}).digest
    assert Catalogue.write(tmp_path / "b", some, goals, {"made": "there"}).digest == first
    changed = [
        ([replace(some[0], title="other"), *some[1:]], goals, {}),
        (some[::-1], [replace(goals[0], row=2)], {}),
        (some, [replace(goals[0], weight=2.0)], {}),
        (some, [], {}),
        (some, goals, {"price": lambda _: 1.0}),
        (some, goals, {"order": backwards}),
    ]
    digests = {
        Catalogue.write(tmp_path / str(number), products, asked, **more).digest
        for number, (products, asked, more) in enumerate(changed)
    }
    assert len(digests | {first}) == len(changed) + 1
    assert first == "f243c30fb57ef814e663affc15384f675efec1f46d8822663989388c8282b41d"


def test_the_same_is_written_whatever_the_hash_seed(tmp_path):
    code = (
        "import sys; from tests.envs.shop.test_catalogue import *\n"
        "some = lamps(5); print(Catalogue.write(sys.argv[1], some, [goal(some[1], 1)]).digest)"
    )
    here, there = (str(tmp_path / name) for name in ("here", "there"))
    some = lamps(5)
    told = subprocess.run(
        [sys.executable, "-c", code, there],
        env={"PYTHONHASHSEED": "1", "PATH": "", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.strip() == Catalogue.write(here, some, [goal(some[1], 1)]).digest


def test_other_programs_can_read_the_columns(folder):
    with pa.memory_map(str(folder / "products.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    assert table.num_rows == BATCH + 3
    assert table.column("options")[0].as_py()[0] == {"name": "color", "values": ["red", "blue"]}


def test_it_can_be_sent_to_another_process(folder):
    opened = Catalogue.open(folder)
    for other in (pickle.loads(pickle.dumps(opened)), copy.deepcopy(opened)):
        assert other.digest == opened.digest
        assert other.product(3) == opened.product(3)


# -- the index --------------------------------------------------------------------------------------------------------


def test_the_index_is_built_once_and_only_opened_afterwards(folder, monkeypatch):
    built = count_builds(monkeypatch)
    rows = Catalogue.open(folder).index.search("lamp b00003").tolist()
    assert rows[0] == 3
    again = Catalogue.open(folder)
    assert again.index.search("lamp b00003").tolist() == rows
    assert again.index is again.index
    assert built == [1]


def test_the_index_of_another_content_is_not_taken(folder, tmp_path, monkeypatch):
    Catalogue.open(folder).index.search("lamp")
    other = Catalogue.write(tmp_path / "other", [product("C1", title="a chair")])
    for path in folder.glob("shop-index-*"):
        path.rename(other.folder / path.name)
    built = count_builds(monkeypatch)
    assert other.index.search("chair").tolist() == [0]
    assert built == [1]


@pytest.mark.parametrize("name", ["index.json", "rows.npy"])
def test_a_damaged_index_is_built_again(folder, monkeypatch, name):
    Catalogue.open(folder).index.search("lamp")
    (path,) = folder.glob("shop-index-*")
    (path / name).write_bytes(b"")
    built = count_builds(monkeypatch)
    assert Catalogue.open(folder).index.search("lamp b00003").tolist()[0] == 3
    assert Catalogue.open(folder).index.search("lamp b00003").tolist()[0] == 3
    assert built == [1]
    assert [one.name for one in folder.iterdir() if "index" in one.name and one.is_dir()] == [path.name]


def test_a_folder_that_cannot_be_written_has_its_index_in_the_cache(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLDSCHOOL_CACHE", str(tmp_path / "cache"))
    refuse(monkeypatch, folder)
    built = count_builds(monkeypatch)
    for _ in range(2):
        assert Catalogue.open(folder).index.search("lamp b00003").tolist()[0] == 3
    assert built == [1]
    assert not list(folder.glob("shop-index-*"))
    assert list((tmp_path / "cache" / "shop").glob("shop-index-*"))


def test_where_nothing_can_be_written_the_index_is_in_memory(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLDSCHOOL_CACHE", str(tmp_path / "cache"))
    refuse(monkeypatch, tmp_path)
    built = count_builds(monkeypatch)
    assert Catalogue.open(folder).index.search("lamp b00003").tolist()[0] == 3
    assert built == [1]


def test_processes_that_want_the_index_at_once_build_it_once(folder):
    context = multiprocessing.get_context("fork")
    together = context.Barrier(3)
    with context.Pool(3, initializer=_meet, initargs=(together,)) as pool:
        found = pool.map(_search, [folder] * 3, chunksize=1)
    assert [rows[0] for rows, _ in found] == [3, 3, 3]
    assert sum(builds for _, builds in found) == 1


def _meet(together):
    global _together
    _together = together


def _search(folder):
    build, builds = BM25Index.build, []
    BM25Index.build = lambda texts, ids: (builds.append(1), build(texts, ids))[1]
    _together.wait()
    try:
        return Catalogue.open(folder).index.search("lamp b00003").tolist(), len(builds)
    finally:
        BM25Index.build = build


def count_builds(monkeypatch):
    """A list that gets an element for every index that is built."""
    build, built = BM25Index.build, []
    monkeypatch.setattr(BM25Index, "build", lambda texts, ids: (built.append(1), build(texts, ids))[1])
    return built


def refuse(monkeypatch, folder):
    """Let no file be opened for writing in a folder and below (tests may run as root, whom no permission stops)."""
    opened = type(folder).open

    def checked(path, mode="r", *rest, **more):
        if "w" in mode and folder in path.parents:
            raise PermissionError(13, "read-only", str(path))
        return opened(path, mode, *rest, **more)

    monkeypatch.setattr(type(folder), "open", checked)


# -- what cannot be written, and what cannot be opened ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"asin": ""}, r"product '': asin: this is no id"),
        ({"asin": "A\nB"}, r"asin: this is no id"),
        ({"asin": "b1"}, r"product 'b1': asin: this is no id.*capitals"),
        ({"asin": "../B1"}, r"asin: this is no id"),
        ({"asin": "\u01310"}, r"asin: this is no id"),
        ({"asin": "A" * 33}, r"asin: this is no id"),
        ({"asin": 7}, r"asin: this is no id"),
        ({"prices": (float("nan"),)}, r"product 'B1': prices: found nan"),
        ({"prices": (-1.0,)}, r"prices: found -1.0"),
        ({"prices": ("12",)}, r"prices: found '12'"),
        ({"title": None}, r"product 'B1': title: found 'None'"),
        ({"title": 3}, r"product 'B1': title"),
        ({"description": "\ud800"}, r"product 'B1': description"),
        ({"bullets": (1,)}, r"product 'B1': bullets"),
        ({"options": {"color": (None,)}}, r"product 'B1': options"),
        ({"attributes": None}, r"product 'B1': a field is of another type"),
    ],
)
def test_a_product_that_cannot_be_stored_is_named_and_nothing_is_left(tmp_path, fields, message):
    wrong = product(**fields)
    with pytest.raises(WorldError, match=message):
        Catalogue.write(tmp_path / "c", [product("B0"), wrong, product("B2")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"row": 1}, r"goal of product 'B1': row: row 1 is not this product"),
        ({"row": -1}, r"row: row -1 is not this product"),
        ({"row": 9}, r"row: row 9 is not this product"),
        ({"price_upper": float("inf")}, r"goal of product 'B1': price_upper: found inf"),
        ({"weight": -0.5}, r"weight: found -0.5"),
        ({"instruction": None}, r"goal of product 'B1': instruction"),
        ({"split": "test"}, r"goal of product 'B1': split: found 'test'"),
    ],
)
def test_a_goal_that_cannot_be_stored_is_named(tmp_path, fields, message):
    one = product()
    with pytest.raises(WorldError, match=message):
        Catalogue.write(tmp_path / "c", [one, product("B2")], [replace(goal(one, 0), **fields)])
    assert list(tmp_path.iterdir()) == []


def test_two_products_of_one_id_are_told(tmp_path):
    with pytest.raises(WorldError, match=r"product 'B1': asin: rows 0 and 2 have one id"):
        Catalogue.write(tmp_path / "c", [product("B1"), product("B2"), product("B1")])


def test_no_products_are_told(tmp_path):
    with pytest.raises(WorldError, match="there is no product"):
        Catalogue.write(tmp_path / "c", [])


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine").write_text("x", "utf-8")
    with pytest.raises(OutputError, match="something here already.*Name a new folder"):
        Catalogue.write(tmp_path / "c", [product()])
    assert (tmp_path / "c" / "mine").read_text("utf-8") == "x"
    (tmp_path / "c" / "mine").unlink()
    assert len(Catalogue.write(tmp_path / "c", [product()])) == 1


def test_a_folder_without_a_catalogue_is_told(tmp_path):
    with pytest.raises(WorldError, match="none: there is no such folder"):
        Catalogue.open(tmp_path / "none")
    with pytest.raises(WorldError, match=r"no catalogue.*catalogue\.json"):
        Catalogue.open(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schema", "worldschool.shop-catalogue/2", r"catalogue\.json: schema 'worldschool.shop-catalogue/2'"),
        ("products", "many", r"catalogue\.json: products: found 'many'"),
        ("products", -1, r"products: found -1"),
        ("products", True, r"products: found True"),
        ("products", 5, r"of another catalogue"),
        ("goals", None, r"goals: found None"),
        ("files", [], r"files: found \[\]"),
        ("files", {"../secret": 1}, r"products\.arrow: this file is missing or cut short"),
    ],
)
def test_a_changed_description_is_told(folder, field, value, message):
    path = folder / "catalogue.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {field: value}), "utf-8")
    with pytest.raises(WorldError, match=message):
        Catalogue.open(folder)


@pytest.mark.parametrize("text", ["", "[]", "nothing", "{"])
def test_a_description_that_is_none_is_told(folder, text):
    (folder / "catalogue.json").write_text(text, "utf-8")
    with pytest.raises(WorldError):
        Catalogue.open(folder)


@pytest.mark.parametrize("name", ["products.arrow", "goals.arrow", "ids.arrow", "order.arrow"])
def test_a_file_that_is_gone_or_cut_is_told(folder, name):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(WorldError, match=f"{name}: this file is missing or cut short"):
        Catalogue.open(folder)
    (folder / name).unlink()
    with pytest.raises(WorldError, match=f"{name}: this file is missing or cut short"):
        Catalogue.open(folder)


@pytest.mark.parametrize("name", ["products.arrow", "goals.arrow", "ids.arrow", "order.arrow"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_bytes_that_changed_crash_nothing(tmp_path_factory, name, data):
    """Whatever is read is an error that says so, or a value; never a crash of the interpreter."""
    where = tmp_path_factory.mktemp("c") / "c"
    some = lamps(4)
    Catalogue.write(where, some, [goal(some[0], 0), template(some, 1)], order=backwards)
    whole = bytearray((where / name).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=6)):
        whole[at] = data.draw(st.sampled_from([0, 1, 127, 255]))
    (where / name).write_bytes(whole)
    try:
        opened = Catalogue.open(where)
        for row in range(4):
            opened.product(row), opened.price(row), opened.row_of(some[row].asin)
        list(opened.goals)
    except (WorldError, IndexError, OverflowError, MemoryError):
        pass
