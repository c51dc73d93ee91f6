"""Holding, containment and the desk question: what happened is asked of the simulator again, answers of other code."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import worldschool.configs
from tests.experience.lives import HOUSEHOLD, Replay, build, episodes, houses, scripted_episode, settings
from tests.experience.solvers.answering import answer
from worldschool.canonical import canonical_json
from worldschool.config import load_config
from worldschool.envs import make, world_class
from worldschool.envs.household.errands import Errand, contents_of
from worldschool.errors import ConfigError
from worldschool.experience.builders import acting
from worldschool.experience.builders.acting import act_out
from worldschool.experience.builders.base import Skipped, ask, fixed_examples
from worldschool.experience.builders.desk import GOLDEN
from worldschool.experience.builders.desk_story import draw_numbers
from worldschool.experience.builders.reliving import kept_world
from worldschool.experience.builders.table import BUILDERS
from worldschool.experience.examples import ExamplesConfig, examples_command, iterate_examples
from worldschool.experience.questions.asking import Asking, asked_of
from worldschool.experience.questions.example_report import Tally
from worldschool.experience.runner import CollectConfig, collect
from worldschool.experience.tracker import Tracker
from worldschool.progress import silent


def built(name, count=40, **values):
    """Yield (example, dials, meta) of questions about acted-out stories."""
    for episode in houses(count):
        for example in build(name, episode, per_episode=4, **values):
            yield example, json.loads(example.dials), json.loads(example.meta)


# -- acting out ----------------------------------------------------------------------------------------------------------


def test_events_of_errands_are_what_the_world_then_says():
    episode = next(one for one in houses(9) if contents_of(one).containers)
    house = contents_of(episode)
    thing, vessel = next((t, v) for v in house.vessels for t in house.things if house.takes(v, t))
    errands = [
        Errand(house.people[0], "bring", thing, vessel),
        Errand(house.people[1], "bring", vessel, house.surfaces[0]),
        Errand(house.people[0], "use", "", house.containers[0]),
        Errand(house.people[0], "visit", "", house.rooms[0]),
        Errand(house.people[1], "hold", house.things[-1]),
    ]
    lived, of = act_out(episode, errands)
    world = kept_world(
        HOUSEHOLD,
        canonical_json(
            json.loads(episode.world_config) | {"control": "all", "goal": "none", "max_steps": acting.ENDLESS}
        ),
    )
    tracker = Tracker(episode.initial_facts)
    for event in lived.events:
        tracker.apply(event)
    placed = [
        (fact.subject, fact.relation, fact.object)
        for fact in world.facts()
        if fact.relation in ("ON", "INSIDE")
    ]
    assert len(placed) > 10
    assert {one: tracker.place(one) for one, _, _ in placed} == {one: (r, where) for one, r, where in placed}
    assert tracker.chain(thing)[:2] == [vessel, house.surfaces[0]]
    assert of == sorted(of) and set(of) == set(range(len(errands)))
    assert [step.events[0].t for step in lived.steps] == list(range(lived.length))


def test_elsewhere_nothing_is_acted_out(registered_fake):
    other = scripted_episode(make("worldschool/Corridor-v0"), 0, ["wait"])
    assert act_out(other, []) == acting.OTHER_WORLD
    changed = json.loads(houses(1)[0].world_config) | {"objects": [3, 3]}
    assert isinstance(act_out(replace(houses(1)[0], world_config=json.dumps(changed)), []), Skipped)


# -- containment ---------------------------------------------------------------------------------------------------------


def test_what_a_thing_is_in_after_its_vessel_was_carried_about():
    kinds, links, moves = Counter(), Counter(), Counter()
    for example, dials, meta in built("containment"):
        assert answer(example.prompt, list(example.options)) == example.answer
        assert 2 <= len(example.options) == len(set(example.options)) <= 4
        assert len(meta["chain"]) == dials["indirection"] - (meta["kind"] == "room") >= 2
        kinds[meta["kind"]] += 1
        links[dials["indirection"]] += 1
        moves[dials["moves"] > 0] += 1
    assert min(kinds["place"], kinds["room"]) > 15
    assert links[2] > 5 and links[3] > 5 and min(moves.values()) > 10


def test_links_that_are_asked_for():
    found = list(built("containment", 60, minimum=3, kinds=["place"]))
    assert found and all(dials["indirection"] >= 3 for _, dials, _ in found)


# -- the desk ------------------------------------------------------------------------------------------------------------


def test_counts_and_what_is_counted():
    kinds, counts, taken = Counter(), Counter(), Counter()
    for example, dials, meta in built("desk", 60):
        assert answer(example.prompt, list(example.options)) == example.answer
        story = meta["story"]
        assert story in example.prompt and dials["sentences"] == len(re.findall(r"\.(?: |$)", story))
        if meta["kind"] == "how many":
            assert example.options == ("0", "1", "2", "3", "4") and dials["length"] == int(example.answer)
            counts[example.answer] += 1
        kinds[meta["kind"]] += 1
        taken[dials["revisits"] > 0] += 1
    assert min(kinds.values()) > 20 and min(taken.values()) > 8
    assert set(counts) == {"0", "1", "2", "3", "4"}


def test_how_much_happens_in_a_story_tells_nothing_about_any_of_its_places():
    for places, items, brought in ((3, (0, 4), 4), (2, (0, 4), 5), (1, (1, 3), 3)):
        rng, first, sizes = Random(0), Counter(), set()
        for _ in range(400):
            left, taken, elsewhere = draw_numbers(places, items, brought, rng)
            assert all(one + gone == brought for one, gone in zip(left, taken, strict=True))
            first[left[0]] += 1
            sizes.add((sum(left) + elsewhere, sum(taken) if places > 1 else None))
        assert len(sizes) == 1
        assert set(first) == set(range(items[0], items[1] + 1)) and max(first.values()) < 2 * min(
            first.values()
        )


def test_each_thing_to_choose_from_is_on_another_place_and_each_is_asked_about():
    asked = {}
    for example, _, meta in built("desk", 30, kinds=["which"]):
        asked.setdefault((meta["story"], example.options), []).append(example.answer)
    assert any(sorted(answers) == sorted(options) for (_, options), answers in asked.items())
    assert all(len(set(answers)) == len(answers) for answers in asked.values())


def test_what_is_put_to_the_same_place_at_once_is_told_in_one_sentence():
    stories = {meta["story"] for _, _, meta in built("desk", 40, style="plain")}
    told = [re.search(r"\w+ put the [\w ]+ on (the [\w ]+), then the [\w ]+ next to it, and finally the [\w ]+\.", one)
            for one in stories]  # fmt: skip
    assert any(told)


def test_the_golden_question_is_asked_once_and_only_where_held_out_questions_are():
    assert fixed_examples("desk") == [GOLDEN]
    assert "Emily put a phone on the desk, then a lime next to it, and finally an apple; how many items are on the desk?" in GOLDEN.prompt  # fmt: skip
    assert GOLDEN.answer == "3" == GOLDEN.options[GOLDEN.answer_index] and GOLDEN.completion == " 3\n"
    assert answer(GOLDEN.prompt, list(GOLDEN.options)) == "3"
    asking = Asking({"desk": settings("desk", per_episode=1)}, seed=0, balance=True)
    for split, times in (("heldout", 1), ("train", 0)):
        found = list(asked_of(houses(24, split), asking, Tally(["desk"])))
        assert len(found) > 5 and found.count(GOLDEN) == times


def test_ranges_are_checked():
    with pytest.raises(ConfigError, match=r"items \(3, 2\) is not a least and a most"):
        settings("desk", items=[3, 2])
    with pytest.raises(ConfigError, match=r"items: at most 4 can be asked about, found 5"):
        settings("desk", items=[0, 5])
    with pytest.raises(ConfigError, match=r"brought \(3, 5\): fewer than may be left \(4\)"):
        settings("desk", brought=[3, 5])


# -- holding -------------------------------------------------------------------------------------------------------------


def test_who_holds_what_is_what_the_simulator_says():
    asked, moments = Counter(), Counter()
    for episode in episodes(60):
        replay = Replay(episode)
        for example in build("holding", episode, style="plain", per_episode=6):
            meta = json.loads(example.meta)
            found = re.search(
                r"\nQuestion: (?:Which of these (?:is|was) (\w+) holding|Who was holding (the .+?)) (in the end|when (.+?))\? Choose",
                example.prompt,
            )
            who, thing, _, clause = found.groups()
            at = -1 if clause is None else 1 + _step_of(episode, clause)
            held = {one: place[1] for one, place in replay.places[at].items() if place[0] == "HOLDS"}
            if who is not None:
                right = [option for option in example.options if held.get(replay.phrases[option]) == who]
            else:
                right = [option for option in example.options if held[replay.phrases[thing]] == option]
            assert right == [example.answer]
            asked[meta["kind"]] += 1
            moments[clause is None] += 1
    assert min(asked.values()) > 30 and min(moments.values()) > 20


def _step_of(episode, clause):
    told = [
        event
        for event in episode.events
        if event.succeeded
        and not (event.verb == "walk" and event.source == event.target)
        and world_class(HOUSEHOLD).narrate([event], "plain", None) == [f"{clause}."]
    ]
    return told[0].t


# -- dials ---------------------------------------------------------------------------------------------------------------


def test_every_builder_records_dials_that_can_be_asked_for():
    asking = Asking(
        {"desk": settings("desk", per_episode=3, dials={"length": [3, 4], "revisits": [1, 9]})}, 0
    )
    tally = Tally(["desk"])
    found = [one for one in asked_of(houses(40), asking, tally) if one is not GOLDEN]
    dials = [json.loads(one.dials) for one in found]
    assert len(dials) > 5 and all(3 <= one["length"] <= 4 and one["revisits"] >= 1 for one in dials)
    assert tally.tasks["desk"].skipped["harder or easier than the dials that are asked for"] > 10
    assert max(Counter(one.episode_id for one in found).values()) <= 3


def test_dials_that_there_are_not():
    with pytest.raises(ConfigError, match=r"no dial 'lenght'; dials are length, .* Did you mean 'length'\?"):
        settings("desk", dials={"lenght": [1, 2]})
    with pytest.raises(ConfigError, match=r"length: the least \(3\) is more than the most \(2\)"):
        settings("desk", dials={"length": [3, 2]})
    asking = Asking({"desk": settings("desk", dials={"indirection": [1, 2]})}, 0)
    with pytest.raises(
        ConfigError, match=r"builders.desk.dials: questions of this task have no dial 'indirection'"
    ):
        list(asked_of(houses(3), asking, Tally(["desk"])))


@pytest.mark.parametrize("name", ["desk", "containment", "holding"])
def test_the_new_builders_have_rules_against_shortcuts(name):
    assert {"recency", "most_mentioned", "nearest_mention"} <= set(BUILDERS[name].rules)
    reasons = {one.reason for one in ask(name, episodes(1)[0], settings(name), 0) if isinstance(one, Skipped)}
    assert all(reason for reason in reasons)


# -- the presets ---------------------------------------------------------------------------------------------------------


def test_the_presets_collect_and_build(tmp_path):
    configs = Path(str(worldschool.configs.__path__[0]))
    for preset in ("lives", "houses"):
        config = load_config(
            CollectConfig, configs / "collect" / f"{preset}.yaml", ["episodes=24", "split=heldout"]
        )
        collect(config, tmp_path / preset, silent)
    datasets = f"datasets=[{tmp_path / 'lives'}, {tmp_path / 'houses'}]"
    suites = load_config(ExamplesConfig, configs / "examples" / "suites.yaml", [datasets])
    path = examples_command(suites, tmp_path / "suites", silent)
    assert set(Counter(one.task for one in iterate_examples(path))) == set(suites.builders)
    desk = load_config(ExamplesConfig, configs / "examples" / "desk.yaml", [datasets])
    assert desk.limit == 501
    found = list(iterate_examples(examples_command(desk, tmp_path / "desk", silent)))
    assert found[0] == GOLDEN and len(found) > 10 and {one.task for one in found} == {"desk"}
