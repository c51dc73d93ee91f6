"""The endpoint client, and an agent over it, against a real OpenAI-compatible server: `transformers serve` on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from transformers.utils.import_utils import is_serve_available

from worldschool.agents.language import LanguageAgent, LanguageConfig
from worldschool.envs import make
from worldschool.errors import ModelError
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.models.language import load_model

SECONDS = 120
pytestmark = pytest.mark.skipif(
    not is_serve_available(), reason="transformers serve needs fastapi, uvicorn and openai"
)


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it is there, whatever it thinks of the request
    except OSError:
        return False


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [
        sys.executable,
        "-m",
        "transformers.cli.transformers",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = {**os.environ, "no_proxy": "127.0.0.1", "HF_HUB_OFFLINE": "1"}
    with log.open("w") as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        server = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
        try:
            until = time.monotonic() + SECONDS
            while not _answers(f"http://127.0.0.1:{port}/health"):
                assert server.poll() is None and time.monotonic() < until, log.read_text()[-2000:]
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(30)


def test_what_a_real_server_writes_is_what_the_model_writes(address, tiny_llama):
    remote, local = load_model(f"endpoint:{address}#{tiny_llama}"), load_model(str(tiny_llama))
    prompts = ["Put the cup on the", "walk to", "Where is the phone?"]
    told = []
    assert remote.generate(prompts, 6, told.append) == local.generate(prompts, 6) and sum(told) == 3
    with pytest.raises(ModelError, match="does not return the prompt's tokens"):
        remote.score(["The cup is"], [[" red", " blue"]])


def test_an_agent_acts_through_a_real_server(address, tiny_llama):
    world = make("worldschool/Household-v0", rooms=[2, 3], objects=[3, 4], goal="random", max_steps=3)
    label = EpisodeLabel("e", 0, 0, 3, "language", "{}", "train")
    lived = []
    for model in (f"endpoint:{address}#{tiny_llama}", str(tiny_llama)):
        # Only a server's tokens are estimated, so the prompts are alike as long as nothing is shortened.
        config = LanguageConfig(model=model, mode="generate", new_tokens=8, context=4096)
        agent = LanguageAgent(config, world, 0)
        if model == str(tiny_llama):
            agent._model.context_length = 1 << 20
        lived.append(record_episode(world, agent, label))
        assert agent.usage.calls >= 1 and agent.usage.prompt_tokens > 0
    assert lived[0].error is None and len(lived[0].steps) >= 1
