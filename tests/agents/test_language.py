"""The language-model agent: what it asks, how it chooses, and what a prompt keeps when there is too little room."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool.agents.base import agent_config, make_agent
from worldschool.agents.language import LanguageAgent, LanguageConfig, Note, RecallSettings, Usage
from worldschool.agents.language.matching import matched
from worldschool.agents.language.prompt import CUT, FOLDED, NOTES, Story, Turn
from worldschool.agents.language.usage import collected_in, read_usage
from worldschool.envs import make
from worldschool.errors import ConfigError, ModelError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.models.language import CompletionScore, load_model
from worldschool.models.recorded import RecordedModel

HOUSE = {"rooms": [2, 3], "objects": [3, 4], "goal": "random", "max_steps": 6}
LABEL = EpisodeLabel("e", 0, 0, 3, "language", "{}", "train")


class Scripted:
    """A model that likes the texts of a list, the first the most, and writes given lines."""

    name, fingerprint, context_length = "scripted", "scripted", 4096

    def __init__(self, liked=(), lines=()):
        self.liked, self.lines, self.prompts = list(liked), list(lines), []

    def score(self, prompts, completions, advance=None):
        self.prompts += prompts
        return [
            [CompletionScore(-2.0 * self._rank(text.strip()), 2, len(text)) for text in row]
            for row in completions
        ]

    def _rank(self, text):
        return self.liked.index(text) if text in self.liked else 9 + len(text)

    def choose(self, prompts, completions, advance=None):
        raise NotImplementedError

    def generate(self, prompts, max_new_tokens, advance=None):
        self.prompts += prompts
        return [self.lines.pop(0) for _ in prompts]

    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]


@pytest.fixture
def world():
    return make("worldschool/Household-v0", **HOUSE)


def agent_for(world, model, recall=None, **settings):
    return LanguageAgent(LanguageConfig(**settings), world, 0, model=model, recall=recall)


def begun(world, agent):
    observation, info = world.reset(seed=3)
    agent.reset(world.goal, info)
    return observation, info


def test_the_likeliest_legal_action_is_taken_and_what_was_asked_is_counted(world):
    model = Scripted()
    agent = agent_for(world, model)
    observation, info = begun(world, agent)
    legal = world.legal_actions()
    model.liked = [legal[2], "dance", legal[0]]
    assert agent.act(observation, info) == legal[2]
    (prompt,) = model.prompts
    assert prompt.endswith(f"Goal: {world.goal.text}\nSeen: {observation.strip()}\nAction:")
    assert agent.usage.calls == 1 and agent.usage.prompt_tokens == len(prompt.split())
    assert agent.usage.completion_tokens == sum(len(action.split()) for action in legal)
    # In the same view the second time another action comes first: each time costs a nat.
    done = [agent.act(seen, info) for seen in ("elsewhere", observation, "elsewhere", observation)]
    assert done[1::2] == [legal[2], legal[0]]
    assert f"Action: {legal[2]}\nSeen: " in model.prompts[1]


def test_actions_are_compared_whole_or_by_token_and_drawn_if_asked(world):
    class Long(Scripted):
        def score(self, prompts, completions, advance=None):
            return [
                [CompletionScore(-3.0, 1, 5), *(CompletionScore(-4.0, 4, 5) for _ in row[1:])]
                for row in completions
            ]

    observation, info = begun(world, agent_for(world, Long()))
    legal = world.legal_actions()
    assert agent_for(world, Long(), normalization="sum").act(observation, info) == legal[0]
    assert agent_for(world, Long(), normalization="tokens").act(observation, info) == legal[1]
    drawn = {
        LanguageAgent(LanguageConfig(temperature=5.0), world, seed, model=Long()).act(observation, info)
        for seed in range(40)
    }
    assert len(drawn) > 4


def test_a_thought_comes_before_the_action_and_a_written_one_is_matched(world):
    model = Scripted(lines=["I should look around.", "Action: Walk to the moon", "Again.", "{0}"])
    agent = agent_for(world, model, mode="generate", think=True)
    observation, info = begun(world, agent)
    legal = world.legal_actions()
    assert agent.act(observation, info) in legal
    assert agent.usage.unmatched == 1 and agent.usage.calls == 2
    model.lines[1] = f"action: {legal[3].upper()}."
    assert agent.act(observation, {**info, "error": "it is too far"}) == legal[3]
    assert "Thought: I should look around.\nAction: " in model.prompts[-1]
    assert "(The last action failed: it is too far)\nThought: Again.\nAction:" in model.prompts[-1]


class Notes:
    def __init__(self, *texts):
        self.notes = [Note(str(number), text) for number, text in enumerate(texts)]
        self.asked = []

    def recall(self, goal, observation, world):
        self.asked.append((goal, world))
        return self.notes

    def credit(self, note, success):
        pass


def test_notes_are_recalled_once_an_episode_and_stand_before_what_is_seen(world):
    model, notes = Scripted(), Notes("An episode:\n> 1. walk to kitchen", "Another:\n> 1. look")
    agent = agent_for(world, model, notes)
    for _ in range(2):
        observation, info = begun(world, agent)
        for _ in range(2):
            agent.act(observation, info)
    assert notes.asked == [(world.goal.text, "worldschool/Household-v0")] * 2
    assert (
        f"{NOTES}\n1. An episode:\n> 1. walk to kitchen\n2. Another:\n> 1. look\nSeen: " in model.prompts[0]
    )
    assert [note.id for note in agent.notes] == ["0", "1"]


def words(texts):
    return [len(text.split()) for text in texts]


def story():
    turns = [Turn(f"view {n} " + "word " * 20, f"do {n}", f"thought {n}") for n in range(5)]
    return Story("be done", ["note one " * 10, "note two " * 10], turns, "now " * 10)


def test_notes_go_first_then_old_views_then_old_actions_then_the_end_of_what_is_seen():
    full = story().prompt(10_000, words)
    assert full.count("word") == 100 and "note two" in full and FOLDED not in full
    size = words([full])[0]
    without_second = story().prompt(size - 1, words)
    assert "note one" in without_second and "note two" not in without_second and FOLDED not in without_second
    folded = story().prompt(100, words)
    assert NOTES not in folded and FOLDED in folded and "view 4" in folded and "view 0" not in folded
    assert all(f"Action: do {n}" in folded for n in range(5)) and words([folded])[0] <= 100
    few = story().prompt(50, words)
    assert "earlier actions]" in few and "do 4" in few and "do 0" not in few
    least = story().prompt(22, words)
    assert "[5 earlier actions]" in least and CUT in least and least.startswith("You act")


@given(budget=st.integers(1, 400))
def test_a_prompt_keeps_its_budget_as_long_as_the_head_fits(budget):
    prompt = story().prompt(budget, words)
    assert "Goal: be done" in prompt and prompt.endswith("\n")
    if budget >= 60:
        assert words([prompt])[0] <= budget


LEGAL = [
    "walk to kitchen",
    "walk to kitchen table",
    "open fridge",
    "click[buy now]",
    "search[trans fat free]",
    "put cup on desk",
]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Walk to kitchen.", "walk to kitchen"),
        ("Action: walk to kitchen table", "walk to kitchen table"),
        ('"open fridge" and then look', "open fridge"),
        ("> act 3: open the fridge", "open fridge"),
        ("click[Buy Now]", "click[buy now]"),
        ("put the cup on the desk", "put cup on desk"),
        ("dance", None),
        ("", None),
        ("...", None),
    ],
)
def test_what_is_written_is_matched_with_what_can_be_done(written, expected):
    assert matched(written, LEGAL) == expected


@given(st.text(max_size=80))
def test_whatever_is_written_is_a_legal_action_or_none(text):
    assert matched(text, LEGAL) in [*LEGAL, None]


def test_a_real_model_lives_an_episode_and_its_record_replays_it_without_the_model(
    world, tiny_llama, tmp_path
):
    made = make_agent(
        "language", agent_config("language", {"model": str(tiny_llama), "context": 256}), world, 0
    )
    episode = record_episode(world, made, LABEL, strict=True)
    assert episode.length >= 1 and made.usage.calls == episode.length and made.usage.seconds > 0
    recording = RecordedModel(tmp_path / "answers.jsonl", load_model(str(tiny_llama)))
    again = record_episode(world, agent_for(world, recording, context=256), LABEL, strict=True)
    assert [step.action for step in again.steps] == [step.action for step in episode.steps]
    thinking = RecordedModel(tmp_path / "thoughts.jsonl", load_model(str(tiny_llama)))
    first = record_episode(world, agent_for(world, thinking, context=256, think=True), LABEL, strict=True)
    for name, lived, settings in (("answers", again, {}), ("thoughts", first, {"think": True})):
        settings |= {"model": f"recorded:{tmp_path}/{name}.jsonl", "context": 256}
        replayed = make_agent("language", agent_config("language", settings), world, 0)
        assert record_episode(world, replayed, LABEL, strict=True).steps == lived.steps


def test_what_is_not_recorded_and_what_is_no_record_is_told(tmp_path):
    RecordedModel(tmp_path / "a.jsonl", Scripted(lines=["go"])).generate(["y"], 4)
    assert load_model(f"recorded:{tmp_path}/a.jsonl").generate(["y"], 4) == ["go"]
    with pytest.raises(ModelError, match="no answer to this is recorded .*Record it anew"):
        load_model(f"recorded:{tmp_path}/a.jsonl").generate(["x"], 4)
    (tmp_path / "a.jsonl").write_text("{}")
    with pytest.raises(ModelError, match="no file of recorded answers"):
        load_model(f"recorded:{tmp_path}/a.jsonl")
    with pytest.raises(ModelError, match="it cannot be read: No such file"):
        load_model(f"recorded:{tmp_path}/b.jsonl")


@pytest.mark.parametrize(
    ("use", "settings", "match"),
    [
        ("nowhere.at_all:Thing", {}, "recall.use: nowhere.at_all:Thing cannot be imported"),
        ("json:Thing", {}, "cannot be imported"),
        ("json:JSONDecoder", {"path": "x"}, "recall.settings: JSONDecoder does not take these settings"),
    ],
)
def test_notes_from_nowhere_are_refused(world, use, settings, match):
    with pytest.raises(ConfigError, match=match):
        config = LanguageConfig(recall=RecallSettings(use=use, settings=settings))
        LanguageAgent(config, world, 0, model=Scripted())


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="agent.settings: recall.use"):
        agent_config("language", {"recall": {"use": "no colon"}})
    assert json.loads(agent_config("language", {"mode": "generate"}).model_dump_json())["mode"] == "generate"


def test_a_step_that_somebody_else_chose_is_remembered_as_its_own(world):
    model = Scripted()
    agent = agent_for(world, model)
    observation, info = begun(world, agent)
    legal = world.legal_actions()
    agent.notice(observation, info, legal[1])
    assert model.prompts == [] and agent.usage == Usage()
    seen, *_, info = world.step(legal[1])
    agent.act(seen, info)
    assert (
        f"Seen: {observation.strip()}\nAction: {legal[1]}\nSeen: {seen.strip()}\nAction:" in model.prompts[0]
    )


def test_what_processes_ask_is_collected_and_a_line_cut_off_by_a_kill_is_passed_over(world, tmp_path):
    agent = agent_for(world, Scripted())
    observation, info = begun(world, agent)
    agent.act(observation, info)  # nobody collects
    with collected_in(tmp_path / "usage"):
        agent.act(observation, info)
        with collected_in(tmp_path / "inner"):
            agent.act(observation, info)
        agent.act(observation, info)
    agent.act(observation, info)
    found = read_usage(tmp_path / "usage")
    assert found.calls == 2 and read_usage(tmp_path / "inner").calls == 1 and agent.usage.calls == 5
    (tmp_path / "usage" / "9.txt").write_text("1 20 3 0.5 1\n1 20")
    more = read_usage(tmp_path / "usage")
    assert (more.calls, more.tokens - found.tokens, more.unmatched) == (3, 23, 1)
    assert read_usage(tmp_path / "none") == Usage()


class Unmoved(Scripted):
    """Likes what the prompt repeats, whatever the goal; and a little what the goal says, and notes."""

    def score(self, prompts, completions, advance=None):
        self.prompts += prompts
        found = []
        for prompt, row in zip(prompts, completions, strict=True):
            head, _, rest = prompt.partition("Seen:")
            goal = head.split("Goal: ")[1]
            found.append(
                [
                    CompletionScore(
                        5.0 * rest.count(text.strip()) + sum(word in goal for word in text.split()), 1, 1
                    )
                    for text in row
                ]
            )
        return found


def test_contrast_takes_off_what_is_likely_without_goal_and_notes(world):
    model = Unmoved()
    notes = [Note("n", "> grab the moon")]
    agent = agent_for(world, model, type("R", (), {"recall": lambda *_: notes})(), contrast=1.0, again=0.0)
    observation, info = begun(world, agent)
    wanted = next(one for one in world.legal_actions() if any(word in one for word in ("walk to",)))
    agent._story.goal = wanted
    for _ in range(2):
        agent.notice(observation, info, "dance")
    info = {**info, "legal_actions": ["dance", wanted]}
    agent._idle.clear()
    assert agent.act(observation, info) == wanted
    with_goal, without = model.prompts
    assert "Goal: none; look around\n" in without and "moon" not in without and "Action: dance" in without
    assert f"Goal: {wanted}\n" in with_goal and "moon" in with_goal
    assert agent.usage.calls == 2
    plain = agent_for(world, Unmoved(), again=0.0)
    begun(world, plain)
    plain._story.goal = wanted
    plain.notice(observation, info, "dance")
    plain.notice(f"{observation} Again.", info, "dance")
    assert plain.act(observation, info) == "dance"


def test_what_changed_nothing_is_not_done_again_in_that_view_unless_there_is_nothing_else(world):
    model = Scripted(["dance", "sing"])
    agent = agent_for(world, model, again=0.0)
    _, info = begun(world, agent)
    info = {**info, "legal_actions": ["sing", "dance"]}
    assert [agent.act(seen, info) for seen in ("here", "there", "there", "there", "here", "there")] == [
        "dance", "dance", "sing", "dance", "dance", "dance",
    ]  # fmt: skip
