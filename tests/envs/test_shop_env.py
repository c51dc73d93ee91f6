"""The shop as an environment: actions, pages, reward, errors, snapshots, and what agents need of it."""

from __future__ import annotations

import pickle
from random import Random

import gymnasium
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.envs import small_shop
from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.curriculum.tasks import draw_task, task_generator
from worldschool.agents.mcts import MCTS, MCTSConfig
from worldschool.agents.skills.library import SkillLibrary
from worldschool.agents.skills.order import Order
from worldschool.agents.skills.planner import SkillPlanner
from worldschool.envs import make
from worldschool.envs.shop.queries import queries_of
from worldschool.envs.shop.telling import STYLES
from worldschool.errors import WorldError
from worldschool.records import Goal, Snapshot

WORLD = "worldschool/Shop-v0"
BUYING = [
    "search[lavender candle]",
    "click[b0candle00]",
    "click[navy blue]",
    "click[features]",
    "click[< prev]",
    "click[buy now]",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(small_shop.write(tmp_path_factory.mktemp("shop") / "catalogue"))


@pytest.fixture
def world(folder):
    made = make(WORLD, catalogue=folder)
    made.reset(seed=0)
    return made


def do(world, *actions):
    for action in actions:
        found = world.step(action)
        assert found[4]["error"] is None, found[4]["error"]
    return found


def test_buying_what_is_wanted_ends_the_episode_with_reward_one(world):
    assert world.goal.text.startswith("i need a long lasting lavender")
    observation, reward, terminated, truncated, info = do(world, *BUYING)
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)
    assert info["score"]["r_option"] == info["score"]["r_att"] == 1.0
    assert "Your score (min 0.0, max 1.0) [SEP] 1.0" in observation
    assert all(world.satisfied(world.goal)) and world.progress(world.goal) == 1.0
    assert world.legal_actions() == []
    with pytest.raises(WorldError, match="the episode has ended"):
        world.step("search[candle]")


def test_what_is_missing_costs_its_share(world):
    actions = [action for action in BUYING if action != "click[navy blue]"]
    *_, reward, _, _, info = do(world, *actions)
    assert reward == 3 / 4 and not info["success"]
    held = dict(zip(world.goal.predicates, world.satisfied(world.goal), strict=True))
    assert [predicate[0] for predicate, holds in held.items() if not holds] == ["OPTION"]


def test_the_dear_candle_misses_the_bound_and_an_attribute(world):
    *_, reward, _, _, info = do(
        world, "search[lavender]", "click[b0candle02]", "click[navy blue]", "click[buy now]"
    )
    assert reward == 2 / 4 and info["score"]["r_price"] is False


def test_pages_and_clickables(world):
    observation, _, _, _, info = do(world, "search[pine candle]")
    assert info["clickables"][:2] == ["back to search", "next >"] and len(info["clickables"]) == 12
    assert not info["has_search_bar"] and "Page 1 (Total results: " in observation
    *_, info = do(world, "click[next >]")
    assert "next >" not in info["clickables"], "13 pines and 3 others are two pages"
    assert "click[next >]" not in world.legal_actions()
    *_, info = do(world, "click[< prev]", "click[back to search]")
    assert info["has_search_bar"] and info["clickables"] == ["search"]
    assert world.legal_actions() == sorted(f"search[{query}]" for query in queries_of(world.goal.text))


