from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool.agents.base import agent_config, make_agent, state_class
from worldschool.agents.curriculum.agent import CurriculumAgent, feedback_on
from worldschool.agents.curriculum.config import CurriculumConfig, WordsConfig
from worldschool.agents.curriculum.progress import Progress, novelty, reweighted
from worldschool.agents.curriculum.proposals import Drawn, propose_goal, score
from worldschool.agents.curriculum.state import FAILURES_KEPT, TEXTS_KEPT, CurriculumState
from worldschool.agents.curriculum.tasks import (
    BabbledTasks,
    abstract_predicates,
    draw_task,
    family_of,
    proposal_digest,
    start_digest,
    task_digest,
    task_generator,
)
from worldschool.agents.curriculum.words import Asked, examples, prompt, propose_in_words
from worldschool.canonical import canonical_json
from worldschool.envs import make
from worldschool.errors import ConfigError, DatasetError, ModelError, UserError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.records import Episode, Goal

HOUSE = {"max_steps": 80}
LIGHT = {"simulations": 60}


def configured(**settings: Any) -> CurriculumConfig:
    config = agent_config("curriculum", {"search": LIGHT, **settings})
    assert isinstance(config, CurriculumConfig)
    return config


def live(
    config: CurriculumConfig,
    world_of: Callable[[], Any],
    state: CurriculumState,
    indices: Sequence[int],
    fresh: bool = False,
) -> list[Episode]:
    """Live a round with one world, or with a fresh one for every episode."""
    world = world_of()
    episodes = []
    for index in indices:
        world = world_of() if fresh else world
        label = EpisodeLabel(f"e{index}", 0, index, 1000 + index, "curriculum", "{}", "train")
        agent = make_agent("curriculum", config, world, 77 + index, state)
        episodes.append(record_episode(world, agent, label, strict=True))
    return episodes


def household(**settings: Any) -> Any:
    return make("worldschool/Household-v0", **{**HOUSE, **settings})


@pytest.fixture
def corridor(registered_fake: str) -> Callable[[], Any]:
    return lambda: make(registered_fake, goal="none", length=4)


# -- progress -------------------------------------------------------------------------------------------------------------


def test_progress_is_the_formula_by_hand() -> None:
    solved = Progress().after(True, 0.5)
    # fast = 0 + 0.5 (1 - 0) = 0.5; slow = 0 + 0.5 (0.5 - 0) = 0.25, as after one success each
    assert solved == Progress(1, 1, 0.5, 0.25)
    assert (solved.success(0.5), solved.progress(0.5)) == (1, 0)
    then_failed = solved.after(False, 0.5)
    # fast = 0.25, after two successes 0.75: F = 1/3; slow = 0.25, after two successes 0.5: S = 1/2
    assert then_failed == Progress(2, 1, 0.25, 0.25)
    assert then_failed.success(0.5) == pytest.approx(1 / 3)
    # f(1/2) = 0.9 * 0.5 / (0.5 + 0.1 * 0) = 0.9; f(1/3) = 0.3 / (1/3 + 0.1 * 1/3) = 0.8181818
    assert then_failed.progress(0.5) == pytest.approx(0.9 - 0.8181818)


def test_what_is_certain_or_hopeless_has_no_progress() -> None:
    certain = hopeless = learned = Progress()
    for number in range(200):
        certain, hopeless = certain.after(True, 0.1), hopeless.after(False, 0.1)
        learned = learned.after(number > 190, 0.1)
        assert certain.progress(0.1) == pytest.approx(0, abs=1e-9)
        assert hopeless.progress(0.1) == 0
    assert learned.progress(0.1) > 0.1
    forgotten = certain
    for _ in range(10):
        forgotten = forgotten.after(False, 0.1)
    assert forgotten.progress(0.1) > 0.1


@given(st.lists(st.booleans(), max_size=60), st.floats(0.01, 1))
def test_averages_stay_in_their_range(outcomes: list[bool], rate: float) -> None:
    known = Progress()
    for outcome in outcomes:
        known = known.after(outcome, rate)
    assert 0 <= known.slow <= 1
    assert 0 <= known.progress(rate) <= 1
    assert 0 <= known.success(rate) <= 1
    assert Progress.from_json(known.to_json()) == known


