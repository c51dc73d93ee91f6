"""WebShop's own files: each rule of reading them, in pieces and compressed, and what is wrong with a file told by its place."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool.envs.shop.catalogue import json_stream
from worldschool.envs.shop.catalogue.json_stream import elements_of, members_of
from worldschool.envs.shop.catalogue.webshop import import_webshop, read_webshop
from worldschool.envs.shop.goals import split_of_attributes, webshop_order
from worldschool.errors import WorldError

ITEM = {
    "asin": "B000000001",
    "name": "Floor Lamp",
    "category": "garden",
    "query": " Floor Lamps ",
    "product_category": "Home › Lamps",
    "full_description": "Light.",
    "small_description": ["Dims.", "Folds."],
    "pricing": "$12.50",
    "customization_options": {
        "Color": [{"value": " Red/Blue ", "image": "u"}, {"value": "BLACK", "image": None}],
        "Fit": None,
    },
    "images": ["main", "second"],
    "brand": "dropped",
}
ASKED = {
    "B000000001": {
        "attributes": ["glass shade"],
        "instruction": "Find me a lamp",
        "instruction_attributes": ["glass shade"],
    }
}
HUMAN = {
    "B000000001": [
        {
            "instruction": "i want a lamp.",
            "instruction_attributes": ["glass shade"],
            "instruction_options": ["black"],
        }
    ]
}


@pytest.fixture
def files(tmp_path):
    """Write the three files; returns where they are."""

    def write(items=(ITEM,), asked=ASKED, human=HUMAN):
        given = {"items": list(items), "attributes": asked, "human": human}
        for name, value in given.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(value), "utf-8")
        return {name: tmp_path / f"{name}.json" for name in given}

    return write


def products_of(paths, **more):
    return list(read_webshop(**paths, **more).products())


def goals_of(paths, **more):
    found = read_webshop(**paths, **more)
    list(found.products())
    return list(found.goals())


# -- products ---------------------------------------------------------------------------------------------------------


def test_a_product_is_read_as_webshop_reads_it(files):
    (found,) = products_of(files())
    assert found.asin == "B000000001"
    assert found.title == "Floor Lamp"
    assert found.description == "Light."
    assert found.bullets == ("Dims.", "Folds.")
    assert found.price_text == "$12.5"
    assert (found.category, found.query, found.product_category) == ("garden", "floor lamps", "Home › Lamps")
    assert found.options == {"color": ("red | blue", "black")}
    assert found.option_images == {"red | blue": "u", "black": None}
    assert found.image == "main"
    assert found.attributes == ("glass shade",)
    assert (found.reviews, found.rating, found.nouns) == ((), "N.A.", None)


@pytest.mark.parametrize(
    ("pricing", "text"),
    [
        ("$12.99", "$12.99"),
        ("$1,299.00", "$1299.0"),
        ("$10.99$21.00", "$10.99 to $21.0"),
        ("$5 - $9", "$5.0 to $9.0"),
        ("from $5 to $9 or $12", "$5.0 to $9.0"),
        ("", "$100.0"),
        (None, "$100.0"),
        (float("nan"), "$100.0"),
    ],
)
def test_prices_are_read_as_webshop_reads_them(files, pricing, text):
    assert products_of(files([ITEM | {"pricing": pricing}]))[0].price_text == text


@pytest.mark.parametrize("missing", [{}, {"B000000001": {}}, {"B000000001": {"attributes": None}}])
def test_a_product_that_the_attribute_file_does_not_have_has_one_that_says_so(files, missing):
    assert products_of(files(asked=missing))[0].attributes == ("DUMMY_ATTR",)


def test_no_attributes_at_all_stay_none(files):
    assert products_of(files(asked={"B000000001": {"attributes": []}}))[0].attributes == ()


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("small_description", "Dims.", ("bullets", ("Dims.",))),
        ("small_description", None, ("bullets", ())),
        ("full_description", None, ("description", "")),
        ("customization_options", None, ("options", {})),
        ("customization_options", {}, ("options", {})),
        ("customization_options", {"Size": []}, ("options", {"size": ()})),
        ("customization_options", {"A": [{"value": "x"}], "a": [{"value": "y"}]}, ("options", {"a": ("y",)})),
        ("images", [], ("image", "")),
        ("images", None, ("image", "")),
        ("name", "half \ud800 of a character", ("title", "half \ufffd of a character")),
    ],
)
def test_what_is_merely_incomplete_is_read(files, field, value, expected):
    (found,) = products_of(files([ITEM | {field: value}]))
    assert getattr(found, expected[0]) == expected[1]


def test_what_webshop_leaves_out_is_left_out(files):
    items = [
        ITEM | {"asin": "nan"},
        ITEM,
        ITEM | {"asin": "B0000000011"},
        ITEM | {"name": "the same id again"},
        ITEM | {"asin": "B2"},
    ]
    assert [one.title for one in products_of(files(items))] == ["Floor Lamp", "Floor Lamp"]
    assert [one.asin for one in products_of(files(items), num_products=4)] == ["B000000001"]
    assert products_of(files(items), num_products=1) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"asin": None},
            r"items\.json: element 1: asin: this field is missing\. Give a text, or take this product out",
        ),
        ({"asin": 7}, r"element 1: asin: found 7"),
        ({"asin": "b 2"}, r"element 1: asin: found 'b 2'"),
        ({"name": None}, r"product 'B2': name: this field is missing"),
        ({"name": ["x"]}, r"product 'B2': name: found \['x'\]"),
        ({"category": None}, r"product 'B2': category"),
        ({"query": 3}, r"product 'B2': query: found 3"),
        ({"product_category": None}, r"product 'B2': product_category"),
        ({"full_description": {}}, r"product 'B2': full_description: found \{\}"),
        ({"small_description": [None]}, r"product 'B2': small_description"),
        ({"pricing": "12 dollars"}, r"product 'B2': pricing: found '12 dollars'\. Give dollars"),
        ({"pricing": "$"}, r"product 'B2': pricing: found '\$'"),
        ({"pricing": "$1.2.3"}, r"product 'B2': pricing"),
        ({"pricing": "$" + "9" * 400}, r"product 'B2': pricing"),
        ({"pricing": 12.5}, r"product 'B2': pricing: found 12.5"),
        ({"customization_options": ["red"]}, r"product 'B2': customization_options: found \['red'\]"),
        ({"customization_options": {"c": "red"}}, r"product 'B2': customization_options: c: found 'red'"),
        (
            {"customization_options": {"c": [{"image": "u"}]}},
            r"customization_options: c: value: this field is missing",
        ),
        (
            {"customization_options": {"c": [{"value": "x", "image": 1}]}},
            r"customization_options: c: image: found 1",
        ),
        ({"images": "u"}, r"product 'B2': images: found 'u'"),
    ],
)
def test_what_webshop_could_not_read_is_named(files, change, message):
    with pytest.raises(WorldError, match=message):
        products_of(files([ITEM, ITEM | {"asin": "B2"} | change]))


@pytest.mark.parametrize("element", [None, 3, "x", []])
def test_an_element_that_is_no_object_is_named(files, element):
    with pytest.raises(WorldError, match=r"items\.json: element 1: found .*Give an object"):
        products_of(files([ITEM, element]))


# -- goals ------------------------------------------------------------------------------------------------------------


def test_a_human_goal_is_worded_and_bounded(files):
    (found,) = goals_of(files())
    assert found.instruction == f"i want a lamp, and price lower than {found.price_upper:.2f} dollars"
    assert found.price_upper in (30.0, 40.0, 50.0)
    assert found.to_webshop() == {
        "asin": "B000000001",
        "category": "garden",
        "query": "floor lamps",
        "name": "Floor Lamp",
        "product_category": "Home › Lamps",
        "instruction_text": found.instruction,
        "attributes": ["glass shade"],
        "price_upper": found.price_upper,
        "goal_options": ["black"],
        "weight": 1.0,
    }


def test_an_instruction_without_attributes_is_no_goal(files):
    empty = {"instruction": "a lamp", "instruction_attributes": [], "instruction_options": []}
    human = {"B000000001": [empty, *HUMAN["B000000001"]], "B9": [empty]}
    assert len(goals_of(files(human=human))) == 1


def test_goals_of_one_product_have_bounds_of_their_own(files):
    many = [HUMAN["B000000001"][0] | {"instruction": f"lamp {number}"} for number in range(20)]
    assert len({one.price_upper for one in goals_of(files(human={"B000000001": many}))}) > 1


def test_a_dear_product_has_no_bound(files):
    (found,) = goals_of(files([ITEM | {"pricing": "$985"}]))
    assert (found.instruction, found.price_upper) == ("i want a lamp", 1_000_000.0)


def test_synthetic_goals_take_every_combination_and_are_weighed_by_attribute(files, tmp_path):
    items = [
        ITEM
        | {
            "customization_options": {
                "b": [{"value": "1"}, {"value": "2"}],
                "A": [{"value": "x"}, {"value": "y"}],
            }
        },
        ITEM | {"asin": "B2", "name": "Desk Lamp", "customization_options": None},
        ITEM | {"asin": "B3", "customization_options": {"size": []}},
        ITEM | {"asin": "B4"},
    ]
    asked = ASKED | {
        "B2": {"instruction": "Find a lamp.", "instruction_attributes": ["glass shade", "easy assemble"]},
        "B3": ASKED["B000000001"],
        "B4": {"attributes": ["glass shade"], "instruction": None},
    }
    paths = files(items, asked)
    del paths["human"]
    made = import_webshop(tmp_path / "c", **paths)
    goals = sorted(made.goals, key=lambda one: (one.row, one.options))
    assert [one.options for one in goals] == [
        (("a", "x"), ("b", "1")),
        (("a", "x"), ("b", "2")),
        (("a", "y"), ("b", "1")),
        (("a", "y"), ("b", "2")),
        (),
    ]
    assert goals[0].instruction.startswith("Find me a lamp with a: x, and b: 1, and price lower than ")
    assert goals[4].instruction.startswith("Find a lamp., and price lower than ")
    assert goals[4].name == "Desk Lamp"
    assert [one.weight for one in goals] == [1 / 5] * 4 + [(1 / 5 + 1) / 2]
    assert goals[0].to_webshop()["goal_options"] == {"a": "x", "b": "1"}
    made_order = [one.options for one in made.goals]
    expected = [goals[place].options for place in webshop_order(5).tolist()]
    assert made_order == expected


def test_goals_are_split_by_product_and_attributes(files):
    items = [ITEM | {"asin": f"B{number}"} for number in range(200)]
    human = {
        f"B{number}": [
            HUMAN["B000000001"][0] | {"instruction_attributes": [f"a{(number + 7 * further) % 40}"]}
            for further in range(2)
        ]
        for number in range(200)
    }
    goals = goals_of(files(items, human=human))
    sides = {
        split: [one for one in goals if one.split == split]
        for split in ("train", "validation", "heldout", None)
    }
    assert all(sides.values())
    for split in ("train", "validation", "heldout"):
        others = [one for one in goals if one.split not in (split, None)]
        assert not {one.asin for one in sides[split]} & {one.asin for one in others}
        assert not {one.attributes for one in sides[split]} & {one.attributes for one in others}
        assert {split_of_attributes(one.attributes) for one in sides[split]} == {split}


def test_the_papers_splits_go_by_the_number_after_the_shuffle(files, tmp_path):
    items = [ITEM | {"asin": f"B{number}"} for number in range(1600)]
    human = {f"B{number}": HUMAN["B000000001"] for number in range(1600)}
    made = import_webshop(tmp_path / "c", **files(items, human=human), splits="paper")
    assert made.goals_of("heldout").tolist() == list(range(500))
    assert made.goals_of("validation").tolist() == list(range(500, 1500))
    assert made.goals_of("train").tolist() == list(range(1500, 1600))
    assert made.goals[0].asin == f"B{webshop_order(1600)[0]}"


def test_the_papers_splits_are_taken_where_there_are_its_goals(files, monkeypatch):
    monkeypatch.setattr("worldschool.envs.shop.catalogue.webshop.PAPER_GOALS", 1)
    assert goals_of(files())[0].split == "heldout"
    paths = files()
    del paths["human"]
    with pytest.raises(WorldError, match="splits: the paper's splits are of human goals"):
        read_webshop(**paths, splits="paper")


@pytest.mark.parametrize(
    ("asked", "human", "message"),
    [
        ({"B1": 3}, HUMAN, r"attributes\.json: product 'B1': found 3"),
        ({"B1": {"attributes": "x"}}, HUMAN, r"product 'B1': attributes: found 'x'"),
        (
            {"B1": {"instruction": 3, "instruction_attributes": ["x"]}},
            HUMAN,
            r"product 'B1': instruction: found 3",
        ),
        ({"B1": {"instruction": "x"}}, HUMAN, r"product 'B1': instruction_attributes: this field is missing"),
        (
            {"B1": {"instruction": "x", "instruction_attributes": []}},
            HUMAN,
            r"instruction_attributes: found \[\]",
        ),
        (ASKED, {"B1": {}}, r"human\.json: product 'B1': found \{\}\. Give a list of instructions"),
        (ASKED, {"B1": [3]}, r"product 'B1', instruction 0: found 3"),
        (
            ASKED,
            {"B1": [{"instruction": "x", "instruction_attributes": ["y"]}]},
            r"instruction_options: this field is",
        ),
        (ASKED, {"B1": [HUMAN["B000000001"][0], {}]}, r"instruction 1: instruction: this field is missing"),
    ],
)
def test_what_is_wrong_with_instructions_is_named(files, asked, human, message):
    with pytest.raises(WorldError, match=message):
        read_webshop(**files(asked=asked, human=human))


def test_a_number_of_products_that_is_none_is_told(files):
    with pytest.raises(WorldError, match="num_products: found 0"):
        read_webshop(**files(), num_products=0)


# -- large JSON files -------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=5), st.integers(1, 9), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_list_is_read_in_pieces_of_any_size(tmp_path_factory, values, chunk, indent, ascii_only):
    path = tmp_path_factory.mktemp("json") / "list.json"
    path.write_text(f" {json.dumps(values, indent=indent, ensure_ascii=ascii_only)}\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        assert list(elements_of(path)) == values


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=5), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_an_object_is_read_in_pieces_of_any_size(tmp_path_factory, value, chunk):
    path = tmp_path_factory.mktemp("json") / "object.json.gz"
    path.write_bytes(gzip.compress(json.dumps(value).encode()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        assert dict(members_of(path)) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "list does not end, at character 0"),
        ("[", r"Expecting value, at character 1"),
        ("[1", "a list does not end"),
        ("[1,", "Expecting value"),
        ("[1 2]", "expected ',' or ']' of a list, found '2', at character 3"),
        ("[1] x", "something follows the end: 'x'"),
        ("{}", r"expected '\[' of a list, found '{'"),
        ('[{"a": 1}, {"b" 2}]', "Expecting ':' delimiter, at character 16"),
        ("[" * 100_000, "nested too deep"),
        ("[nope]", "Expecting value, at character 1"),
    ],
)
@pytest.mark.parametrize("chunk", [3, 1 << 20])
def test_a_list_that_is_none_is_told_with_its_place(tmp_path, monkeypatch, text, message, chunk):
    monkeypatch.setattr(json_stream, "CHUNK", chunk)
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(WorldError, match=rf"x\.json: .*{message}.*asked for, whole"):
        list(elements_of(tmp_path / "x.json"))


@pytest.mark.parametrize("element", ['{"a": nothing}', '{"a": "no end'])
def test_a_mistake_is_told_before_all_that_follows_is_read(tmp_path, monkeypatch, element):
    monkeypatch.setattr(json_stream, "CHUNK", 100)
    monkeypatch.setattr(json_stream, "LONGEST", 1000)
    path = tmp_path / "x.json"
    path.write_text("[" + element + " " * 1_000_000, "utf-8")
    with json_stream._Text(path) as text, pytest.raises(WorldError, match="at character [67]"):
        text.take("[", "a list")
        text.value()
    assert len(text._text) < 10_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected '{' of an object"),
        ("{1: 2}", "expected a name in quotes, found '1'"),
        ('{"a" 1}', "expected ':' of a member, found '1'"),
        ('{"a": 1', "an object does not end"),
        ('{"a": 1,}', "expected a name in quotes, found '}'"),
    ],
)
def test_an_object_that_is_none_is_told(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(WorldError, match=message):
        list(members_of(tmp_path / "x.json"))


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(WorldError, match=r"none\.json: this file cannot be opened"):
        list(elements_of(tmp_path / "none.json"))
    whole = gzip.compress(json.dumps([ITEM] * 50).encode())
    for number, data in enumerate([whole[:-20], b"[1]", whole[:100] + b"\0" * 20 + whole[120:]]):
        path = tmp_path / f"{number}.json.gz"
        path.write_bytes(data)
        with pytest.raises(WorldError, match=r"json\.gz: the file is damaged"):
            list(elements_of(path))
    (tmp_path / "latin.json").write_bytes('["é"]'.encode("latin-1"))
    with pytest.raises(WorldError, match=r"latin\.json: the file is damaged"):
        list(elements_of(tmp_path / "latin.json"))