def test_legal_actions_succeed(folder):
    rng = Random(3)
    for split in ("train", "heldout"):
        world = make(WORLD, catalogue=folder, split=split, max_steps=60)
        world.reset(seed=1)
        for _ in range(60):
            legal = world.legal_actions()
            assert legal == sorted(set(legal)) and legal
            _, _, terminated, truncated, info = world.step(rng.choice(legal))
            assert info["error"] is None and len(info["events"]) == 1
            if terminated or truncated:
                break


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("buy it", "'buy it' is no action. Write search[WORDS] or click[TEXT]."),
        ("click[search]", "'click[search]' is no action."),
        ("search[]", "'search[]' is no action."),
        ("click[B0NOTHERE0]", "There is nothing called 'b0nothere0' to click on this page."),
        ("click[buy now]", "Here one can only search."),
        ("click[" + "x" * 500 + "]", "There is nothing called 'xxx"),
        ("\x00", "is no action"),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_says_why(world, action, told):
    before = world.snapshot()
    _, reward, terminated, _, info = world.step(action)
    assert told in info["error"] and (reward, terminated, info["events"]) == (0.0, False, ())
    assert world.snapshot().position == before.position != ""
    assert world.snapshot().bookkeeping[0] == before.bookkeeping[0] + 1


def test_there_is_no_search_box_on_other_pages_unless_webshop_is_asked_for(folder, world):
    do(world, "search[candle]")
    assert "click[back to search]" in world.step("search[jeans]")[4]["error"]
    webshop = make(WORLD, catalogue=folder, compat="webshop")
    webshop.reset(seed=0, options={"goal_index": 0})
    do(webshop, "search[candle]", "search[jeans]", "click[b0jeans001]", "click[buy now]", "search[jeans]")
    assert "click[next >]" in webshop.legal_actions(), "there is always a next page there"


def test_values_of_two_options_and_like_buttons_are_told_apart(folder):
    world = make(WORLD, catalogue=folder, split="heldout", observation_mode="text_rich")
    world.reset(seed=0)
    *_, info = do(world, "search[jeans]", "click[b0jeans001]")
    for label in ("size: 30", "length: 30", "fit: features", "32 [slim]"):
        assert label in info["clickables"]
    observation, *_ = do(world, "click[length: 30]", "click[32 [slim]]")
    assert "  [clicked button] length: 30 [clicked button_]\n" in observation
    assert "  [button] size: 30 [button_]\n" in observation
    assert world.visit.session.options == (("length", "30"), ("size", "32 [slim]"))
    *_, reward, _, _, info = do(world, "click[buy now]")
    assert reward == 1.0


def test_an_option_under_the_wrong_name_counts_for_webshop_alone(folder):
    wanted = (("TYPE", "B0JEANS001", None), ("ATTRIBUTE", "straight leg", None), ("OPTION", "30", "size"))
    rewards = []
    for compat, click in ((None, "click[size: 30]"), (None, "click[length: 30]"), ("webshop", "click[30]")):
        world = make(WORLD, catalogue=folder, compat=compat)
        world.reset(options={"goal": Goal("jeans", wanted)})
        rewards.append(do(world, "search[jeans]", "click[b0jeans001]", click, "click[buy now]")[1])
        if compat:
            assert world.visit.session.options == (("length", "30"),), "the last of the two has the value"
    assert rewards == [1.0, 2 / 3, 1.0]


def test_webshop_cannot_score_a_goal_without_attributes(folder):
    world = make(WORLD, catalogue=folder, compat="webshop")
    with pytest.raises(WorldError, match="asks for no attribute"):
        world.reset(options={"goal": Goal("jeans", (("TYPE", "B0JEANS001", None),))})


@pytest.mark.parametrize("mode", ["text", "text_rich", "url"])
def test_observation_modes(folder, mode):
    world = make(WORLD, catalogue=folder, observation_mode=mode)
    world.reset(seed=0)
    observation, *_ = do(world, *BUYING[:3])
    expected = {
        "text": "Instruction: [SEP] i need a long lasting",
        "text_rich": "You have clicked navy blue.\nInstruction:\n",
        "url": 'http://127.0.0.1:3000/item_page/0/B0CANDLE00/lavender+candle/1/{"color": "navy blue"}',
    }
    assert observation.startswith(expected[mode])


def test_the_step_limit_truncates(folder):
    world = make(WORLD, catalogue=folder, max_steps=2)
    world.reset(seed=0)
    assert do(world, *BUYING[:2])[2:4] == (False, True)
    assert world.legal_actions() == []