def test_reweighting_keeps_the_ends_and_magnifies_rare_success() -> None:
    assert (reweighted(0), reweighted(1)) == (0, 1)
    assert reweighted(0.1) == pytest.approx(0.5)
    assert [novelty(n) for n in (0, 3)] == [1, 0.5]


# -- tasks ----------------------------------------------------------------------------------------------------------------


def test_a_task_is_the_same_in_every_house_and_in_every_wording() -> None:
    world = household()
    world.reset(seed=3)
    tasks = task_generator(world)
    one = tasks.read("Put the banana in the fridge and go to the pantry")
    other = tasks.read("walk to the pantry, then store the banana inside the fridge")
    assert one.key == other.key
    assert abstract_predicates(tasks, one.predicates) == (
        ("AT", "character", "room"),
        ("INSIDE", "thing", "container"),
    )
    assert family_of(one) == "2 AT+INSIDE"
    assert family_of(tasks.read("open the fridge and turn on the iron")) == "2 STATE"
    start = start_digest(world.world_id, world.entities(), world.facts())
    world.set_goal(one)
    assert start_digest(world.world_id, world.entities(), world.facts()) == start
    assert proposal_digest(start, one) == proposal_digest(start, other)


def test_other_worlds_have_the_tasks_that_random_walks_bring_about(corridor: Callable[[], Any]) -> None:
    world = corridor()
    world.reset(seed=5)
    before = world.snapshot().digest
    tasks = task_generator(world)
    assert isinstance(tasks, BabbledTasks)
    offers = tasks.offers()
    assert ("HOLDS", "Mary", "key") in offers["HOLDS"]
    known = {(name, subject) for name, subject, _ in offers["AT"]}
    assert known == {("AT", "Mary"), ("AT", "key")}  # the chest does not walk
    for size in (1, 2):
        goal = draw_task(tasks, size, Random(0))
        assert goal is not None
        assert len(goal.predicates) == size
        assert not any(world.satisfied(goal))
        assert tasks.fits(goal.predicates)
    assert not tasks.fits([("HOLDS", "Mary", "key"), ("AT", "key", "room 1")])
    assert world.snapshot().digest == before
    assert BabbledTasks(world).offers() == offers


# -- proposals ------------------------------------------------------------------------------------------------------------


def known(config: CurriculumConfig, **families: tuple[int, float]) -> CurriculumState:
    """A state in which families ("1_ON") succeeded so often and so likely, all sizes unlocked."""
    rng = Random(0)
    rows = {}
    for name, (attempts, success) in families.items():
        progress = Progress()
        for _ in range(attempts):
            progress = progress.after(rng.random() < success, config.rate)
        rows[name.replace("_", " ")] = progress
    return replace(CurriculumState.begin(config), families=rows)


def proposed(state: CurriculumState, world: Any, count: int) -> Counter[str]:
    tasks = task_generator(world)
    start = start_digest(world.world_id, world.entities(), world.facts())
    goals = [propose_goal(state, tasks, start, Random(seed)) for seed in range(count)]
    return Counter(family_of(goal) for goal in goals if goal is not None)


def test_goals_that_are_being_learned_are_proposed_more_than_certain_and_hopeless_ones() -> None:
    world = household()
    world.reset(seed=3)
    families = {"1_ON": (100, 1.0), "1_INSIDE": (100, 0.0), "1_HOLDS": (100, 1.0), "1_AT": (100, 1.0)}
    state = known(configured(novelty=0.0), **families)
    learning = Progress(100, 40, 0.3, 0.1)
    state = replace(state, families={**state.families, "1 STATE": learning})
    counts = proposed(state, world, 300)
    assert counts["1 STATE"] > 150
    assert (
        min(counts[f] for f in ("1 ON", "1 INSIDE", "1 HOLDS", "1 AT")) > 5
    )  # the floor leaves none for good
    without = proposed(replace(state, config=configured(novelty=0.0, progress=0.0)), world, 300)
    assert without["1 STATE"] < 100


