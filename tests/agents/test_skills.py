from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.agents.skills.binding import Scene, bound_skills
from worldschool.agents.skills.learning import Relived, reaches, relive, skills_of, with_fewer_names
from worldschool.agents.skills.library import EPISODES_KEPT, SkillLibrary, merged
from worldschool.agents.skills.order import Order
from worldschool.agents.skills.patterns import (
    abstracted,
    filled,
    kinds_of,
    make_skill,
    name_pattern,
    pattern_of,
)
from worldschool.agents.skills.planner import Feedback, SkillPlanner, trimmed
from worldschool.envs import make
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Fact, Goal, Plan, Skill

HOUSE = {"max_steps": 80}
IN_FRIDGE = ("INSIDE", "apple", "fridge")
FETCH = ("walk to apple", "grab apple", "walk to fridge", "open fridge", "put apple in fridge")
NAMES = ("Mary", "apple", "apple 2", "fridge", "table", "kitchen", "bowl")
KINDS = {"Mary": "character", "apple": "thing", "apple 2": "thing", "fridge": "container", "bowl": "vessel"}


def kind(name: str) -> str:
    return KINDS.get(name, "place")


def fetched(*facts: Fact, wanted: Any = (IN_FRIDGE,), actions: Any = FETCH, episode: str = "e") -> Skill:
    return make_skill(abstracted(wanted, actions, facts, name_pattern(NAMES)), kind, episode)