def test_a_snapshot_brings_back_the_page_the_choices_and_the_goal(folder, world):
    do(world, *BUYING[:3])
    kept = pickle.loads(pickle.dumps(world.snapshot()))
    seen, facts = world.visit.text, world.facts()
    other = make(WORLD, catalogue=folder, split="heldout")
    other.reset(seed=5)
    observation, info = other.restore(kept)
    assert (observation, other.facts(), other.goal) == (seen, facts, world.goal) and info["events"] == ()
    assert other.snapshot().digest == kept.digest
    assert do(other, *BUYING[3:])[:2] == do(world, *BUYING[3:])[:2]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(data=st.data())
def test_a_restored_shop_goes_on_in_the_same_way(folder, data):
    world = make(WORLD, catalogue=folder, split=data.draw(st.sampled_from(["train", "heldout"])))
    world.reset(seed=0)
    rng = Random(data.draw(st.integers(0, 10**6)))

    def some_steps(count):
        found = []
        for _ in range(count):
            legal = world.legal_actions()
            if not legal:
                return found
            found.append((*world.step(rng.choice([*legal, "nonsense"])), world.snapshot().digest))
        return found

    some_steps(data.draw(st.integers(0, 12)))
    kept, state = world.snapshot(), rng.getstate()
    first = some_steps(8)
    world.restore(kept)
    rng.setstate(state)
    assert some_steps(8) == first


def test_damaged_and_foreign_snapshots_are_refused(world):
    good = world.snapshot()
    for state in ((), ("x",) * len(good.state), (*good.state[:1], "item", (), (), 1, None, *good.state[6:])):
        with pytest.raises(WorldError, match="the snapshot is damaged"):
            world.restore(Snapshot(good.world, state, good.bookkeeping))
    with pytest.raises(WorldError):
        world.restore(Snapshot("worldschool/Household-v0", good.state, good.bookkeeping))
    assert world.snapshot() == good


