"""The household's words: how many there are, how they are named, and that what is said of them agrees."""

from __future__ import annotations

from collections import Counter

import pytest

from worldschool.envs.household.scene.graph import PROPERTIES
from worldschool.envs.household.things import GROUPS
from worldschool.envs.household.vocabulary import (
    CHARACTER_NAMES,
    CHARACTERS,
    FURNITURE,
    OBJECTS,
    ROOMS,
    properties_of,
)
from worldschool.records import SPLITS

KINDS = {
    "food": lambda row: "EATABLE" in row.properties,
    "drink": lambda row: {"DRINKABLE", "POURABLE"} <= row.properties,
    "vessel": lambda row: row.vessel,
    "dish": lambda row: row.washable and "kitchen" in row.rooms,
    "clothes": lambda row: {"CLOTHES", "HANGABLE"} <= row.properties,
    "readable": lambda row: "READABLE" in row.properties,
    "cream": lambda row: "CREAM" in row.properties,
    "switchable": lambda row: "HAS_SWITCH" in row.properties,
    "toy": lambda row: row.properties == {"GRABBABLE", "MOVABLE"},
    "tool": lambda row: row.properties == {"GRABBABLE"} and "garage" in row.rooms,
    "knife": lambda row: "knife" in row.class_name,
}

# What a role needs, and what it must not have.
ROLES = {
    "surface": ({"SURFACES"}, set()),
    "container": ({"CONTAINERS", "CAN_OPEN"}, set()),
    "switch": ({"HAS_SWITCH"}, set()),
    "seat": ({"SITTABLE"}, set()),
    "basin": ({"CONTAINERS"}, {"CAN_OPEN", "SURFACES"}),
}


def of_split(split):
    return [row for row in OBJECTS.values() if row.split == split]


def test_there_are_hundreds_of_classes():
    assert 70 <= len(FURNITURE) <= 90
    assert len(OBJECTS) >= 240
    for split, classes, vessels in (("train", 140, 8), ("validation", 35, 4), ("heldout", 65, 6)):
        assert len(of_split(split)) >= classes
        assert sum(row.vessel for row in of_split(split)) >= vessels


def test_no_class_is_in_two_rows():
    names = [
        name
        for group in GROUPS
        for sizes in (group.train, group.validation, group.heldout)
        for row in sizes.values()
        for name in row.split(", ")
    ]
    assert not [name for name, count in Counter(names).items() if count > 1]
    assert set(names) == set(OBJECTS)


def test_names_are_distinct_plain_and_safe_to_speak():
    classes = [*OBJECTS, *FURNITURE, *ROOMS]
    everything = [*classes, *CHARACTER_NAMES, "room", "character"]
    assert len({name.casefold() for name in everything}) == len(everything)
    for name in classes:
        words = name.split(" ")
        assert len(words) <= 2
        assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
        assert not {"in", "on", "to", "of", "with"} & set(words)
    for name, row in (FURNITURE | OBJECTS).items():
        assert row.name == name
        assert row.class_name == name.replace(" ", "_")


def test_splits_share_no_word_but_knife():
    words = {split: {word for row in of_split(split) for word in row.name.split()} for split in SPLITS}
    for one, other in (SPLITS[:2], SPLITS[1:], SPLITS[::2]):
        assert words[one] & words[other] == {"knife"}


def test_no_object_is_named_in_what_all_splits_share():
    # "coffee" in "coffee table" would tell a heldout story of a training class.
    shared = [f" {name} " for name in (*FURNITURE, *ROOMS)]
    assert not [name for name in OBJECTS if any(f" {name} " in other for other in shared)]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_split_has_things_of_every_kind(split, kind):
    assert [row.name for row in of_split(split) if KINDS[kind](row)]


@pytest.mark.parametrize("split", SPLITS)
def test_half_of_a_split_is_small_and_its_vessels_take_something(split):
    sizes = Counter(row.size for row in of_split(split))
    assert set(sizes) == {1, 2, 3}
    assert 0.4 < sizes[1] / sizes.total() < 0.6
    assert sizes[3] < 0.2 * sizes.total()
    assert {row.size for row in of_split(split) if row.vessel} == {2, 3}


def test_what_is_said_of_furniture_agrees():
    assert {row.role for row in FURNITURE.values()} == set(ROLES)
    for row in FURNITURE.values():
        needed, refused = ROLES[row.role]
        assert needed <= row.properties, row
        assert not refused & row.properties, row
        assert row.properties <= set(PROPERTIES) - {"GRABBABLE"}, row
        assert "CAN_OPEN" not in row.properties or "CONTAINERS" in row.properties, row
        assert "LIEABLE" not in row.properties or "SITTABLE" in row.properties, row


def test_what_is_said_of_objects_agrees():
    for row in OBJECTS.values():
        assert {"GRABBABLE"} <= row.properties <= set(PROPERTIES), row
        assert row.vessel == ("CONTAINERS" in row.properties) == ("RECIPIENT" in row.properties), row
        assert "CAN_OPEN" not in row.properties, row
        assert "CUTTABLE" not in row.properties or "EATABLE" in row.properties, row
        assert not row.washable or not {"EATABLE", "DRINKABLE", "READABLE", "HAS_SWITCH"} & row.properties, (
            row
        )
        assert row.washable or "CLOTHES" not in row.properties, row


def test_rooms_are_known_and_can_have_what_they_need():
    for row in (FURNITURE | OBJECTS).values():
        assert row.rooms
        assert set(row.rooms) <= set(ROOMS), row
        assert len(set(row.rooms)) == len(row.rooms), row
    for room in ROOMS:
        roles = {row.role for row in FURNITURE.values() if room in row.rooms}
        assert roles >= {"surface", "container", "switch", "seat"}
        assert {row.split for row in OBJECTS.values() if room in row.rooms} == set(SPLITS), room


def test_properties_of_any_class():
    assert properties_of("bread knife") == {"GRABBABLE"}
    assert properties_of("fridge") == {"CONTAINERS", "CAN_OPEN", "HAS_PLUG"}
    assert properties_of("character") == {"PERSON"}
    assert properties_of("kitchen") == properties_of("room") == frozenset()
    with pytest.raises(KeyError):
        properties_of(CHARACTERS["train"][0])