def test_what_was_tried_less_is_proposed_more() -> None:
    world = household()
    world.reset(seed=3)
    tasks = task_generator(world)
    offers = tasks.offers()
    often = {
        task_digest(abstract_predicates(tasks, [one])): (399, 399)
        for relation in ("ON", "INSIDE", "HOLDS")
        for one in offers[relation]
    }
    state = replace(CurriculumState.begin(configured()), tasks=often)
    counts = proposed(state, world, 200)
    assert counts["1 AT"] + counts["1 STATE"] > 150
    drawn = [Drawn(Goal(""), 3, 0), Drawn(Goal(""), 0, 0)]
    assert score(state.config, None, drawn) == pytest.approx(0.05 + 0.5 * (0.5 + 1) / 2)
    learning = Progress(100, 40, 0.3, 0.1)
    assert score(state.config, learning, drawn) == pytest.approx(0.05 + learning.progress(0.1) + 0.375)


def sizes_of(counts: Counter[str]) -> list[int]:
    """How many goals were of 1, 2 and 3 predicates."""
    return [sum(count for family, count in counts.items() if family.startswith(f"{n} ")) for n in (1, 2, 3)]


def test_steps_are_shared_out_by_score_whatever_the_number_of_families() -> None:
    world = household()
    world.reset(seed=3)
    state = CurriculumState.begin(configured(horizon=3, progress=0.0, novelty=0.0))
    state = replace(state, sizes=dict.fromkeys((1, 2, 3), Progress(20, 20, 0.9, 0.6)))
    sizes = sizes_of(proposed(state, world, 330))
    # In proportion to 1, 1/2 and 1/3: 180, 90 and 60 of 330, give or take three standard errors.
    assert sizes == pytest.approx([180, 90, 60], abs=27)
    learning = {**state.sizes, 3: Progress(100, 40, 0.3, 0.1)}
    drawn = proposed(replace(state, config=configured(horizon=3, novelty=0.0), sizes=learning), world, 330)
    assert sizes_of(drawn)[2] > 150


def test_the_horizon_grows_with_success() -> None:
    config = configured(unlock_attempts=4, horizon=3)
    state = CurriculumState.begin(config)
    assert state.horizon == 1
    certain, hopeless = Progress(4, 4, 0.3, 0.1), Progress(40, 2, 0.05, 0.05)
    assert replace(state, sizes={1: replace(certain, attempts=3)}).horizon == 1
    assert replace(state, sizes={1: certain}).horizon == 2
    assert replace(state, sizes={1: certain, 2: hopeless}).horizon == 2
    assert replace(state, sizes={1: certain, 2: certain, 3: certain}).horizon == 3


@pytest.mark.parametrize("goals", ["curriculum", "uniform", "uniform_steps"])
def test_no_goal_holds_at_the_start(goals: str) -> None:
    world = household()
    state = CurriculumState.begin(configured(goals=goals, unlock_attempts=1, unlock_success=0.0))
    state = replace(state, sizes=dict.fromkeys(range(1, 9), Progress(1, 1, 0.1, 0.0)))
    sizes = set()
    for seed in range(40):
        world.reset(seed=seed)
        tasks = task_generator(world)
        goal = propose_goal(state, tasks, "start", Random(seed))
        assert goal is not None
        assert not all(world.satisfied(goal))
        sizes.add(len(goal.predicates))
    assert len(sizes) > 4


def test_a_goal_is_not_asked_again_where_it_was_reached(corridor: Callable[[], Any]) -> None:
    world = corridor()
    state = CurriculumState.begin(configured(unlock_attempts=1, unlock_success=0.0))
    world.reset(seed=5)
    start = start_digest(world.world_id, world.entities(), world.facts())
    asked: list[str] = []
    for seed in range(200):
        goal = propose_goal(state, task_generator(world), start, Random(seed))
        if goal is None:
            break
        digest = proposal_digest(start, goal)
        asked.append(digest)
        state = replace(state, proposals={**state.proposals, digest: True})
    else:
        raise AssertionError("goals never ran out in a world of a few states")
    assert len(set(asked)) == len(asked) > 3
    other = propose_goal(state, task_generator(world), "another start", Random(0))
    assert other is not None


def test_of_a_family_the_task_least_solved_is_taken() -> None:
    world = household()
    world.reset(seed=3)
    tasks = task_generator(world)
    state = CurriculumState.begin(configured(candidates=64))
    common = [("ON", kind, "surface") for kind in ("thing", "garment", "vessel")]
    state = replace(state, tasks={task_digest((row,)): (5, 5) for row in common})
    goals = [propose_goal(state, tasks, "start", Random(seed)) for seed in range(60)]
    rows = [abstract_predicates(tasks, goal.predicates) for goal in goals if goal is not None]
    on = [row for row in rows if row[0][0] == "ON"]
    assert sum(row[0] in common for row in on) < len(on) / 4  # of all that may be asked they are two thirds


