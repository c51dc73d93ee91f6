"""A model behind a server, against the same model in this process."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from worldschool.errors import ModelError
from worldschool.models.completions import KEY_VARIABLE
from worldschool.models.endpoint import EndpointModel
from worldschool.models.language import LocalModel, load_model
from worldschool.models.likelihood import NotFiniteError

STORY = "Emily was in the kitchen. Zoë put the phone on the desk.\nQuestion: Where is the phone?\nAnswer:"
OPTIONS = [" kitchen", " home office", " desk", " naïve", " the kitchen table"]
KEY = "sk-not-to-be-seen"


class Completions(BaseHTTPRequestHandler):
    """POST /v1/completions as vLLM answers it; the server's `faults` are answered first."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        server.seen.append((self.path, self.headers.get("Authorization"), body))
        if server.faults:
            status, headers, text = server.faults.pop(0)
            return self._answer(status, text, headers)
        with torch.inference_mode():
            prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
            choices = [self._choice(number, text, body) for number, text in enumerate(prompts)]
        return self._answer(200, json.dumps({"choices": choices[::-1]}))  # the order is the index's

    def _choice(self, number, prompt, body):
        model, echo = self.server.model, body.get("echo", False)
        encoded = model.tokenizer(prompt, return_offsets_mapping=True)
        ids = list(encoded["input_ids"])
        offsets = [start for start, _ in encoded["offset_mapping"]]
        for _ in range(body["max_tokens"]):
            ids.append(
                int(model.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax())
            )
            offsets.append(max(len(prompt), offsets[-1]) + (len(offsets) > len(encoded["input_ids"])))
        new = model.tokenizer.decode(ids[len(encoded["input_ids"]) :])
        choice = {
            "index": number,
            "text": (prompt if echo and self.server.echoes else "") + new,
            "logprobs": None,
        }
        if echo and self.server.echoes:
            values = model.model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
            choice["logprobs"] = {
                "tokens": [model.tokenizer.convert_ids_to_tokens(token) for token in ids],
                "token_logprobs": [None, *(values[at - 1, ids[at]].item() for at in range(1, len(ids)))],
                "text_offset": offsets,
            }
        return choice

    def _answer(self, status, text, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        data = text.encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def local(tiny_llama):
    return LocalModel.load(str(tiny_llama))


@pytest.fixture
def server(local, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Completions) as running:
        running.model, running.faults, running.seen, running.echoes = local, [], [], True
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def waited():
    return []


@pytest.fixture
def remote(server, waited):
    return EndpointModel(f"http://127.0.0.1:{server.server_port}/v1", "tiny", sleep=waited.append)


def test_scores_are_those_of_the_model_itself(remote, local):
    prompts = [STORY, "Emily walked to the kit"]
    completions = [OPTIONS, ["chen.", " and", "ten"]]
    for found, expected in zip(
        remote.score(prompts, completions), local.score(prompts, completions), strict=True
    ):
        assert [s.logprob for s in found] == pytest.approx([s.logprob for s in expected], abs=1e-3)
        assert [(s.tokens, s.bytes) for s in found] == [(s.tokens, s.bytes) for s in expected]


def test_many_completions_take_several_requests(remote, local, server):
    texts = [f" {number}" for number in range(40)]
    ((*found,),), ((*expected,),) = (
        [[s.logprob for s in model.score([STORY], [texts])[0]]] for model in (remote, local)
    )
    assert found == pytest.approx(expected, abs=1e-3)
    assert [len(body["prompt"]) for _, _, body in server.seen] == [16, 16, 8]


def test_choosing_and_generating_are_those_of_the_model_itself(remote, local):
    prompts = [STORY, "Emily walked to the", "How many items are on the desk?"]
    completions = [[f"{option}\n" for option in OPTIONS]] * 3
    assert remote.choose(prompts, completions) == local.choose(prompts, completions)
    assert remote.generate(prompts, 6) == local.generate(prompts, 6)


def test_progress_counts_prompts(remote):
    done = []
    remote.score([STORY] * 2, [OPTIONS[:1]] * 2, advance=lambda n=1, note="": done.append(n))
    remote.generate([STORY] * 3, 1, advance=lambda n=1, note="": done.append(n))
    assert sum(done) == 5


def test_a_busy_server_is_asked_again_after_longer_and_longer_waits(remote, server, waited):
    server.faults = [(503, [], "starting"), (429, [("Retry-After", "7")], "{}"), (500, [], "oops")]
    assert remote.generate([STORY], 2)
    assert waited == [1.0, 7.0, 14.0]


def test_waits_are_bounded_and_end(remote, server, waited):
    server.faults = [(429, [("Retry-After", "100000")], '{"error": {"message": "too many"}}')] * 9
    with pytest.raises(ModelError, match=r"HTTP 429: too many \(tried 5 times\)"):
        remote.generate([STORY], 2)
    assert waited == [30.0] * 4 and len(server.seen) == 5


def test_a_server_that_is_not_there_is_named(waited, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    model = EndpointModel("http://127.0.0.1:9/v1", "tiny", sleep=waited.append)
    with pytest.raises(
        ModelError, match=r"127.0.0.1:9/v1: .*refused.*tried 5 times.*Check that the server runs"
    ):
        model.generate([STORY], 2)
    assert waited == [1.0, 2.0, 4.0, 8.0]


def test_the_key_is_sent_and_shown_nowhere(remote, server, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    remote.generate([STORY], 1)
    assert server.seen[-1][1] == f"Bearer {KEY}"
    server.faults = [(401, [], f'{{"error": {{"message": "Incorrect API key {KEY}"}}}}')]
    with pytest.raises(ModelError, match=rf"HTTP 401: Incorrect API key \*\*\*.*{KEY_VARIABLE}") as caught:
        remote.generate([STORY], 1)
    shown = [str(caught.value), remote.name, remote.fingerprint, repr(vars(remote))]
    assert not any(KEY in text for text in shown)


def test_a_line_end_behind_the_key_is_not_sent(remote, server, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, f"{KEY}\r\n")
    remote.generate([STORY], 1)
    assert server.seen[-1][1] == f"Bearer {KEY}"
    server.faults = [(401, [], f'{{"error": {{"message": "Incorrect API key {KEY}"}}}}')]
    with pytest.raises(ModelError, match=r"Incorrect API key \*\*\*"):
        remote.generate([STORY], 1)


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"“{KEY}”", f"{KEY}\x7f"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(remote, server, monkeypatch, key):
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(ModelError, match=f"{KEY_VARIABLE}: the API key holds") as caught:
        remote.generate([STORY], 1)
    assert KEY not in str(caught.value) and server.seen == []


def test_no_redirect_is_followed(remote, server, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    server.faults = [(307, [("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")], "")]
    with pytest.raises(ModelError, match="HTTP 307"):
        remote.generate([STORY], 1)
    assert len(server.seen) == 1


def test_a_server_that_does_not_echo_cannot_score(remote, server):
    server.echoes = False
    with pytest.raises(ModelError, match=r"echo with logprobs.*decoding: free"):
        remote.score([STORY], [OPTIONS])
    assert remote.generate([STORY], 2)


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"choices": 3}', '{"choices": [{"text": "x"}]}'])
def test_an_answer_that_is_none_is_shown(remote, server, answer):
    server.faults = [(200, [], answer)]
    with pytest.raises(ModelError, match=r"not that of a completions server"):
        remote.generate([STORY], 1)


def test_a_server_that_takes_one_text_a_request_is_asked_so(remote, local, server):
    server.faults = [(400, [], '{"detail": "prompt must be a string."}')]
    prompts = [STORY, "Emily walked to", "Zoë"]
    assert remote.generate(prompts, 2) == local.generate(prompts, 2)
    assert [body["prompt"] for _, _, body in server.seen] == [prompts, *prompts]


def test_a_missing_answer_is_noticed(remote, server):
    server.faults = [(200, [], '{"choices": [{"index": 0, "text": "x"}]}')]
    with pytest.raises(ModelError, match="2 prompts were sent and 1 answers came"):
        remote.generate([STORY, STORY], 1)


def test_an_unknown_model_and_a_too_long_prompt_are_the_servers_to_refuse(remote, server):
    server.faults = [
        (404, [], '{"message": "no model tiny"}'),
        *[(400, [], '{"error": "context length is 512"}')] * 2,  # asked again, with a text in place of a list
    ]
    with pytest.raises(ModelError, match=r"HTTP 404: no model tiny.*model's name behind '#'"):
        remote.generate([STORY], 1)
    with pytest.raises(ModelError, match="HTTP 400: context length is 512"):
        remote.generate([STORY], 1)


def test_logprobs_that_are_no_numbers_are_refused(remote, server):
    broken = {"tokens": ["a", "b"], "token_logprobs": [None, float("nan")], "text_offset": [0, 1]}
    server.faults = [(200, [], json.dumps({"choices": [{"index": 0, "text": "ab", "logprobs": broken}]}))]
    with pytest.raises(NotFiniteError, match="not finite"):
        remote.score(["a"], [["b"]])


def test_a_prompt_without_tokens_is_refused(remote):
    with pytest.raises(ModelError, match="a prompt is empty"):
        remote.score([""], [[" kitchen"]])


def test_names_choose_the_server(server):
    name = f"endpoint:http://127.0.0.1:{server.server_port}/v1#tiny"
    assert isinstance(load_model(name), EndpointModel) and load_model(name).name == name
    assert load_model("smollm2-135m", name).name == name  # an adapter that the server holds
    assert load_model(name).fingerprint != load_model(name + "2").fingerprint
    with pytest.raises(ModelError, match="local adapter cannot be put on a server's model"):
        load_model(name, "some/adapter")


@pytest.mark.parametrize(
    "name", ["endpoint:localhost:8000#m", "endpoint:http://h/v1", "endpoint:ftp://h/v1#m"]
)
def test_a_name_that_is_none_is_explained(name):
    with pytest.raises(ModelError, match=r"does not name a server's model.*http://localhost:8000/v1#MODEL"):
        load_model(name)


def test_a_password_in_the_address_is_refused_without_showing_it():
    with pytest.raises(ModelError, match=KEY_VARIABLE) as caught:
        load_model(f"endpoint:http://me:{KEY}@host/v1#m")
    assert KEY not in str(caught.value)


def test_a_server_is_probed_as_the_model_itself_is(server, tiny_llama, tmp_path, monkeypatch):
    from worldschool.experience.examples import write_examples
    from worldschool.probes.config import ProbeConfig, SuiteSettings
    from worldschool.probes.run import probe
    from worldschool.records import Example

    monkeypatch.setenv(KEY_VARIABLE, KEY)
    asked = ("where", "what", "said")
    examples = [
        Example(f"{task}{i}", task, f"{task} {i}: {STORY}", f"{OPTIONS[i % 3]}\n", OPTIONS[i % 3][1:], "heldout",
                f"episode{i}", task, 1, 0, None if task == "said" else ("kitchen", "home office", "desk"),
                None if task == "said" else i % 3)
        for task in asked
        for i in range(6)
    ]  # fmt: skip
    write_examples(tmp_path / "questions.jsonl", examples)
    suites = {
        "where": SuiteSettings(normalization="unconditional"),
        "what": SuiteSettings(decoding="constrained"),
        "said": SuiteSettings(max_new_tokens=4),
    }
    found = {}
    for name in (str(tiny_llama), f"endpoint:http://127.0.0.1:{server.server_port}/v1#tiny"):
        config = ProbeConfig(model=name, examples=str(tmp_path / "questions.jsonl"), suites=suites, texts=())
        out = tmp_path / str(len(found))
        probe(config, out)
        found[name] = [json.loads((out / "parts" / f"base.{task}.json").read_text()) for task in asked]
        assert not any(KEY in path.read_text(errors="replace") for path in out.rglob("*") if path.is_file())
    assert len({json.dumps(answers) for answers in found.values()}) == 1
