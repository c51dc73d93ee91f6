"""A person's session on the site is an episode like any other: recorded, verified, lived again; and the command around it."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.envs import small_shop
from worldschool.cli.main import main
from worldschool.envs.shop.env import ShopEnv
from worldschool.errors import OutputError
from worldschool.experience.played import PlayedEpisodes
from worldschool.experience.replay import replay_dataset
from worldschool.experience.storage.verification import verify
from worldschool.experience.store import EpisodeStore

ACTIONS = ("search[lavender candle]", "click[b0candle00]", "click[navy blue]", "click[buy now]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.write(tmp_path_factory.mktemp("shop") / "small")


def shop(folder):
    return ShopEnv(catalogue=str(folder), max_steps=100)


def test_what_was_done_is_recorded_and_can_be_lived_again(folder, tmp_path):
    with PlayedEpisodes(tmp_path / "played", shop(folder), "play shop") as played:
        bought = played.add(2**62 + 5, ACTIONS)
        left = played.add(3, ACTIONS[:2])
        assert len(played) == 2, "each is committed at once"
    assert bought.agent == left.agent == "person" and [bought.index, left.index] == [0, 1]
    assert [step.action for step in bought.steps] == list(ACTIONS)
    assert bought.terminated and bought.success and bought.return_ == 1.0 and bought.seed == 2**62 + 5
    assert not left.terminated and not left.truncated and left.length == 2 and left.error is None
    assert [event.verb for event in bought.events] == ["search", "open", "choose", "buy"]
    assert verify(tmp_path / "played").problems == ()
    assert replay_dataset(EpisodeStore.open(tmp_path / "played"), 1).passed


def test_the_same_command_continues_and_others_are_refused(folder, tmp_path):
    out = tmp_path / "played"
    for count in (1, 2):
        with PlayedEpisodes(out, shop(folder), "play shop") as played:
            assert played.add(1, ACTIONS).index == count - 1
    ids = [episode.episode_id for episode in EpisodeStore.open(out)]
    assert re.fullmatch(r"person-[0-9a-f]{8}-00000000", ids[0])
    assert ids[1] == ids[0][:-1] + "1", "the same was done again"
    with pytest.raises(OutputError, match="another configuration"):
        PlayedEpisodes(out, ShopEnv(catalogue=str(folder), max_steps=7), "play shop")
    with pytest.raises(OutputError, match="made by `worldschool play shop`"):
        PlayedEpisodes(out, shop(folder), "play household")


def test_sessions_of_several_datasets_have_ids_of_their_own(folder, tmp_path):
    done = {"a": [(1, ACTIONS), (2, ACTIONS)], "b": [(1, ACTIONS), (3, ACTIONS)], "c": [(1, ACTIONS[:2])]}
    ids = {}
    for name, sessions in done.items():
        with PlayedEpisodes(tmp_path / name, shop(folder), "play shop") as played:
            ids[name] = [played.add(seed, actions).episode_id for seed, actions in sessions]
    assert ids["a"][0] == ids["b"][0], "the same was done"
    assert len({*ids["a"], *ids["b"], *ids["c"]}) == 4


def test_what_a_full_disk_refused_is_recorded_when_there_is_room(folder, tmp_path, monkeypatch):
    out = tmp_path / "played"

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with PlayedEpisodes(out, shop(folder), "play shop") as played:
        played.add(1, ACTIONS)
        for seed in (2, 3):
            with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
                patch.setattr(os, "fsync", full)
                played.add(seed, ACTIONS)
            assert len(played) == 1
        assert played.add(4, ACTIONS).index == 3 and len(played) == 4
        with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
            patch.setattr(os, "fsync", full)
            played.add(5, ACTIONS)
    assert [episode.seed for episode in EpisodeStore.open(out)] == [1, 2, 3, 4, 5]
    assert verify(out).problems == ()


def test_the_command_serves_records_and_ends_by_ctrl_c(folder, tmp_path):
    out = tmp_path / "played"
    command = [sys.executable, "-m", "worldschool.cli", "play", "shop", "--port", "0", "--out", str(out)]
    command += ["--set", f"catalogue={folder}", "--set", "show_attributes=true"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_PROXY": "*"}
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+$", process.stderr.readline().strip())
        assert found, process.stderr.read()
        browser = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        )
        home = browser.open(f"{found[0]}/?seed=5", timeout=30).geturl()
        for path, fields in (("", {"search_query": "Candle"}), ("/click", {"target": "b0candle01"})):
            body = urllib.parse.urlencode(fields).encode()
            assert "Glimm Vanilla" in browser.open(home + path, body, timeout=30).read().decode()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in told
    assert re.search(r"person-[0-9a-f]{8}-00000000: 2 steps, left without buying", told)
    (episode,) = EpisodeStore.open(out)
    assert [step.action for step in episode.steps] == [
        "search[Candle]",
        "click[b0candle01]",
    ] and episode.seed == 5


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--set", "catalogu=x"], "Did you mean 'catalogue'?"),
        (["--set", "catalogue"], "'catalogue' is not key=value"),
        (["--set", "max_steps=0"], "Shop: max_steps"),
        (["--split", "none"], "Accepted: 'train', 'validation', 'heldout'"),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid"),
    ],
)
def test_mistakes_are_one_sentence(folder, arguments, told, capsys):
    if not any("catalogu" in one for one in arguments):
        arguments = ["--set", f"catalogue={folder}", *arguments]
    with pytest.raises(SystemExit) as stopped:
        main(["play", "shop", *arguments])
    assert stopped.value.code == 2
    shown = capsys.readouterr().err
    assert told in shown and "Traceback" not in shown


def test_a_port_in_use_is_told(folder, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as stopped:
            main(["play", "shop", "--set", f"catalogue={folder}", "--port", str(port)])
    assert stopped.value.code == 2
    assert f"port {port} of 127.0.0.1 cannot be listened on" in capsys.readouterr().err