# -- rounds ---------------------------------------------------------------------------------------------------------------


def after_rounds(config: CurriculumConfig, world_of: Callable[[], Any], rounds: int, size: int) -> Any:
    state, episodes = CurriculumState.begin(config), []
    for number in range(rounds):
        lived = live(config, world_of, state, range(number * size, (number + 1) * size))
        episodes += lived
        state = state.after(lived)
    return state, episodes


def test_rounds_in_the_household_bring_skills_and_longer_goals() -> None:
    config = configured(unlock_attempts=4)
    state, episodes = after_rounds(config, household, 4, 6)
    assert state.rounds == 4
    assert state.episodes == 24 == sum(one.attempts for one in state.families.values())
    assert sum(episode.success for episode in episodes) >= 15
    assert state.horizon >= 2
    assert len(state.library) >= 6
    assert max(one.successes for one in state.library) >= 3
    assert not any(episode.success and episode.length == 0 for episode in episodes)
    assert len(state.proposals) == 24


def test_a_state_is_read_as_it_was_written_and_goes_on_the_same() -> None:
    config = configured()
    state, _ = after_rounds(config, household, 2, 4)
    written = canonical_json(state.to_json())
    again = CurriculumState.from_json(config, json.loads(written))
    assert canonical_json(again.to_json()) == written
    lived = live(config, household, state, range(8, 11))
    assert live(config, household, again, range(8, 11)) == lived
    assert canonical_json(again.after(lived).to_json()) == canonical_json(state.after(lived).to_json())
    assert canonical_json(state.to_json()) == written  # nothing was changed in place


def test_episodes_depend_on_their_index_and_the_state_alone() -> None:
    config = configured()
    state, _ = after_rounds(config, household, 1, 6)
    together = live(config, household, state, range(6, 10))
    apart = [live(config, household, state, [index], fresh=True)[0] for index in (9, 7, 8, 6)]
    assert together == sorted(apart, key=lambda episode: episode.index)


def test_another_world_and_others_acting_are_no_hindrance(corridor: Callable[[], Any]) -> None:
    config = configured(unlock_attempts=4)
    state, episodes = after_rounds(config, corridor, 3, 6)
    assert sum(episode.success for episode in episodes) >= 12
    assert len(state.library) >= 2
    for settings in ({"characters": 3}, {"characters": 2, "control": "all"}):
        state, episodes = after_rounds(config, lambda given=settings: household(**given), 2, 3)
        assert sum(episode.success for episode in episodes) >= 3
        assert not any(episode.error for episode in episodes)


def test_without_skills_none_are_learned_or_used() -> None:
    config = configured(skills=False)
    state, _ = after_rounds(config, household, 2, 3)
    assert len(state.library) == 0
    assert state.order.places == {}


def test_an_episode_that_raised_or_asked_for_nothing_teaches_nothing() -> None:
    config = configured()
    state = CurriculumState.begin(config)
    (episode,) = live(config, household, state, [0])
    broken = replace(episode, error="ZeroDivisionError: no", success=False)
    aimless = replace(episode, goal="", goal_predicates="[]", success=False)
    after = state.after([broken, aimless])
    assert after.to_json() == {**state.to_json(), "episodes": 2, "rounds": 1}


def test_success_is_what_the_world_said() -> None:
    config = configured()
    state = CurriculumState.begin(config)
    lived = [episode for episode in live(config, household, state, range(4)) if episode.success]
    assert lived
    doubted = replace(lived[0], success=False)
    after = state.after([doubted])
    assert [one.successes for one in after.families.values()] == [0]
    assert len(after.library) == 0
    # A success that living again does not show: one thing more was wanted.
    more = canonical_json([*json.loads(lived[0].goal_predicates), ["STATE:dirty", "class:bowl", None]])
    world = household()
    world.reset(seed=lived[0].seed)
    bowl = next(e.class_ for e in lived[0].entities if task_generator(world).kind(e.name) == "vessel")
    claimed = replace(lived[0], goal_predicates=more.replace("bowl", bowl))
    assert state.after([lived[0]]).library.learned
    assert not state.after([claimed]).library.learned


