"""How options are compared and read, and how items are asked."""

import pytest

from tests.probes.items import filled
from worldschool.errors import DatasetError, ModelError
from worldschool.models.language import CompletionScore, LocalModel
from worldschool.models.likelihood import NotFiniteError
from worldschool.probes.ask import ask, by_normalization, suite_metric
from worldschool.probes.choice import best, metric_text, neutral_logprobs, normalised, read_choice
from worldschool.probes.config import SuiteSettings

OPTIONS = ("kitchen", "home office", "Küche", "den")
SCORES = [
    CompletionScore(-4.0, 1, 8),
    CompletionScore(-5.0, 2, 12),
    CompletionScore(-6.0, 4, 7),
    CompletionScore(-4.5, 1, 4),
]
NEUTRAL = {"kitchen": -1.0, "home office": -2.5, "Küche": -2.0, "den": -3.0}


def item(number, answer="kitchen", options=OPTIONS, **changes):
    return filled(number, "place", f"Story {number}. Where is it?\nAnswer:", answer, options, **changes)


class Scripted:
    """A model whose scores and texts are given; it remembers what it was asked."""

    name = fingerprint = "scripted"
    context_length = 1000

    def __init__(self, text="", scores=None, neutral=None):
        self.text, self.scores, self.neutral = text, scores, neutral or {}
        self.asked = []

    def score(self, prompts, completions, advance=None):
        self.asked += list(zip(prompts, map(tuple, completions), strict=True))
        if prompts and prompts[0] == "Answer:":
            return [
                [CompletionScore(self.neutral[text.strip()], 1, 1) for text in texts] for texts in completions
            ]
        return [self.scores for _ in prompts]

    def choose(self, prompts, completions, advance=None):
        self.asked += list(zip(prompts, map(tuple, completions), strict=True))
        return [len(texts) - 1 for texts in completions]

    def generate(self, prompts, max_new_tokens, advance=None):
        self.asked += [(prompt, max_new_tokens) for prompt in prompts]
        return [self.text for _ in prompts]


@pytest.mark.parametrize(
    ("normalization", "values", "chosen"),
    [
        ("sum", [-4.0, -5.0, -6.0, -4.5], "kitchen"),
        ("tokens", [-4.0, -2.5, -1.5, -4.5], "Küche"),
        ("bytes", [-4 / 7, -5 / 11, -1.0, -1.5], "home office"),  # the ü is two bytes
        ("unconditional", [-3.0, -2.5, -4.0, -1.5], "den"),
    ],
)
def test_normalisations_by_hand(normalization, values, chosen):
    assert normalised(OPTIONS, SCORES, normalization, NEUTRAL) == pytest.approx(values)
    found = ask(
        Scripted(scores=SCORES, neutral=NEUTRAL), [item(0)], SuiteSettings(normalization=normalization)
    )
    assert [answer.prediction for answer in found] == [chosen]
    assert found[0].by_normalization == {
        "sum": True,
        "tokens": False,
        "bytes": False,
        **({"unconditional": False} if normalization == "unconditional" else {}),
    }


def test_each_distinct_option_is_scored_once_after_the_neutral_context(monkeypatch):
    model = Scripted(scores=SCORES, neutral=NEUTRAL)
    items = [item(i, options=OPTIONS if i % 2 else OPTIONS[::-1]) for i in range(6)]
    shots = [[item(50)], [item(60)], [item(70)]]
    ask(model, items, SuiteSettings(normalization="unconditional"), shots)
    assert [texts for prompt, texts in model.asked if prompt == "Answer:"] == [
        (" Küche", " den", " home office", " kitchen")
    ]
    monkeypatch.setattr("worldschool.probes.choice.OPTIONS_PER_PASS", 3)
    assert neutral_logprobs(model, OPTIONS * 2, "Answer:") == NEUTRAL


def test_the_unconditional_score_is_less_the_models_own(tiny_llama):
    model = LocalModel.load(str(tiny_llama))
    question = item(0)
    ((*after,),) = model.score([question.prompt], [[f" {option}" for option in OPTIONS]])
    ((*before,),) = model.score(["Nothing:"], [[f" {option}" for option in OPTIONS]])
    gains = [a.logprob - b.logprob for a, b in zip(after, before, strict=True)]
    settings = SuiteSettings(normalization="unconditional", neutral="Nothing:")
    (answer,) = ask(model, [question], settings)
    assert answer.prediction == OPTIONS[gains.index(max(gains))]
    assert neutral_logprobs(model, OPTIONS, "Nothing:")["den"] == pytest.approx(before[3].logprob, abs=1e-4)


def test_the_first_of_equally_good_options_is_taken():
    assert best([-2.0, -1.0, -1.0]) == 1
    same = [CompletionScore(-1.0, 1, 4)] * 4
    found = ask(Scripted(scores=same), [item(0), item(1, options=OPTIONS[::-1])], SuiteSettings())
    assert [answer.prediction for answer in found] == ["kitchen", "den"]


def test_an_impossible_option_is_never_the_best():
    assert best([float("-inf"), -900.0]) == 1
    assert best([float("-inf")] * 2) == 0


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("kitchen", "kitchen"),
        ("The Kitchen.", "kitchen"),
        ('"home  office"', "home office"),
        ("home office, near the den", "home office"),
        ("KÜCHE", "Küche"),
        ("den Haag", "den"),
        ("denim", None),
        ("not the kitchen", None),
        ("in the kitchen", None),
        ("", None),
    ],
)
def test_a_written_line_names_an_option(text, option):
    assert read_choice(text, OPTIONS) == option


