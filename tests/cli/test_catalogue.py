"""The commands about catalogues of the shop, run as a user runs them."""

from __future__ import annotations

import json

import pytest

from tests.envs.shop.test_webshop_files import ASKED, HUMAN, ITEM
from worldschool.cli.main import main
from worldschool.envs import make
from worldschool.envs.shop.catalogue import Catalogue


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ("items.json", "attributes.json", "human.json")]
    for path, value in zip(paths, ([ITEM, ITEM | {"asin": "B2"}], ASKED, HUMAN), strict=True):
        path.write_text(json.dumps(value), "utf-8")
    return paths


@pytest.fixture
def run(capsys):
    """Run a command in this process: its exit code, standard output and standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        return int(stopped.value.code or 0), *capsys.readouterr()

    return run


def nouns_of(titles):
    """Every word, in place of spaCy."""
    return [tuple(title.lower().split()) for title in titles]


def test_webshops_files_become_a_catalogue_that_the_shop_opens(files, tmp_path, run, monkeypatch):
    monkeypatch.setattr("worldschool.envs.shop.nouns.nouns_of", nouns_of)
    items, attributes, human = files
    code, out, err = run("catalogue", "import", items, attributes, "--human", human, "-o", tmp_path / "c")
    assert (code, err) == (0, "building the search index\n")
    assert "2 products, 1 goals (" in out
    assert "The first product: B000000001, Floor Lamp, $12.5" in out
    assert "The first goal: i want a lamp, and price lower than" in out
    assert "shopping there needs spaCy" in out
    assert list((tmp_path / "c").glob("shop-index-*"))
    split = next(
        split
        for split in ("train", "validation", "heldout")
        if len(Catalogue.open(tmp_path / "c").goals_of(split))
    )
    world = make("worldschool/Shop-v0", catalogue=str(tmp_path / "c"), split=split)
    observation, _ = world.reset(seed=0)
    assert "i want a lamp" in observation
    assert "B000000001" in world.step("search[lamp]")[0]


def test_without_human_instructions_goals_are_synthetic(files, tmp_path, run):
    items, attributes, _ = files
    code, out, err = run(
        "catalogue", "import", items, attributes, "-o", tmp_path / "c", "--no-index", "--json"
    )
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["products"], told["goals"], told["nouns"]) == (2, 2, False)
    assert sum(told["splits"].values()) == 2
    assert not list((tmp_path / "c").glob("shop-index-*"))
    code, out, _ = run("catalogue", "info", tmp_path / "c", "--json")
    assert (code, json.loads(out)) == (0, told)


def test_nouns_are_stored_when_they_are_asked_for(files, tmp_path, run, monkeypatch):
    monkeypatch.setattr("worldschool.envs.shop.nouns.nouns_of", nouns_of)
    code, out, _ = run("catalogue", "import", *files[:2], "-o", tmp_path / "c", "--nouns", "--products", 1)
    assert code == 0
    assert "spaCy" not in out
    assert [one.nouns for one in Catalogue.open(tmp_path / "c").products()] == [("floor", "lamp")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--splits", "thirds"], "splits: found 'thirds'. Accepted: paper, attributes."),
        (["--splits", "paper"], "splits: the paper's splits are of human goals"),
        (["--human", "none.json"], "none.json: this file cannot be opened"),
    ],
)
def test_mistakes_are_told_in_a_line(files, tmp_path, run, arguments, message):
    code, _, err = run("catalogue", "import", *files[:2], "-o", tmp_path / "c", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "c").exists()


def test_a_folder_that_is_taken_is_told_before_anything_is_read(tmp_path, run):
    (tmp_path / "mine").write_text("x", "utf-8")
    code, _, err = run("catalogue", "import", "none.json", "none.json", "-o", tmp_path)
    assert (code, "something here already" in err) == (2, True)


def test_a_folder_without_a_catalogue_is_told(tmp_path, run):
    code, _, err = run("catalogue", "info", tmp_path)
    assert (code, "there is no catalogue" in err) == (2, True)