def test_what_is_remembered_is_bounded() -> None:
    config = configured(remembered=5, skill_limit=3)
    state, _ = after_rounds(config, household, 2, 5)
    assert len(state.proposals) == 5
    assert len(state.tasks) <= 5
    assert len(state.library) == 3
    assert len(state.solved) <= TEXTS_KEPT
    (episode,) = live(config, household, state, [50])
    failed = replace(episode, success=False, steps=(), length=0)
    many = state.after([failed] * 3)
    (failure,) = [one for one in many.failures if one.attempts == 3]
    assert failure.failed == failure.task
    assert len(replace(many, failures=(failure,) * 100)._failures_after((), (), False)) == FAILURES_KEPT


# -- failures ---------------------------------------------------------------------------------------------------------------


def test_a_failed_task_is_asked_again_elsewhere_with_what_failed() -> None:
    config = configured(retry_share=1.0)
    state = CurriculumState.begin(config)
    (episode,) = live(config, household, state, [0])
    failed = state.after([replace(episode, success=False, steps=(), length=0)])
    (failure,) = failed.failures
    world = household()
    again = 0
    for seed in range(10):
        world.reset(seed=seed)
        tasks = task_generator(world)
        goal = propose_goal(failed, tasks, "start", Random(seed))
        assert goal is not None
        if abstract_predicates(tasks, goal.predicates) == failure.task:
            again += 1
            feedback = feedback_on(failed, tasks, goal)
            assert feedback.failed == set(goal.predicates)
            assert feedback.attempts == 1
    assert again >= 5
    assert failed.after([episode]).failures == () or not episode.success


def test_an_agent_tries_again_in_the_same_episode_knowing_what_failed() -> None:
    world = household()
    config = configured(goals="world", retries=2)
    agent = CurriculumAgent(config, world, 0, CurriculumState.begin(config))
    seen = []

    class Recording:
        def attempt(self, world: Any, goal: Goal, budget: int, feedback: Any) -> Any:
            seen.append(feedback)
            return replace_attempt(goal)

    def replace_attempt(goal: Goal) -> Any:
        from worldschool.agents.skills.planner import Attempt

        return Attempt((), frozenset(goal.predicates[:1]), 0, ())

    world.reset(seed=3)
    goal = Goal("", (("AT", "Peter", "pantry"), ("STATE:on", "iron", None)))
    world.set_goal(goal)
    agent._planner = lambda tasks: Recording()  # type: ignore[method-assign, assignment, return-value]
    agent.reset(goal, {})
    assert agent.act("", {}) is None
    assert [one.attempts for one in seen] == [0, 1, 2]
    assert [one.failed for one in seen] == [frozenset(), {goal.predicates[0]}, {goal.predicates[0]}]


# -- words ------------------------------------------------------------------------------------------------------------------


class Speaker:
    """A language model that says what it was given to say, and keeps what it was asked."""

    name = fingerprint = "speaker"
    context_length = 10_000

    def __init__(self, *replies: str) -> None:
        self._replies = list(replies)
        self.prompts: list[str] = []

    def score(self, prompts: Any, completions: Any, advance: Any = None) -> Any:
        raise AssertionError("nothing is scored here")

    def generate(self, prompts: Sequence[str], max_new_tokens: int, advance: Any = None) -> list[str]:
        self.prompts += prompts
        return [self._replies.pop(0)]


WORDS = WordsConfig(model="speaker", share=1.0, tries=3)


def asked(**settings: Any) -> tuple[Any, Asked]:
    world = household()
    world.reset(seed=3)
    start = start_digest(world.world_id, world.entities(), world.facts())
    state = CurriculumState.begin(configured(**settings))
    return world, Asked(state, task_generator(world), start)


def test_a_task_in_words_is_read_and_refusals_are_told_in_the_next_prompt() -> None:
    _, of = asked()
    speaker = Speaker("Fly to the moon.", "Put the banana in the oven", "Put the banana into the fridge!")
    found = propose_in_words(speaker, WORDS, of)
    assert found.goal == Goal("Put the banana into the fridge!", (("INSIDE", "banana", "fridge"),))
    assert [refusal.text for refusal in found.refused] == ["Fly to the moon.", "Put the banana in the oven"]
    assert "refused" not in speaker.prompts[0]
    assert "Fly to the moon." in speaker.prompts[1]
    assert "cannot be read" in speaker.prompts[1]
    assert "there is no 'oven' in this house" in speaker.prompts[2]


