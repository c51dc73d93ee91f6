"""The page: hostile text stays text, nothing is fetched, and it works in a real browser where there is one."""

import base64
import dataclasses
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldschool import envs
from worldschool.agents.random import RandomAgent, RandomConfig
from worldschool.experience.recording import EpisodeLabel, record_episode
from worldschool.experience.viewing.gathering import Gathering
from worldschool.experience.viewing.packing import page_json
from worldschool.experience.viewing.page import html_page
from worldschool.experience.viewing.relive import Reliver
from worldschool.records import Entity, Episode, Event, Fact, Step

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">{0}<!-- ' \" ` & &lt; <b>\u2028\u2029\u202e\u200f $title </pre>"
"""Filled with the field's name, so that each field is told apart."""


def hostile(name):
    return HOSTILE.format(name)


def visible(name):
    """The hostile text as it is shown: what turns or breaks a line by its code."""
    return (
        hostile(name).replace("\u2028", r"\u2028").replace("\u2029", r"\u2029").replace("\u202e", r"\u202e")
    )


def hostile_episode():
    """An episode with hostile text wherever an episode holds text."""
    event = Event(
        0, hostile("actor"), hostile("verb"), hostile("object"), hostile("source"), hostile("target"), "ON", True,
        (hostile("seer"),),
    )  # fmt: skip
    steps = tuple(
        Step(hostile(f"seen {k}"), hostile(f"action {k}"), 0.5, hostile("hash"), 3, (event,))
        for k in range(2)
    )
    return Episode(
        episode_id=hostile("id"),
        run_seed=0,
        index=0,
        world=hostile("world"),
        world_version=hostile("version"),
        world_config=hostile("config"),
        seed=0,
        agent=hostile("agent"),
        agent_config=json.dumps({hostile("key"): hostile("setting")}),
        split=hostile("split"),
        goal=hostile("goal"),
        goal_predicates=json.dumps(
            [["ON", hostile("subject"), hostile("target")], [hostile("relation"), "x", None]]
        ),
        activity=hostile("activity"),
        entities=(Entity(hostile("entity"), "character"),),
        initial_facts=(Fact(hostile("fact"), "ON", hostile("target")),),
        initial_observation=hostile("first seen"),
        initial_state_hash=hostile("first hash"),
        steps=steps,
        terminated=False,
        truncated=False,
        success=False,
        return_=1.0,
        length=2,
        error=hostile("error"),
        package_version=hostile("package"),
    )


