"""Records: their stored form, the order of goals, snapshots' digests, errors across processes."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldschool import errors
from worldschool.canonical import blake2b_hex, canonical_json, short_digest
from worldschool.errors import UserError, nearest
from worldschool.records import Entity, Episode, Event, Example, Fact, Goal, Snapshot, Step

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAYBE = st.none() | TEXT
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
EVENTS = st.builds(
    Event,
    t=st.integers(0, 2**31 - 1),
    actor=TEXT,
    verb=TEXT,
    object=MAYBE,
    source=MAYBE,
    target=MAYBE,
    relation=st.sampled_from([None, "ON", "INSIDE", "HOLDS", "AT"]),
    succeeded=st.booleans(),
    seen_by=st.lists(TEXT, max_size=2).map(tuple),
)
STEPS = st.builds(
    Step,
    observation=TEXT,
    action=TEXT,
    reward=NUMBER,
    state_hash=TEXT,
    legal_actions=st.integers(0, 99),
    events=st.lists(EVENTS, max_size=2).map(tuple),
)
EPISODES = st.builds(
    Episode,
    episode_id=TEXT,
    run_seed=st.integers(0, 2**63 - 1),
    index=st.integers(0, 9),
    world=TEXT,
    world_version=TEXT,
    world_config=TEXT,
    seed=st.integers(0, 2**63 - 1),
    agent=TEXT,
    agent_config=TEXT,
    split=st.sampled_from(["train", "validation", "heldout"]),
    goal=TEXT,
    goal_predicates=TEXT,
    activity=MAYBE,
    entities=st.lists(st.builds(Entity, TEXT, TEXT), max_size=2).map(tuple),
    initial_facts=st.lists(
        st.builds(Fact, TEXT, st.sampled_from(["ON", "INSIDE", "HOLDS", "AT", "STATE"]), TEXT), max_size=2
    ).map(tuple),
    initial_observation=TEXT,
    initial_state_hash=TEXT,
    steps=st.lists(STEPS, max_size=2).map(tuple),
    terminated=st.booleans(),
    truncated=st.booleans(),
    success=st.booleans(),
    return_=NUMBER,
    length=st.integers(0, 9),
    error=MAYBE,
    package_version=TEXT,
)
PREDICATES = st.tuples(
    st.sampled_from(["ON", "INSIDE", "HOLDS", "AT", "STATE:open"]),
    st.sampled_from(["apple", "class:apple", "desk"]),
    st.sampled_from([None, "desk", "fridge"]),
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(EPISODES)
def test_an_episode_survives_json(episode):
    row = json.loads(json.dumps(episode.to_json()))
    assert Episode.from_json(row) == episode
    assert "return" in row and "return_" not in row
    assert hash(Episode.from_json(row)) == hash(episode)
    assert episode.events == tuple(event for step in episode.steps for event in step.events)


@settings(deadline=None, derandomize=True)
@given(EVENTS)
def test_an_event_survives_json(event):
    assert Event.from_json(json.loads(json.dumps(event.to_json()))) == event


def test_an_example_survives_json_and_strange_fields():
    example = Example(
        "x",
        "t",
        "Where?",
        " a\n",
        "a",
        "train",
        "e",
        "b",
        1,
        2,
        options=("a", "b"),
        answer_index=0,
        weight=0.5,
    )
    row = json.loads(json.dumps(example.to_json()))
    assert Example.from_json({**row, "unknown": 1}) == example
    with pytest.raises(TypeError, match="prompt"):
        Example.from_json({name: value for name, value in row.items() if name != "prompt"})


@settings(deadline=None, derandomize=True)
@given(st.lists(PREDICATES, max_size=4), st.randoms(use_true_random=False))
def test_goals_are_the_same_whatever_the_order_of_their_predicates(predicates, random):
    goal = Goal("one way", tuple(predicates))
    mixed = [list(predicate) for predicate in predicates * 2]
    random.shuffle(mixed)
    other = Goal("another way", tuple(mixed))
    assert other.key == goal.key
    assert other.predicates == goal.predicates
    assert json.loads(goal.key) == [list(predicate) for predicate in goal.predicates]
    assert set(goal.predicates) == set(predicates)
    assert len(goal.predicates) == len(set(predicates))
    assert hash(goal) == hash(Goal("one way", goal.predicates))


def test_the_key_of_a_goal():
    goal = Goal("x", (("STATE:open", "fridge", None), ("ON", "class:apple", "desk"), ("ON", "apple", "desk")))
    assert goal.key == '[["ON","apple","desk"],["ON","class:apple","desk"],["STATE:open","fridge",null]]'
    assert Goal("nothing").key == "[]"


def test_what_a_snapshots_digests_cover():
    one = Snapshot("w", (("a", 1), None), (7, 0))
    later = Snapshot("w", (("a", 1), None), (8, 1))
    assert one.position == later.position and one.digest != later.digest
    assert Snapshot("v", one.state, one.bookkeeping).position != one.position
    assert Snapshot("w", (("a", 2), None), (7, 0)).position != one.position
    assert len(one.digest) == len(one.position) == 32
    assert pickle.loads(pickle.dumps(one)) == one
    assert {one: 1}[Snapshot("w", (("a", 1), None), (7, 0))] == 1


def test_the_canonical_encoding():
    assert canonical_json({"b": 1.0, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1.0}'
    assert canonical_json((1, (2,))) == "[1,[2]]"
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            canonical_json([value])
    assert blake2b_hex("") == "cae66941d9efbd404e4d88758ea67670"
    assert short_digest({"b": 1, "a": 2}) == short_digest({"a": 2, "b": 1}) != short_digest({"a": 2, "b": 3})
    assert len(short_digest([])) == 8


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UserError)]


@pytest.mark.parametrize("kind", KINDS)
def test_user_errors_survive_the_way_between_processes(kind):
    error = kind("found 3", where="run.yaml: episodes", mend="Give more.")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.problem, back.where, back.mend) == ("found 3", "run.yaml: episodes", "Give more.")
    assert str(back) == str(error) == "run.yaml: episodes: found 3. Give more."
    assert len(KINDS) >= 7


def test_the_sentence_of_an_error():
    assert str(UserError("found 3")) == "found 3."
    assert str(UserError("really?", where="here")) == "here: really?"
    assert nearest("episods", ["episodes", "seed"]) == " Did you mean 'episodes'?"
    assert nearest("zzz", ["episodes", "seed"]) == ""