def test_the_longest_option_that_is_begun_with_is_named():
    assert read_choice("home office and den", ("home", "home office")) == "home office"
    assert read_choice("home", ("home office", "home")) == "home"
    assert read_choice("2 items", ("1", "2", "12")) == "2"
    assert read_choice("anything", ("the", "a")) is None


def test_options_may_be_written_freely():
    model = Scripted(text="The den, I think.")
    items = [item(0, "den"), item(1)]
    found = ask(model, items, SuiteSettings(decoding="free", max_new_tokens=9))
    assert [(answer.prediction, answer.correct) for answer in found] == [("den", True), ("den", False)]
    assert model.asked == [(one.prompt, 9) for one in items]
    (lost,) = ask(Scripted(text="who knows"), [item(0)], SuiteSettings(decoding="free"))
    assert (lost.prediction, lost.score, lost.by_normalization) == ("who knows", 0.0, {})


def test_decoding_can_be_constrained_to_the_options_or_to_given_answers():
    model = Scripted()
    found = ask(model, [item(0, "den")], SuiteSettings(decoding="constrained"))
    assert model.asked == [(item(0).prompt, (" kitchen\n", " home office\n", " Küche\n", " den\n"))]
    assert found[0].correct
    paths = [item(i, answer, None) for i, answer in enumerate(["b, c", "a", "a"])]
    for settings, written in (
        (
            SuiteSettings(decoding="constrained"),
            (" a\n", " b, c\n"),
        ),  # what the suite's items are answered with
        (SuiteSettings(decoding="constrained", candidates=("x", "y", "a")), (" x\n", " y\n", " a\n")),
    ):
        model = Scripted()
        found = ask(model, paths, settings)
        assert {texts for _, texts in model.asked} == {written}
        assert {answer.prediction for answer in found} == {written[-1].strip()}


def test_a_constrained_answer_is_always_one_of_the_options(tiny_llama):
    model = LocalModel.load(str(tiny_llama))
    items = [item(i, options=OPTIONS[i % 4 :] + OPTIONS[: i % 4]) for i in range(8)]
    found = ask(model, items, SuiteSettings(decoding="constrained"))
    assert all(answer.prediction in OPTIONS for answer in found)
    assert found == ask(model, items, SuiteSettings(decoding="constrained"))


def test_metrics_say_what_was_done():
    assert metric_text("tokens", "Answer:") == (
        "share of items whose right option has the highest mean token log-likelihood"
    )
    texts = {
        suite_metric(item(0), SuiteSettings(**settings))
        for settings in (
            {"normalization": "sum"},
            {"normalization": "tokens"},
            {"normalization": "bytes"},
            {"normalization": "unconditional", "neutral": "Well:"},
            {"decoding": "free"},
            {"decoding": "constrained"},
        )
    }
    assert len(texts) == 6 and any("'Well:'" in text for text in texts)
    written = item(0, options=None, task="object_path")
    assert suite_metric(written, SuiteSettings()).startswith("longest common run")
    assert suite_metric(written, SuiteSettings(decoding="constrained")).endswith("constrained decoding")


def test_shares_by_normalisation():
    answers = ask(Scripted(scores=SCORES), [item(0), item(1, "Küche"), item(2, "den")], SuiteSettings())
    assert by_normalization(answers) == pytest.approx({"sum": 1 / 3, "tokens": 1 / 3, "bytes": 0.0})
    assert by_normalization([]) == {}


def test_an_option_without_tokens_is_named():
    scores = [CompletionScore(-1.0, 1, 1), CompletionScore(0.0, 0, 1), *SCORES[2:]]
    with pytest.raises(DatasetError, match=r"place: the option 'home office' of the item e7 has no token"):
        ask(Scripted(scores=scores), [item(7)], SuiteSettings())


@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (OPTIONS, SuiteSettings()),
        (OPTIONS, SuiteSettings(decoding="constrained")),
        (OPTIONS, SuiteSettings(decoding="free")),
        (None, SuiteSettings()),
    ],
)
def test_logits_that_are_no_numbers_are_refused_with_the_item(tiny_models, options, settings, value):
    import torch

    model = LocalModel(tiny_models.llama(), tiny_models.tokenizer(), "broken")
    (bad,) = model.tokenizer("@")["input_ids"]
    # Only a prompt that holds this token is broken.
    model.model.get_input_embeddings().weight = torch.nn.Parameter(
        model.model.get_input_embeddings().weight.detach().clone()
    )
    with torch.no_grad():
        model.model.get_input_embeddings().weight[bad] = float(value)
        model.model.get_output_embeddings().weight = torch.nn.Parameter(torch.randn(320, 32))
    fine = item(0, options=options)
    found = ask(model, [fine], settings)
    assert found[0].prediction or options is None
    items = [fine, item(2, prompt="A @ story.\nAnswer:", options=options), item(1, options=options)]
    shots = [[item(50)], [item(60)]]
    for shown in ((), shots):
        with pytest.raises(
            ModelError, match=r"broken: .*logits at the item e2 of 'place' are not finite"
        ) as caught:
            ask(model, items, settings, shown)
        assert not isinstance(caught.value, NotFiniteError)
