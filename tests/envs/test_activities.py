"""Everyday activities: their table, what houses offer, and that every one drawn can be done."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs.solving import Solver, solve
from worldschool.agents.base import agent_config, make_agent
from worldschool.envs.household import FURNITURE, OBJECTS, ROOMS, HouseholdEnv
from worldschool.envs.household.activities import classes_of, draw_activity, instantiate
from worldschool.envs.household.activity_rows import ACTIVITIES, SORTS, Activity, Role
from worldschool.envs.household.goals import check
from worldschool.envs.household.premises import premises_of
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import SPLITS, Goal
from worldschool.splits import split_of_activity

BIG = {"rooms": (8, 8), "furniture": (8, 8), "objects": (50, 64)}
BY_NAME = {activity.name: activity for activity in ACTIVITIES}
ids = [activity.name for activity in ACTIVITIES]


def offered(env: HouseholdEnv, activity: Activity, seed: int = 0) -> Goal | None:
    """Return an activity as a goal for the acting character, or None."""
    predicates = instantiate(env._now().premises, activity, env._actor, Random(seed), env.view)
    return None if predicates is None else Goal(activity.name, predicates)


# -- the table ----------------------------------------------------------------------------------------------------


def test_names_and_paraphrases_are_distinct_imperatives():
    names = [name for activity in ACTIVITIES for name in activity.names]
    assert len(names) == len(set(names)) and len(ACTIVITIES) >= 25
    assert all(len(activity.names) >= 3 for activity in ACTIVITIES)
    assert all(name == name.lower() and not name.endswith(".") for name in names)


@pytest.mark.parametrize("activity", ACTIVITIES, ids=ids)
def test_a_row_is_sound(activity):
    used = set()
    for condition in activity.conditions:
        name, *roles = condition.split()
        assert name in ("ON", "INSIDE", "HOLDS", "AT") or name.startswith("STATE:")
        assert len(roles) == (1 if name.startswith("STATE:") else 2)
        assert set(roles) <= {*activity.roles, "me"}
        used |= set(roles)
    near = {role.near for role in activity.roles.values()} - {""}
    assert set(activity.roles) <= used | near, "a role that nothing is asked of"
    several = [role.most > 1 for role in activity.roles.values()]
    assert several == sorted(several), "those of which there is one come first"
    for role in activity.roles.values():
        assert 1 <= role.least <= role.most


def test_every_class_that_is_named_exists():
    known = {*FURNITURE, *OBJECTS, *ROOMS}
    texts = [*SORTS.values(), *(role.of for activity in ACTIVITIES for role in activity.roles.values())]
    for part in {part for text in texts for part in text.split(", ")}:
        if part not in SORTS:
            assert classes_of(part) and classes_of(part) <= known, part


# -- what houses offer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activity", ACTIVITIES, ids=ids)
def test_some_house_offers_it_and_another_does_not(activity):
    big, small = HouseholdEnv(**BIG), HouseholdEnv(focus=True, rooms=(2, 2), objects=(1, 2))
    found, missing = False, False
    for seed in range(80):
        big.reset(seed=seed)
        small.reset(seed=seed)
        found |= offered(big, activity) is not None
        missing |= offered(small, activity) is None
        if found and missing:
            return
    pytest.fail(f"offered somewhere: {found}, missing somewhere: {missing}")


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(SPLITS), st.sampled_from([{}, BIG]))
def test_an_instantiation_keeps_to_the_row(seed, split, house):
    env = HouseholdEnv(split=split, **house)
    env.reset(seed=seed)
    premises = env._now().premises
    class_of = premises.house.class_of
    rooms = {name: room for name, _, room in premises.house.furniture}
    for activity in ACTIVITIES:
        goal = offered(env, activity, seed)
        if goal is None:
            continue
        check(premises.house, goal)
        assert goal.predicates == offered(env, activity, seed).predicates, "seeded"
        things = {one for _, *arguments in goal.predicates for one in arguments if one} - {env._actor}
        allowed = set().union(*(classes_of(role.of) for role in activity.roles.values()))
        assert {one if class_of[one] == "room" else class_of[one] for one in things} <= allowed
        if any(role.near for role in activity.roles.values()) and len(things & set(rooms)) > 1:
            assert len({rooms[one] for one in things & set(rooms)}) == 1, "what is near is in the same room"


def test_of_several_things_those_are_taken_that_are_not_done_yet():
    activity = BY_NAME["light the house"]
    seen = 0
    for seed in range(40):
        env = HouseholdEnv(**BIG)
        env.reset(seed=seed)
        goal = offered(env, activity)
        if goal is not None:
            assert not any(env.satisfied(goal))
            seen += 1
    assert seen > 10


def test_a_role_is_filled_by_trying_again_where_the_first_choice_leads_nowhere():
    """A television in a room without a seat is passed over for one with a seat."""
    activity = BY_NAME["watch television"]
    env = HouseholdEnv(**BIG)
    bad = 0
    for seed in range(60):
        env.reset(seed=seed)
        house = env._now().premises.house
        screens = [(n, r) for n, c, r in house.furniture if c in ("television", "projector")]
        seated = {r for n, c, r in house.furniture if "SITTABLE" in FURNITURE[c].properties}
        assert (offered(env, activity) is not None) == any(room in seated for _, room in screens)
        bad += len({room in seated for _, room in screens}) == 2
    assert bad > 0


def test_a_house_without_what_it_takes_gives_none():
    activity = Activity(("fly",), {"rocket": Role("wheelbarrow", 9, 9)}, ("STATE:clean rocket",))
    env = HouseholdEnv()
    env.reset(seed=0)
    assert offered(env, activity) is None


# -- in the world -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wording", ["plain", "varied"])
def test_reset_draws_an_activity_that_is_not_done(wording):
    env = HouseholdEnv(goal="activity", wording=wording)
    drawn = Counter()
    for seed in range(150):
        _, info = env.reset(seed=seed)
        assert info["activity"] == env.activity
        drawn[env.activity] += 1
        assert env.goal.predicates and not all(env.satisfied(env.goal))
        if env.activity is not None:
            names = BY_NAME[env.activity].names
            told = env.goal.text.casefold()
            assert any(name in told for name in (names[:1] if wording == "plain" else names))
    assert len(drawn) > 15 and drawn.most_common(1)[0][1] < 40
    first = env.reset(seed=3), env.goal, env.activity
    assert (env.reset(seed=3), env.goal, env.activity) == first


def test_splits_share_no_activity():
    drawn = {}
    for split in SPLITS:
        env = HouseholdEnv(goal="activity", split=split)
        drawn[split] = {env.reset(seed=seed)[1]["activity"] for seed in range(80)} - {None}
        assert {split_of_activity(activity) for activity in drawn[split]} == {split}
    assert sum(map(len, drawn.values())) > 25
    assert {split_of_activity(activity.name) for activity in ACTIVITIES} == set(SPLITS)


def test_a_house_that_offers_nothing_falls_back_to_a_random_goal():
    env = HouseholdEnv(goal="activity", focus=True, rooms=(2, 2), objects=(1, 1))
    fallen_back = 0
    for seed in range(60):
        _, info = env.reset(seed=seed)
        assert env.goal.predicates
        fallen_back += info["activity"] is None
    assert fallen_back > 0


def test_the_activity_belongs_to_the_snapshot_and_to_its_goal():
    env, other = HouseholdEnv(goal="activity"), HouseholdEnv(goal="activity")
    env.reset(seed=2)
    other.reset(seed=1)
    assert env.activity and other.activity != env.activity
    snapshot = env.snapshot()
    assert other.restore(snapshot)[1]["activity"] == other.activity == env.activity
    assert other.snapshot() == snapshot
    env.set_goal(env.goal)
    assert env.activity == other.activity
    env.set_goal(Goal("", (("AT", env._actor, "class:room"),)))
    assert env.activity is None
    assert env.snapshot().position != snapshot.position
    env.restore(snapshot)
    assert env.activity == other.activity
    assert env.reset(seed=2, options={"goal": Goal("")})[1]["activity"] is None


def test_random_goals_know_no_activity():
    env = HouseholdEnv(goal="random")
    assert env.reset(seed=1)[1]["activity"] is None and env.activity is None


def test_drawing_depends_on_the_generator_alone():
    env = HouseholdEnv(**BIG)
    env.reset(seed=4)
    premises = premises_of(env._now().premises.house)
    drawn = {str(draw_activity(premises, env.view, env._actor, Random(seed))) for seed in (1, 1, 2, 3, 4, 5)}
    assert len(drawn) == 5


def test_a_recorded_episode_keeps_its_activity():
    env = HouseholdEnv(goal="activity", max_steps=3)
    label = EpisodeLabel("a-b-c", 0, 0, 2, "random", "{}", "train")
    agent = make_agent("random", agent_config("random", {}), env, 1)
    episode = record_episode(env, agent, label, strict=True)
    assert episode.activity is not None and episode.activity == env.activity


def test_the_documentation_lists_them_all():
    text = (Path(__file__).parents[2] / "docs" / "play.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([a-z ]+) \| `", text, flags=re.MULTILINE)
    assert [name for name in listed if name not in ("plain", "varied", "brief")] == ids


# -- every one drawn can be done ------------------------------------------------------------------------------------


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(SPLITS), st.integers(0, 30))
def test_a_drawn_activity_can_be_done_within_the_steps_there_are(seed, split, before):
    env = HouseholdEnv(goal="activity", split=split, max_steps=40 + before)
    env.reset(seed=seed)
    rng = Random(seed)
    for _ in range(before):
        if not env._terminated:
            env.step(rng.choice(env.legal_actions()))
    if not env._terminated:
        solve(env)
    assert env._terminated, env.goal


@pytest.mark.parametrize("split", SPLITS)
def test_every_activity_of_big_houses_can_be_done_in_forty_steps(split):
    env = HouseholdEnv(split=split, **BIG)
    done = set()
    for seed in range(4):
        env.reset(seed=seed)
        start = env.snapshot()
        for activity in ACTIVITIES:
            goal = offered(env, activity, seed)
            if goal is None or all(env.satisfied(goal)):
                continue
            env.set_goal(goal)
            solver = Solver(env)
            solver.solve()
            assert env._terminated, (goal, solver.done)
            done.add(activity.name)
            env.restore(start)
    assert len(done) > 30