def test_tasks_in_words_are_held_to_the_same_rules() -> None:
    world, of = asked()
    done = replace(
        of.state,
        proposals={proposal_digest(of.start, Goal("", (("INSIDE", "banana", "fridge"),))): True},
    )
    speaker = Speaker(
        "put the banana in the fridge and turn on the iron",  # two things, but only one is asked for yet
        "Store the banana in the fridge.",  # other words for what was done here before
        f"go to the {next(f.object for f in world.facts() if f.relation == 'AT')}",  # so already
    )
    found = propose_in_words(speaker, WORDS, of._replace(state=done))
    assert found.goal is None
    reasons = [refusal.reason for refusal in found.refused]
    assert "asks for 2 things" in reasons[0]
    assert "asked here before" in reasons[1]
    assert "already so" in reasons[2]
    refused = propose_in_words(
        Speaker("turn on the iron"),
        WORDS.model_copy(update={"tries": 1}),
        of._replace(is_solvable=lambda goal: False),
    )
    assert "no way to do this was found" in refused.refused[0].reason


def test_examples_are_of_this_place_and_copying_one_is_refused() -> None:
    _, of = asked()
    (example,) = examples(of)
    assert f"Task: {example.text}\nTask:" in prompt(of)
    assert examples(of) == [example]
    refused = propose_in_words(Speaker(example.text), WORDS.model_copy(update={"tries": 1}), of).refused
    assert "one of the examples" in refused[0].reason


def test_a_model_that_says_the_same_again_is_not_asked_further() -> None:
    _, of = asked()
    found = propose_in_words(Speaker("Fly.", "Fly."), WORDS, of)
    assert [refusal.text for refusal in found.refused] == ["Fly.", "Fly."]


def test_the_prompt_tells_what_was_done_and_what_failed() -> None:
    _, of = asked()
    text = prompt(of._replace(state=replace(of.state, solved=("Open the chest.",), failed=("Lie down.",))))
    assert (
        text.index("were done")
        < text.index("Open the chest.")
        < text.index("failed")
        < text.index("Lie down.")
    )
    assert "banana" in text
    assert text.endswith("Task:")


def test_an_agent_takes_what_the_model_proposes_or_else_a_task_of_the_world() -> None:
    config = configured(words={"model": "speaker", "share": 1.0, "tries": 2})
    world = household()
    world.reset(seed=3)
    state = CurriculumState.begin(configured())
    agent = CurriculumAgent(config, world, 0, state, Speaker("turn on the iron"))  # type: ignore[arg-type]
    goal = agent.propose("", {})
    assert goal is not None and goal.text == "turn on the iron"
    agent = CurriculumAgent(config, world, 0, state, Speaker("no", "never"))  # type: ignore[arg-type]
    goal = agent.propose("", {})
    assert goal is not None and goal.predicates
    assert [refusal.text for refusal in agent.refused] == ["no", "never"]


def test_a_local_model_proposes_the_same_every_time(roomy_llama: Any) -> None:
    config = configured(words={"model": str(roomy_llama), "share": 1.0, "tries": 2, "max_new_tokens": 4})
    state = CurriculumState.begin(config)
    assert live(config, household, state, [0]) == live(config, household, state, [0])


@pytest.mark.parametrize(
    "settings", [{"words": {"model": "/no/such/model"}}, {"search": {"prior_model": "/no/such/model"}}]
)
def test_a_model_that_is_not_there_is_told_before_the_first_episode(settings: dict[str, Any]) -> None:
    config = configured(**settings)
    with pytest.raises(ModelError, match="/no/such/model"):
        CurriculumState.begin(config)
    with pytest.raises(ModelError, match="/no/such/model"):
        CurriculumAgent(config, household(), 0, CurriculumState.begin(configured()))


# -- errors -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"goals": "best"}, "curriculum"),
        ({"horizon": 0}, "horizon"),
        ({"words": {"share": 2}}, "words"),
        ({"retry": 1}, "the agent 'curriculum' has no setting 'retry'"),
    ],
)
def test_settings_are_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        agent_config("curriculum", values)