@pytest.mark.parametrize(
    ("predicates", "told"),
    [
        ([("INSIDE", "a", "b")], "'INSIDE' is no relation of the shop"),
        ([("TYPE", "B0NOTHERE0", None)], "there is no product 'B0NOTHERE0'"),
        ([("PRICE", "cheap", None)], "PRICE takes dollars above 0"),
        ([("PRICE", "10.0", None), ("PRICE", "20.0", None)], "PRICE is asked for 2 times"),
        ([("ATTRIBUTE", "soft", "x")], "ATTRIBUTE takes one argument"),
        ([("ATTRIBUTE", "", None)], "Name what is wanted"),
    ],
)
def test_goals_that_cannot_be_are_refused_and_nothing_changes(world, predicates, told):
    before = world.snapshot()
    with pytest.raises(WorldError, match=told):
        world.set_goal(Goal("x", tuple(predicates)))
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"observation_mode": "smell"}, "Shop: observation_mode"),
        ({"compat": "amazon"}, "Shop: compat"),
        ({"products": 0}, "whole number of at least 1"),
        ({"max_step": 3}, "Did you mean 'max_steps'"),
        ({"catalogue": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_settings_that_are_not_accepted(settings, told):
    with pytest.raises(WorldError, match=told):
        make(WORLD, **settings)


def test_events_tell_what_was_done(world):
    verbs = []
    for action in BUYING:
        *_, info = world.step(action)
        (event,) = info["events"]
        verbs.append((event.verb, event.object))
        for style in STYLES:
            (sentence,) = world.narrate(info["events"], style, Random(0))
            assert sentence.endswith(".") and "None" not in sentence
    assert verbs == [
        ("search", "lavender candle"),
        ("open", "B0CANDLE00"),
        ("choose", "color: navy blue"),
        ("read", "features"),
        ("return", None),
        ("buy", "B0CANDLE00"),
    ]
    assert world.narrate_action("click[buy now]") == "Buy it now."
    with pytest.raises(WorldError, match="is no action"):
        world.narrate_action("walk to kitchen")


def test_environments_share_one_shop(folder):
    one, two = make(WORLD, catalogue=folder), make(WORLD, catalogue=folder, split="heldout")
    assert one.shop is two.shop


def test_another_engine_finds_products_too(folder):
    pytest.importorskip("tantivy")
    world = make(WORLD, catalogue=folder, engine="tantivy")
    world.reset(seed=0)
    assert do(world, *BUYING)[1] == 1.0
    first = world.shop.find(["pine", "candle"])
    assert len(first) == 16 and set(first[:13]) == set(range(3, 16)), "pines are before other candles"
    assert world.shop.find(["pine", "candle"]) == first and world.shop.find(["of", "the"]) == ()
    with pytest.raises(WorldError, match="another catalogue"):
        make(WORLD, catalogue=folder).restore(world.snapshot())


def test_gymnasium_accepts_it(folder):
    env = gymnasium.make(WORLD, catalogue=folder, disable_env_checker=True)
    check_env(env.unwrapped, skip_render_check=True)
    fresh = make(WORLD, catalogue=folder)
    with pytest.raises(ResetNeeded):
        fresh.step("search[x]")


@pytest.mark.parametrize(
    ("name", "values"),
    [("mcts", {"simulations": 120, "rollout_depth": 6}), ("shopper", {}), ("curriculum", {})],
)
def test_agents_shop(folder, name, values):
    world = make(WORLD, catalogue=folder)
    observation, info = world.reset(seed=0)
    agent = make_agent(name, agent_config(name, values), world, 0)
    agent.reset(world.goal, info)
    while (action := agent.act(observation, info)) is not None:
        observation, reward, terminated, truncated, info = world.step(action)
        if terminated or truncated:
            break
    assert reward == 1.0


def test_by_webshops_rules_every_task_asks_for_an_attribute(folder):
    world = make(WORLD, catalogue=folder, compat="webshop")
    world.reset(seed=0)
    tasks = task_generator(world)
    for size in range(1, 5):
        drawn = [goal for seed in range(8) if (goal := draw_task(tasks, size, Random(seed))) is not None]
        assert len(drawn) > 4
        for goal in drawn:
            world.set_goal(goal)
    with pytest.raises(WorldError, match="the task names no attribute"):
        tasks.read("Buy something in navy blue.")
    assert len(tasks.read("Buy something that is long lasting, in navy blue.").predicates) == 2


@pytest.mark.parametrize("seed", range(4))  # draws which part of the goal is tried first
def test_parts_that_webshops_rules_refuse_are_searched_for_together(folder, seed):
    world = make(WORLD, catalogue=folder, compat="webshop")
    world.reset(seed=0)
    search = MCTS(MCTSConfig(simulations=800, rollout_depth=6), 0)
    planner = SkillPlanner(SkillLibrary(), Order(), search, task_generator(world).kind, seed)
    assert planner.plan(world, world.goal, 800).success


def test_the_shopper_wants_to_read_text(folder):
    world = make(WORLD, catalogue=folder, observation_mode="url")
    with pytest.raises(WorldError, match="observation_mode text"):
        make_agent("shopper", agent_config("shopper", {}), world, 0)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("i need a long-lasting lavender soy candle under 40 dollars", "long-lasting lavender soy candle"),
        ("Find me short sleeve men's t-shirts with color: red, and price lower than 50.00 dollars", None),
        ("", None),
    ],
)
def test_queries_are_the_telling_words(instruction, expected):
    found = queries_of(instruction)
    assert expected is None or found[0] == expected
    assert not any("50" in query or "price" in query for query in found)
    assert len(set(found)) == len(found) and bool(found) == bool(instruction)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(text=st.text(max_size=200))
def test_no_text_raises(folder, text):
    world = make(WORLD, catalogue=folder)
    world.reset(seed=0)
    info = world.step(f"search[{text}]")[4]
    assert info["error"] is None or "is no action" in info["error"]
    if info["error"] is None:
        assert world.step(text)[4]["error"] is not None
    queries_of(text)