class NoSearch:
    """A planner that finds nothing and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Goal, int]] = []

    def plan(self, world: Any, goal: Goal, budget: int) -> Plan:
        self.asked.append((goal, budget))
        return Plan((), False, budget, 0.0)


class Follows:
    """An agent that does what it is told."""

    def __init__(self, *actions: str) -> None:
        self._left = list(actions)

    def reset(self, goal: Goal, info: Any) -> None:
        pass

    def act(self, observation: str, info: Any) -> str | None:
        return self._left.pop(0) if self._left else None


# -- patterns -----------------------------------------------------------------------------------------------------------


def test_names_become_parameters_and_what_held_of_them_preconditions() -> None:
    facts = [
        Fact("apple", "ON", "table"),  # the table is not in the plan
        Fact("apple 2", "INSIDE", "fridge"),
        Fact("fridge", "STATE", "closed"),
        Fact("fridge", "INSIDE", "kitchen"),
        Fact("table", "STATE", "dirty"),
    ]
    skill = fetched(*facts)
    assert skill.goal.predicates == (("INSIDE", "?1", "?2"),)
    assert skill.actions == ("walk to ?1", "grab ?1", "walk to ?2", "open ?2", "put ?1 in ?2")
    assert skill.preconditions == (("STATE:closed", "?2", None),)
    assert skill.parameters == ("?1 thing", "?2 container")
    assert (
        skill.name == "INSIDE ?1 thing ?2 container (walk to ?1, grab ?1, walk to ?2, open ?2, put ?1 in ?2)"
    )


def test_a_longer_name_is_not_read_as_a_shorter_one() -> None:
    occurrence = abstracted(
        [("INSIDE", "apple 2", "fridge")], ["put apple 2 in fridge"], [], name_pattern(NAMES)
    )
    assert occurrence.pattern.actions == ("put ?1 in ?2",)
    assert occurrence.names == {"?1": "apple 2", "?2": "fridge"}


def test_who_holds_a_thing_is_a_parameter_too() -> None:
    skill = fetched(Fact("Mary", "HOLDS", "apple"), actions=("walk to fridge", "put apple in fridge"))
    assert skill.preconditions == (("HOLDS", "?3", "?1"),)
    assert skill.parameters[2] == "?3 character"


@given(st.permutations(NAMES[:5]))
def test_filling_a_pattern_gives_the_plan_back(names: list[str]) -> None:
    thing, place, other, *_ = names
    actions = (f"walk to {thing}", f"put {thing} in {place}", f"look at {other}")
    occurrence = abstracted([("INSIDE", thing, place)], actions, [], name_pattern(NAMES))
    assert tuple(filled(action, occurrence.names) for action in occurrence.pattern.actions) == actions


# -- library -------------------------------------------------------------------------------------------------------------


def test_one_pattern_seen_twice_is_one_skill_with_what_both_needed() -> None:
    one = fetched(Fact("fridge", "STATE", "closed"), Fact("apple", "STATE", "dirty"), episode="a")
    other = fetched(
        Fact("fridge", "STATE", "closed"),
        Fact("bowl", "STATE", "clean"),
        wanted=[("INSIDE", "bowl", "fridge")],
        actions=[action.replace("apple", "bowl") for action in FETCH],
        episode="b",
    )
    assert pattern_of(one) == pattern_of(other)
    library = SkillLibrary().with_skills([one, other])
    (learned,) = library
    assert learned.successes == 2
    assert learned.skill.preconditions == (("STATE:closed", "?2", None),)
    assert kinds_of(learned.skill) == {"?1": {"thing", "vessel"}, "?2": {"container"}}
    assert learned.skill.episode_ids == ("a", "b")
    assert learned.skill.name.startswith("INSIDE ?1 thing|vessel ?2 container (")


def test_a_library_is_bounded_and_forgets_what_was_seen_least() -> None:
    often, rare, new = (fetched(actions=FETCH[:length]) for length in (1, 2, 3))
    library = SkillLibrary(limit=2).with_skills([often, often, rare, new])
    assert [(one.skill.actions, one.successes) for one in library] == [(often.actions, 2), (new.actions, 1)]
    many = SkillLibrary().with_skills([fetched(episode=str(n)) for n in range(10)])
    assert [len(one.skill.episode_ids) for one in many] == [EPISODES_KEPT]


def test_adding_gives_another_library() -> None:
    library = SkillLibrary()
    more = library.with_skills([fetched()])
    assert (len(library), len(more)) == (0, 1)
    assert more.has(pattern_of(fetched()))
    assert not library.has(pattern_of(fetched()))


def test_a_library_is_read_as_it_was_written() -> None:
    library = SkillLibrary().with_skills(
        [fetched(Fact("fridge", "STATE", "closed")), fetched(actions=FETCH[:2])]
    )
    again = SkillLibrary.from_json(library.to_json(), library.limit)
    assert again.to_json() == library.to_json()
    assert list(again) == list(library)


def test_merging_keeps_only_preconditions_of_both() -> None:
    one, other = fetched(Fact("fridge", "STATE", "closed")), fetched(Fact("fridge", "STATE", "on"))
    assert merged(one, other).preconditions == ()
    assert merged(one, one) == one


# -- binding -------------------------------------------------------------------------------------------------------------


def scene(*facts: Fact) -> Scene:
    return Scene(facts, NAMES, kind)


def actions_of(library: SkillLibrary, wanted: Any, here: Scene) -> list[tuple[str, ...]]:
    return [bound.actions for bound in bound_skills(library, [wanted], here)]


def test_a_skill_is_bound_to_what_is_wanted_here() -> None:
    library = SkillLibrary().with_skills([fetched()])
    found = actions_of(library, ("INSIDE", "bowl", "table"), scene())
    assert found == [("walk to bowl", "grab bowl", "walk to table", "open table", "put bowl in table")]
    assert actions_of(library, ("ON", "bowl", "table"), scene()) == []


def test_an_open_parameter_is_what_a_precondition_says() -> None:
    out = fetched(
        Fact("apple", "INSIDE", "fridge"),
        wanted=[("HOLDS", "Mary", "apple")],
        actions=["open fridge", "grab apple"],
    )
    library = SkillLibrary().with_skills([out])
    here = scene(Fact("bowl", "INSIDE", "table"), Fact("apple", "INSIDE", "fridge"))
    assert actions_of(library, ("HOLDS", "Mary", "bowl"), here) == [("open table", "grab bowl")]


def test_a_parameter_that_nothing_links_is_any_thing_of_its_kinds() -> None:
    sit = fetched(wanted=[("STATE:sitting", "Mary", None)], actions=["walk to table", "sit on table"])
    found = actions_of(SkillLibrary().with_skills([sit]), ("STATE:sitting", "Mary", None), scene())
    assert found == [("walk to kitchen", "sit on kitchen"), ("walk to table", "sit on table")]


def test_what_is_held_is_found_though_nothing_links_it_to_the_goal() -> None:
    free = fetched(
        Fact("Mary", "HOLDS", "bowl"),
        wanted=[("STATE:open", "fridge", None)],
        actions=["drop bowl", "open fridge"],
    )
    here = scene(Fact("Mary", "HOLDS", "apple 2"))
    found = actions_of(SkillLibrary().with_skills([free]), ("STATE:open", "fridge", None), here)
    assert found[0] == ("drop apple 2", "open fridge")


def test_doubts_put_a_skill_behind_others_but_do_not_rule_it_out() -> None:
    closed = fetched(Fact("fridge", "STATE", "closed"))
    opened = fetched(Fact("fridge", "STATE", "open"), actions=(*FETCH[:3], FETCH[4]))
    library = SkillLibrary().with_skills([closed, closed, opened])
    for state, first in (("closed", closed), ("open", opened)):
        found = bound_skills(library, [IN_FRIDGE], scene(Fact("fridge", "STATE", state)))
        assert [bound.doubts for bound in found] == [0, 1]
        assert found[0].skill.actions == first.actions


def test_two_parameters_are_two_things() -> None:
    both = fetched(wanted=[("ON", "apple", "table"), ("ON", "bowl", "table")], actions=["put apple on table"])
    library = SkillLibrary().with_skills([both])
    wanted = [("ON", "apple", "table"), ("ON", "bowl", "kitchen")]
    assert bound_skills(library, wanted, scene()) == []
    assert actions_of(SkillLibrary().with_skills([fetched()]), ("INSIDE", "bowl", "bowl"), scene()) == []


def test_a_thing_of_another_kind_than_before_is_a_doubt() -> None:
    library = SkillLibrary().with_skills([fetched()])
    for name, doubts in (("apple 2", 0), ("bowl", 1)):
        (bound,) = bound_skills(library, [("INSIDE", name, "fridge")], scene())
        assert bound.doubts == doubts


# -- order ---------------------------------------------------------------------------------------------------------------


def test_what_was_reached_late_in_successes_is_tried_late() -> None:
    at, on = ("AT", "Mary", "kitchen"), ("ON", "apple", "table")
    order = Order()
    for _ in range(40):
        order = order.after([[on], [at]], kind)
    assert order.places == {"AT character place": (40.0, 40), "ON thing place": (0.0, 40)}
    firsts = [order.arranged([at, on], kind, Random(seed))[0] for seed in range(50)]
    assert firsts.count(on) == 50
    unknown = [Order().arranged([at, on], kind, Random(seed))[0] for seed in range(50)]
    assert 10 < unknown.count(on) < 40
    assert Order.from_json(order.to_json()) == order
    assert order.after([[on, at]], kind) is order  # reached together: nothing to learn


# -- learning and planning in the household --------------------------------------------------------------------------------


def lived(seed: int, goal: Goal, *actions: str, **settings: Any) -> tuple[Any, Relived]:
    world = make("worldschool/Household-v0", **HOUSE, **settings)
    label = EpisodeLabel("e", 0, 0, seed, "none", "{}", "train")
    world.reset(seed=seed)
    episode = record_episode(world, Follows(*actions), label, strict=True)
    episode = replace(episode, goal=goal.text, goal_predicates=goal.key)
    return world, relive(world, episode)


def tasks_kind(world: Any) -> Any:
    return lambda name: world._now().premises.house.kind_of[name]


def planned(seed: int, goal: Goal) -> tuple[str, ...]:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=seed)
    plan = MCTS(MCTSConfig(simulations=2000), 0).plan(world, goal)
    assert plan.success
    return plan.actions


BANANA = Goal("", (("INSIDE", "banana", "fridge"),))


def library_of(seed: int, goal: Goal) -> SkillLibrary:
    world, life = lived(seed, goal, *planned(seed, goal))
    assert life.missing == ()
    return SkillLibrary().with_skills(skills_of(world, life, SkillLibrary(), tasks_kind(world), "e"))


def test_a_part_of_a_success_is_a_skill_that_works_elsewhere() -> None:
    library = library_of(3, BANANA)
    (learned,) = library
    assert all("banana" not in action for action in learned.skill.actions)
    world = make("worldschool/Household-v0", **HOUSE)
    reached = asked = 0
    for seed in range(30):
        world.reset(seed=seed)
        house = world._now().premises.house  # type: ignore[attr-defined]
        things = [name for name, _ in house.objects]
        fridges = [name for name, class_, _ in house.furniture if class_ in ("fridge", "cupboard", "chest")]
        for place in fridges[:1]:
            goal = Goal("", (("INSIDE", things[0], place),))
            search = NoSearch()
            asked += 1
            plan = SkillPlanner(library, Order(), search, tasks_kind(world)).plan(world, goal, 50)
            reached += plan.success
            if plan.success:
                assert reaches(world, goal, world.snapshot(), plan.actions)
    assert asked > 8
    assert reached >= asked / 3  # where it is closed or open as it was there


def test_things_beside_the_matter_are_replaced_by_those_it_is_about() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    goal = Goal("", (("HOLDS", "Peter", "banana"),))
    start, names = world.snapshot(), name_pattern(entity.name for entity in world.entities())
    beside = ("walk to shelf", "grab banana")
    assert reaches(world, goal, start, beside)
    assert with_fewer_names(world, goal, start, beside, names) == ("walk to banana", "grab banana")
    assert with_fewer_names(world, goal, start, ("walk to banana", "grab banana"), names) == (
        "walk to banana",
        "grab banana",
    )
    world, life = lived(3, goal, *beside)
    (skill,) = skills_of(world, life, SkillLibrary(), tasks_kind(world), "e")
    assert skill.actions == ("walk to ?2", "grab ?2")


def test_needless_actions_are_no_part_of_a_skill() -> None:
    detour = ("walk to hallway", "walk to radio", *planned(3, BANANA))
    world, life = lived(3, BANANA, *detour)
    (skill,) = skills_of(world, life, SkillLibrary(), tasks_kind(world), "e")
    assert len(skill.actions) <= len(planned(3, BANANA))


def test_each_predicate_of_a_conjunction_is_learned_and_related_ones_together() -> None:
    both = Goal("", (("INSIDE", "banana", "fridge"), ("STATE:closed", "fridge", None)))
    actions = planned(3, BANANA)
    world, life = lived(
        3, Goal("", (*both.predicates, ("AT", "Peter", "pantry"))), *actions, "close fridge", "walk to pantry"
    )
    assert life.missing == ()
    library = SkillLibrary().with_skills(skills_of(world, life, SkillLibrary(), tasks_kind(world), "e"))
    relations = {tuple(name for name, _, _ in one.skill.goal.predicates) for one in library}
    assert {("INSIDE",), ("AT",)} <= relations
    assert not any({"AT", "INSIDE"} <= set(names) for names in relations)  # the one who acts is no link


def test_a_failed_life_has_an_order_of_what_was_reached_and_what_is_missing() -> None:
    goal = Goal("", (("AT", "Peter", "pantry"), ("STATE:open", "fridge", None)))
    _, life = lived(3, goal, "walk to pantry")
    assert life.missing == (("STATE:open", "fridge", None),)
    assert life.order() == [[("AT", "Peter", "pantry")]]


def test_a_skill_that_does_not_do_what_it_says_is_not_used() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    false = make_skill(
        abstracted(BANANA.predicates, ["walk to fridge"], [], name_pattern(["banana", "fridge"])),
        tasks_kind(world),
        "e",
    )
    impossible = replace(false, actions=("fly to ?1",))
    library = SkillLibrary().with_skills([false, impossible])
    before = world.snapshot().digest
    search = NoSearch()
    attempt = SkillPlanner(library, Order(), search, tasks_kind(world)).attempt(world, BANANA, 50)
    assert attempt.actions == ()
    assert attempt.skills == ()
    assert attempt.missing == set(BANANA.predicates)
    assert [budget for _, budget in search.asked] == [50]
    assert world.snapshot().digest == before


def test_a_chain_takes_skills_and_searches_for_the_rest() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    goal = Goal("", (*BANANA.predicates, ("STATE:on", "iron", None), ("AT", "Peter", "pantry")))
    library = library_of(3, BANANA)
    planner = SkillPlanner(library, Order(), MCTS(MCTSConfig(simulations=400), 0), tasks_kind(world))
    attempt = planner.attempt(world, goal, 400, Feedback(attempts=1))
    assert attempt.missing == frozenset()
    assert len(attempt.skills) == 1
    assert 0 < attempt.simulations <= 400
    assert reaches(world, goal, world.snapshot(), attempt.actions)


def test_what_failed_before_comes_first_with_the_whole_budget() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    goal = Goal("", (*BANANA.predicates, ("STATE:on", "iron", None), ("AT", "Peter", "pantry")))
    failed = ("STATE:on", "iron", None)
    for feedback, shares in ((None, 3), (Feedback(frozenset([failed]), 1), 1)):
        search = NoSearch()
        SkillPlanner(SkillLibrary(), Order(), search, tasks_kind(world)).attempt(world, goal, 90, feedback)
        assert [budget for _, budget in search.asked] == [90 // shares] * shares
    assert search.asked[0][0].predicates == (failed,)


def test_skills_are_tried_with_the_others_acting() -> None:
    goal = Goal("", (("INSIDE", "banana", "pantry"),))
    library = library_of(3, goal)
    world = make("worldschool/Household-v0", **HOUSE, characters=3)
    used = 0
    for seed in range(6):
        world.reset(seed=seed)
        house = world._now().premises.house  # type: ignore[attr-defined]
        wanted = Goal("", (("INSIDE", house.objects[0][0], house.rooms[-1]),))
        if all(world.satisfied(wanted)):
            continue
        planner = SkillPlanner(library, Order(), MCTS(MCTSConfig(simulations=50), seed), tasks_kind(world))
        plan = planner.plan(world, wanted, 50)
        if plan.success:
            used += 1
            assert reaches(world, wanted, world.snapshot(), plan.actions)
    assert used >= 3


@pytest.mark.parametrize("detours", [1, 8])
def test_trimming_leaves_out_what_is_not_needed(detours: int) -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    world.set_goal(BANANA)
    start = world.snapshot()
    actions = ("walk to hallway", "walk to pantry") * detours + planned(3, BANANA)
    found = trimmed(world, BANANA, start, actions)
    assert len(found) <= len(planned(3, BANANA))
    assert reaches(world, BANANA, start, found)


def test_a_first_attempt_loses_nothing_that_held_and_a_second_may() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    world.step("walk to pantry")
    there, on = ("AT", "Peter", "pantry"), ("STATE:on", "iron", None)
    goal = Goal("", (there, on))
    switch = make_skill(
        abstracted([on], ["walk to iron", "switch on iron"], [], name_pattern(["iron"])),
        tasks_kind(world),
        "e",
    )
    library = SkillLibrary().with_skills([switch])
    planner = SkillPlanner(library, Order(), NoSearch(), tasks_kind(world))
    assert planner.attempt(world, goal, 0).actions == ()
    second = planner.attempt(world, goal, 0, Feedback(attempts=1))
    assert second.actions == ("walk to iron", "switch on iron")
    assert second.missing == {there}


def test_a_part_is_searched_for_together_with_all_that_holds() -> None:
    world = make("worldschool/Household-v0", **HOUSE)
    world.reset(seed=3)
    world.step("walk to pantry")
    there, on = ("AT", "Peter", "pantry"), ("STATE:on", "iron", None)
    for feedback, asked in ((None, (there, on)), (Feedback(attempts=1), (on,))):
        search = NoSearch()
        SkillPlanner(SkillLibrary(), Order(), search, tasks_kind(world)).attempt(
            world, Goal("", (there, on)), 10, feedback
        )
        assert [goal.predicates for goal, _ in search.asked] == [asked]


@pytest.mark.parametrize("max_steps", [1, 3, 5])
def test_a_chain_stops_short_of_the_step_limit(max_steps: int) -> None:
    world = make("worldschool/Household-v0", max_steps=max_steps)
    world.reset(seed=3)
    goal = Goal("", (*BANANA.predicates, ("STATE:on", "iron", None), ("HOLDS", "Peter", "puzzle")))
    planner = SkillPlanner(
        library_of(3, BANANA), Order(), MCTS(MCTSConfig(simulations=60), 0), tasks_kind(world)
    )
    attempt = planner.attempt(world, goal, 60)
    assert len(attempt.actions) < max_steps or max_steps == 1
    assert attempt.missing