@pytest.mark.parametrize(
    "values",
    [{}, {"schema": "worldschool.curriculum/2"}, {"schema": "worldschool.curriculum/1"}, []],
)
def test_what_is_no_state_is_refused(values: Any) -> None:
    with pytest.raises(DatasetError, match="curriculum state"):
        CurriculumState.from_json(configured(), values)


def test_damaged_numbers_are_refused() -> None:
    config = configured()
    values = CurriculumState.begin(config).to_json()
    with pytest.raises(DatasetError, match="no attempts, successes and averages"):
        CurriculumState.from_json(config, {**values, "families": {"1 ON": [1, 2, 0.5, 0.5]}})


def test_the_table_knows_the_agent() -> None:
    assert state_class("curriculum") is CurriculumState
    assert state_class("random") is None


# -- another agent goes on ------------------------------------------------------------------------------------------------


SMALL = {"rooms": [2, 3], "objects": [3, 4], "goal": "random", "max_steps": 16}


class Watching:
    """Walks about at random, and writes down what it is told."""

    def __init__(self) -> None:
        self.reset_to: list[Goal] = []
        self.noticed: list[str] = []
        self.acted = 0

    def reset(self, goal: Goal, info: dict[str, Any]) -> None:
        self.reset_to.append(goal)

    def act(self, observation: str, info: dict[str, Any]) -> str:
        self.acted += 1
        return next(one for one in info["legal_actions"] if one.startswith("walk"))

    def notice(self, observation: str, info: dict[str, Any], action: str) -> None:
        self.noticed.append(action)


def lived_with(config: CurriculumConfig, state: CurriculumState, monkeypatch: pytest.MonkeyPatch) -> Any:
    other = Watching()
    monkeypatch.setattr("worldschool.agents.curriculum.agent._other", lambda *_: other)
    return other, live(config, lambda: household(**SMALL), state, range(12))


def test_where_no_plan_is_found_another_agent_goes_on_and_is_told_of_the_steps_that_were_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = configured(search=None, tries={"name": "random"})
    other, episodes = lived_with(config, CurriculumState.begin(config), monkeypatch)
    assert len(other.reset_to) == 12 and other.acted == sum(len(one.steps) for one in episodes)
    assert [one.key for one in other.reset_to] == [one.goal_predicates for one in episodes]
    assert other.noticed == []
    taught = configured()
    learned = CurriculumState.begin(taught).after(
        live(taught, household, CurriculumState.begin(taught), range(30))
    )
    assert len(learned.library)
    other, episodes = lived_with(config, replace(learned, config=config), monkeypatch)
    planned = sum(len(one.steps) for one in episodes) - other.acted
    assert planned == len(other.noticed) > 0
    by_skill = [
        one for one in episodes if one.success and {step.action for step in one.steps} <= set(other.noticed)
    ]
    assert by_skill, "no skill reached a goal"


def test_an_attempt_after_every_step_is_by_skills_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(search=None)
    (episode,) = live(config, lambda: household(**SMALL), CurriculumState.begin(config), [0])
    assert episode.steps == () and not episode.success  # nothing is known, nobody searches, nobody goes on


def test_what_another_run_left_is_known_at_the_beginning(tmp_path: Any) -> None:
    config = configured()
    state = CurriculumState.begin(config).after(
        live(config, household, CurriculumState.begin(config), range(6))
    )
    (tmp_path / "state.json").write_text(canonical_json(state.to_json()))
    later = configured(known=str(tmp_path / "state.json"))
    assert CurriculumState.begin(later) == replace(state, config=later)
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(DatasetError, match="schema"):
        CurriculumState.begin(later)
    with pytest.raises(UserError, match="state.json"):
        CurriculumState.begin(configured(known=str(tmp_path / "nowhere" / "state.json")))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"tries": {"name": "nobody"}}, "there is no agent 'nobody'"),
        ({"tries": {"name": "curriculum"}}, "learns by itself"),
        ({"tries": {"name": "follower", "settings": {"focus": 3}}}, "focus"),
        ({"tries": {"name": "follower", "settings": {"recall": {"use": "a:B"}}}}, "leave it out"),
        ({"tries": {"name": "follower"}, "adapter": "x"}, "no setting `adapter`"),
        ({"adapter": "x"}, "give `tries`"),
        ({"search": None, "words": {"model": "x", "solvable_within": 5}}, "give `search`"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        agent_config("curriculum", settings)