def harmless(value):
    """The same episode with plain words in place of its texts."""
    if isinstance(value, str):
        return "[]" if value.startswith("[[") else "words"
    if isinstance(value, tuple):
        return tuple(harmless(one) for one in value)
    if dataclasses.is_dataclass(value):
        fields = {field.name: harmless(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return type(value)(**fields)
    return value


def page_of(*episodes, name="demo", reliver=None):
    gathered = Gathering(10_000_000, reliver)
    for episode in episodes:
        gathered.take(episode)
    pictures = gathered.pictures()
    return html_page(name, [f"A page about {name}."], gathered.rows, gathered.texts.texts, pictures)


class Elements(HTMLParser):
    """The elements of a page, with their attributes' names; scripts' contents apart."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts, self.styles, self._inside = [], [], [], None
        self.addresses = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(sorted(name for name, _ in attrs))))
        self.addresses += [
            value for name, value in attrs if name in ("src", "href", "action", "srcset", "data")
        ]
        self._inside = tag
        self.attrs = dict(attrs)

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append((self.attrs.get("type"), data))
        elif self._inside == "style":
            self.styles.append(data)

    def handle_endtag(self, tag):
        self._inside = None


# -- by parsing -------------------------------------------------------------------------------------------------------


def test_hostile_text_adds_no_element():
    episode = hostile_episode()
    page, plain = page_of(episode, name=hostile("dataset")), page_of(harmless(episode))
    assert Elements(page).found == Elements(plain).found
    assert "<img" not in page and "</pre> " not in page


def test_every_hostile_text_is_in_the_data_as_it_was():
    ((_, _), (kind, data), (_, _)) = Elements(page_of(hostile_episode())).scripts
    assert kind == "application/json"
    texts = json.loads(data)["texts"]
    for name in ("goal", "agent", "world", "activity", "actor", "object", "seer", "action 1", "package"):
        assert hostile(name) in texts
    assert "\n".join(texts).count(HOSTILE.partition("{")[0]) > 15
    assert not set("<>&\u2028\u2029") & set(data)


@given(st.text())
def test_data_is_json_without_markup(text):
    written = page_json({"x": [text]})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"x": [text.encode("utf-8", "replace").decode()]}


def test_the_policy_lets_only_this_script_and_style_run():
    page = page_of(hostile_episode())
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in html.unescape(policy).split(";"))
    elements = Elements(page)

    def hashed(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"].split() == [hashed(text) for kind, text in elements.scripts if kind is None]
    assert [rules["style-src"]] == [hashed(text) for text in elements.styles]
    assert rules["img-src"] == "data:"


def test_the_page_names_nothing_outside_itself():
    page = page_of(hostile_episode())
    elements = Elements(page)
    assert all(address.startswith("#") for address in elements.addresses)
    (script,) = [text for kind, text in elements.scripts if kind is None and len(text) > 1000]
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttp",
        "import(",
    ):
        assert way not in script
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in elements.styles[0] and "@import" not in elements.styles[0]
    assert not any(attribute.startswith("on") for _, names in elements.found for attribute in names)


def test_without_scripts_there_is_a_list_with_the_first_episodes_told():
    episodes = [corridor_like(k) for k in range(7)]
    page = page_of(*episodes)
    plain = page[page.index('<main id="plain">') : page.index('<div id="app" hidden>')]
    for episode in episodes:
        assert f"goal {episode.index}</bdi>" in plain
    assert "seen 4 1" in plain and "seen 5 1" not in plain
    assert plain.count("<details>") == 5


def corridor_like(k):
    """A small harmless episode that tells its number everywhere."""
    steps = tuple(Step(f"seen {k} {t}", f"do {k} {t}", 0.0, f"{t}", 2) for t in range(3))
    return dataclasses.replace(
        harmless(hostile_episode()),
        index=k,
        episode_id=f"demo-{k}",
        goal=f"goal {k}",
        steps=steps,
        error=None,
    )


# -- in a browser -----------------------------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


def browsed(page, folder, script="", address="", width=1200):
    """Open a page, let `script` use it, and return (what it left in `told`, the page's text, the elements in it)."""
    driver = (
        "const told = {}; const press = (key) => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));"
        "const text = (id) => document.getElementById(id).textContent;"
        "const rest = (ms) => new Promise((done) => setTimeout(done, ms));"
        f"(async () => {{ await rest(300); {script} }})().catch((error) => {{ told.error = String(error); }})"
        ".finally(() => { const out = document.createElement('output'); out.id = 'told';"
        "out.textContent = JSON.stringify(told); document.body.append(out); });"
    )
    allowed = base64.b64encode(hashlib.sha256(driver.encode()).digest()).decode()
    page = page.replace("script-src ", f"script-src &#x27;sha256-{allowed}&#x27; ", 1)
    page = page.replace("</body>", f"<script>{driver}</script></body>")
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", "--virtual-time-budget=8000",
            "--dump-dom", file.as_uri() + address,
        ],
        check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (told,) = re.findall(r'<output id="told">(.*?)</output>', done.stdout, re.DOTALL) or [None]
    assert told is not None, done.stdout[-500:] + done.stderr[-2000:]
    return json.loads(html.unescape(told)), done.stdout


@in_a_browser
def test_hostile_text_is_shown_and_does_nothing(tmp_path):
    script = """
        told.title = document.title;
        told.images = document.images.length;
        press('ArrowRight');
        for (const one of document.querySelectorAll('details')) one.open = true;
        told.goal = text('goal'); told.seen = text('observation'); told.action = text('action'); told.about = text('about');
        told.rows = text('rows'); told.strips = text('strips'); told.ended = text('error-text'); told.list = text('list');
        told.steps = text('steps'); told.bold = document.querySelectorAll('b').length;
        told.owned = document.title === 'owned';
        told.turning = /[\\u2028-\\u202e]/.test(document.body.innerText);
    """
    told, _ = browsed(page_of(hostile_episode(), name=hostile("dataset")), tmp_path, script)
    assert (
        "error" not in told
        and not told["owned"]
        and not told["turning"]
        and told["images"] == told["bold"] == 0
    )
    assert visible("goal") in told["title"] and visible("dataset") in told["title"]
    assert told["goal"] == visible("goal") and told["seen"] == visible("seen 0")
    assert visible("action 0") in told["action"] and told["ended"] == visible("error")
    for name in ("id", "world", "agent", "config", "split", "package"):
        assert visible(name) in told["about"]
    for name in ("actor", "verb", "object", "source", "target", "seer"):
        assert visible(name) in told["rows"]
    assert visible("subject") in told["strips"] and visible("relation") in told["strips"]
    assert visible("goal") in told["list"] and visible("activity") in told["list"]
    assert visible("action 1") in told["steps"]


@in_a_browser
def test_the_keys_step_and_the_filters_filter(tmp_path):
    script = """
        told.at = [text('where')];
        for (const key of ['j', 'ArrowRight', 'k', 'End', 'ArrowRight', 'Home', 'ArrowLeft']) {
          press(key); told.at.push(text('where'));
        }
        press('End');
        told.address = location.hash; told.seen = text('observation');
        told.chosen = [...document.querySelectorAll('#steps [aria-current=step]')].map((one) => one.textContent);
        told.slider = document.getElementById('slider').getAttribute('aria-valuetext');
        await rest(400); told.live = text('live');
        press('n'); await rest(100); told.next = text('goal');
        press('/'); told.focus = document.activeElement.id;
        const search = document.getElementById('search');
        search.value = 'DO 5'; search.dispatchEvent(new Event('input', {bubbles: true}));
        told.count = text('count');
        told.listed = [...document.querySelectorAll('#list li:not([hidden])')].map((one) => one.textContent);
        press('n'); await rest(100); told.found = text('goal');
        search.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true, cancelable: true}));
        told.typing = text('where');
        document.getElementById('letters').checked = false; press('j'); told.off = text('where');
        press('ArrowRight'); told.arrows = text('where');
        told.theme = getComputedStyle(document.body).backgroundColor;
        const theme = document.getElementById('theme'); theme.value = 'dark'; theme.dispatchEvent(new Event('change'));
        told.dark = getComputedStyle(document.body).backgroundColor;
        document.getElementById('play').click(); await rest(3500); told.played = text('where');
        told.plain = getComputedStyle(document.getElementById('plain')).display;
    """
    told, _ = browsed(
        page_of(*(corridor_like(k) for k in range(7))), tmp_path, script, "#episode=demo-2&step=1"
    )
    assert "error" not in told, told
    assert told["at"] == ["1 / 3", "2 / 3", "3 / 3", "2 / 3", "3 / 3", "3 / 3", "0 / 3", "0 / 3"]
    assert told["address"] == "#episode=demo-2&step=3" and told["seen"] == "seen 2 2"
    assert len(told["chosen"]) == 1 and "do 2 2" in told["chosen"][0]
    assert told["slider"] == "Step 3 of 3: do 2 2" and told["live"].startswith("Step 3 of 3: do 2 2.")
    assert told["next"] == "goal 3" and told["focus"] == "search"
    assert told["count"] == "1 of 7 episodes" and len(told["listed"]) == 1 and "goal 5" in told["listed"][0]
    assert told["found"] == "goal 5"
    assert (told["typing"], told["off"], told["arrows"]) == ("0 / 3", "0 / 3", "1 / 3")
    assert told["theme"] != told["dark"] == "rgb(21, 22, 26)"
    assert told["played"] == "3 / 3" and told["plain"] == "none"


@in_a_browser
def test_pictures_and_progress_are_those_of_the_world(tmp_path):
    world = envs.make("worldschool/Household-v0", characters=2, goal="random", max_steps=5)
    episode = record_episode(
        world,
        RandomAgent(RandomConfig(), world, 1),
        EpisodeLabel("demo-00000000", 0, 0, 4, "random", "{}", "train"),
    )
    from worldschool.envs.household.grid.overview import Overview

    world.reset(seed=4)
    frames = [Overview(world).frame()]
    for step in episode.steps:
        world.step(step.action)
        frames.append(Overview(world).frame())
    assert any((frame != frames[0]).any() for frame in frames)
    spots = [(int(x), int(y)) for y, x in np.argwhere((frames[-1] != frames[0]).any(axis=-1))[::97]]
    script = f"""
        const canvas = document.getElementById('picture'); const context = canvas.getContext('2d');
        const spots = {json.dumps(spots)};
        const read = () => spots.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
        const drawn = async (label) => {{
          for (let k = 0; k < 100 && (canvas.getAttribute('aria-label') !== label || !read().flat().some(Boolean)); k++) await rest(50);
          await rest(200);
        }};
        await drawn('Picture of the world, at the start'); told.first = read(); told.size = [canvas.width, canvas.height];
        told.label = canvas.getAttribute('aria-label');
        press('End'); await drawn('Picture of the world, after step 5 of 5'); told.last = read();
        told.people = text('people'); told.note = text('progress-note'); told.strips = text('strips');
        told.wide = document.documentElement.scrollWidth <= innerWidth;
    """
    told, _ = browsed(page_of(episode, reliver=Reliver()), tmp_path, script, width=500)
    assert "error" not in told, told
    assert told["size"] == [frames[0].shape[1], frames[0].shape[0]]
    assert told["first"] == [frames[0][y, x].tolist() for x, y in spots]
    assert told["last"] == [frames[-1][y, x].tolist() for x, y in spots]
    assert told["label"] == "Picture of the world, at the start"
    assert all(name in told["people"] for name in world.view.house.characters)
    assert (
        "every state was the recorded one" in told["note"] and "never held" in told["strips"] and told["wide"]
    )
