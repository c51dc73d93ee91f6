"""The shop in a real Chromium: the same as the text environment, step by step; and the site used by hand and by keyboard."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from tests.envs import small_shop
from worldschool.envs.shop.browser import ShopBrowserEnv
from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.chromium import BROWSERS
from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.generated import hostile_products
from worldschool.envs.shop.site.serving import BackgroundSite
from worldschool.errors import WorldError

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
pytest.importorskip("playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
ACTIONS = [
    "search[SOY candle]", "search[jeans]", "click[next >]", "click[nonsense]", "click[< Prev]", "click[B0CANDLE00]",
    "click[navy blue]", "click[large]", "click[white]", "click[features]", "click[attributes]", "click[< prev]",
    "click[reviews]", "click[< prev]", "no action", "click[< prev]", "click[back to search]", "search[]", "search[a]b[ jeans]",
    "click[b0jeans001]", "click[length: 30]", "click[32 [slim]]", "click[fit: features]", "click[description]",
    "click[back to search]", "search[lavender candle]", "click[b0candle00]", "click[navy blue]", "click[buy now]",
]  # fmt: skip
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&amp;{{7*7}}\u202e\r\n\t'\" \x1b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.write(tmp_path_factory.mktemp("shop") / "small")


def compare(settings, actions, seed):
    """Do the same in both; returns the last step."""
    env, browser = ShopEnv(**settings), ShopBrowserEnv(executable_path=CHROMIUM, timeout_s=120, **settings)
    try:
        seen, info = env.reset(seed=seed)
        told, known = browser.reset(seed=seed)
        assert told == seen
        step = None
        for action in actions:
            step = env.step(action)
            *told, known = browser.step(action)
            assert told == list(step[:4]), action
            info = step[4]
            for name in ("success", "split", "has_search_bar", "clickables"):
                assert known[name] == info[name], (action, name)
            assert (known["error"] is None) == (info["error"] is None), action
        return step, browser.page.title()
    finally:
        browser.close()
        browser.close()


@pytest.mark.parametrize("mode, compat", [("text", None), ("text_rich", None), ("text_rich", "webshop")])
def test_one_seed_and_one_list_of_actions_give_the_same(folder, mode, compat):
    settings = {"catalogue": str(folder), "observation_mode": mode, "compat": compat, "show_attributes": True}
    (_, reward, over, _, info), _ = compare(settings, ACTIONS, seed=11)
    assert over and reward == 1.0 and info["success"]


def test_as_in_webshop_shopping_goes_on_after_buying(folder):
    settings = {"catalogue": str(folder), "compat": "webshop", "observation_mode": "text_rich"}
    actions = [
        "search[jeans]",
        "click[b0jeans001]",
        "click[buy now]",
        "click[buy now]",
        "search[candle]",
        "click[next >]",
    ]
    (_, reward, over, _, _), _ = compare(settings, actions, seed=1)
    assert reward == 0.0 and not over


def test_a_value_named_as_another_option_is_marked_as_webshop_marks_it(tmp_path):
    product = dataclasses.replace(small_shop.PRODUCTS[0], options={"red": ("red", "blue", "green")})
    Catalogue.write(tmp_path / "odd", [product], small_shop.GOALS[:1])
    settings = {"catalogue": str(tmp_path / "odd"), "compat": "webshop", "observation_mode": "text_rich"}
    (seen, *_), _ = compare(settings, ["search[candle]", "click[b0candle00]", "click[blue]"], seed=1)
    assert seen.startswith("You have clicked blue.\nYou have clicked red.\n")


def test_the_steps_run_out_as_in_the_text(folder):
    settings = {"catalogue": str(folder), "max_steps": 3}
    (_, _, over, truncated, _), _ = compare(
        settings, ["nonsense", "search[jeans]", "click[b0jeans001]"], seed=1
    )
    assert truncated and not over


def test_hostile_products_are_text_in_a_browser_too(tmp_path):
    product = dataclasses.replace(
        small_shop.PRODUCTS[0], title=f"candle {HOSTILE}", description=f"{HOSTILE} {'long ' * 60_000}", bullets=(HOSTILE, "", "\n"),
        options={HOSTILE: (HOSTILE.lower(), " ", "plain"), "long": ("y" * 70_000,)}, attributes=(HOSTILE,), rating=HOSTILE,
    )  # fmt: skip
    goal = dataclasses.replace(
        small_shop.GOALS[0], instruction=f"find {HOSTILE}", options=(), attributes=(HOSTILE,)
    )
    Catalogue.write(tmp_path / "hostile", [product], [goal])
    settings = {
        "catalogue": str(tmp_path / "hostile"),
        "show_attributes": True,
        "observation_mode": "text_rich",
    }
    actions = [
        "search[candle]", "click[b0candle00]", "click[plain]", f"click[{HOSTILE}]", "click[ ]", "click[description]",
        "click[< prev]", "click[features]", "click[< prev]", "click[attributes]", "click[< prev]", "click[buy now]",
    ]  # fmt: skip
    actions[5:5] = [f"click[{'y' * 70_000}]"]
    (_, _, over, _, info), title = compare(settings, actions, seed=1)
    assert over and info["error"] is None and title == "Thank you · WebShop"


BATCH = 30
"""Products that one search finds: it finds fifty at most."""
LONG = 10_000
"""Characters of a title."""


def test_every_hostile_product_has_the_texts_of_the_text_environment(tmp_path):
    """Of all of them, which takes minutes, where WORLDSCHOOL_FUZZ is set; otherwise of every fifth."""
    # Long ones last: a page of results is sent again after each product on it.
    inorder = sorted(hostile_products(), key=lambda product: len(product.title) > LONG)
    inorder = inorder if "WORLDSCHOOL_FUZZ" in os.environ else inorder[::5]
    products = [
        dataclasses.replace(product, bullets=(f"batch{number // BATCH}", *product.bullets))
        for number, product in enumerate(inorder)
    ]
    goal = dataclasses.replace(small_shop.GOALS[0], asin=products[0].asin, instruction="look", options=())
    Catalogue.write(tmp_path / "hostile", products, [goal])
    settings = {"catalogue": str(tmp_path / "hostile"), "show_attributes": True, "max_steps": 10_000}
    env, browser = ShopEnv(**settings), ShopBrowserEnv(executable_path=CHROMIUM, timeout_s=120, **settings)
    opened = set()

    def do(action):
        expected, _, over, _, info = env.step(action)
        seen, _, ended, _, known = browser.step(action)
        assert seen == expected.replace("\0", "\ufffd"), action[:80]  # HTML cannot hold U+0000
        assert [text.replace("\0", "\ufffd") for text in info["clickables"]] == known["clickables"]
        assert info["error"] is None and known["error"] is None and over == ended is False, action[:80]
        return info["clickables"]

    try:
        env.reset(seed=0)
        browser.reset(seed=0)
        for batch in range(-(-len(products) // BATCH)):
            shown = do(f"search[batch{batch}]")
            for _ in range(BATCH // 10):
                for asin in [text for text in shown if text.startswith("b0hostil")]:
                    opened.add(asin.upper())
                    on_page = do(f"click[{asin}]")
                    values = on_page[on_page.index("buy now") + 1 :]
                    for target in (*values[:2], *values[-1:], "description", "< prev", "features", "< prev", "attributes", "< prev"):  # fmt: skip
                        if "\0" not in target:
                            do(f"click[{target}]")
                    shown = do("click[< prev]")
                if "next >" in shown:
                    shown = do("click[next >]")
            do("click[back to search]")
    finally:
        browser.close()
    assert opened == {product.asin for product in products}


@pytest.fixture(scope="module")
def browser(folder):
    with BackgroundSite({"catalogue": str(folder), "show_attributes": True}) as site:
        env = ShopBrowserEnv(
            executable_path=CHROMIUM,
            timeout_s=120,
            url=site.url,
            catalogue=str(folder),
            render_mode="rgb_array",
        )
        yield env
        env.close()


def test_by_keyboard_alone_and_without_scripts(browser):
    context = browser.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{browser._url}/?seed=1")

    def press_until(selector, key="Tab"):
        for _ in range(60):
            page.keyboard.press(key)
            if page.locator(f"{selector}:focus").count():
                return
        raise AssertionError(f"{selector} is not reached")

    press_until("#search_input")
    page.keyboard.type("lavender candle")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=results]")
    press_until("a.product-link[href$=B0CANDLE00]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=item]")
    press_until("input[type=submit][aria-pressed]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-pressed=true]")
    assert page.get_by_role("button", name="small", pressed=True).count() == 1
    assert page.get_by_role("group", name="size").count() == 1
    press_until("button.purchase")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=done]")
    assert page.get_by_role("meter").count() == 1
    page.get_by_role("link", name="Start a new session").click()
    page.wait_for_selector("[data-page=search]")
    context.close()


def test_a_browsers_way_back_and_the_mouse(browser):
    from playwright.sync_api import expect  # it waits until the page is there; a click alone does not

    browser.reset(seed=1)
    page = browser.page
    page.fill("#search_input", "candle")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_text("Glimm Vanilla Soy Candle").click(force=True)  # the whole card is the link
    expect(page).to_have_title(re.compile("^Glimm Vanilla"))
    page.get_by_text("navy blue", exact=True).click()
    expect(page.locator("[aria-pressed=true]")).to_have_count(1)
    page.get_by_role("button", name="Features").click()
    expect(page.locator("body[data-page=sub]")).to_have_count(1)
    page.go_back(wait_until="domcontentloaded")
    expect(page.locator("[aria-pressed=true]")).to_have_count(1)  # what was chosen is still chosen
    while "results" not in page.url:
        page.go_back(wait_until="domcontentloaded")
    expect(page.locator("a.product-link[data-visited]")).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window_and_no_request_leaves(browser, width):
    asked = []
    page = browser.page
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 800})
    browser.reset(seed=2)
    for action in (
        "search[candle]",
        "click[b0candle00]",
        "click[description]",
        "click[< prev]",
        "click[buy now]",
    ):
        _, _, _, _, info = browser.step(action)
        assert info["error"] is None
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, action
        broken = page.evaluate(
            "Promise.all([...document.images].map((one) => one.decode().then(() => 0, () => 1))).then((all) => all.reduce((a, b) => a + b, 0))"
        )
        assert broken == 0, action
    assert asked and all(one.startswith(browser._url) for one in asked)


def test_a_picture_of_the_page(browser):
    browser.reset(seed=3)
    picture = browser.render()
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 and picture.std() > 1


def test_without_reset_and_after_the_end(folder):
    env = ShopBrowserEnv(executable_path=CHROMIUM, timeout_s=120, catalogue=str(folder), max_steps=1)
    try:
        with pytest.raises(ResetNeeded, match="call reset first"):
            env.step("search[x]")
        with pytest.raises(WorldError, match="unknown option 'goal'"):
            env.reset(seed=1, options={"goal": 1})
        env.reset(seed=1)
        env.step("search[x]")
        with pytest.raises(WorldError, match="the episode has ended"):
            env.step("search[x]")
    finally:
        env.close()


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"observation_mode": "html"}, "A browser gives text or text_rich"),
        ({"executable_path": "/no/chromium"}, "there is no program '/no/chromium'"),
        ({"executable_path": "/bin/true"}, "the browser cannot be started"),
        ({"url": "127.0.0.1"}, "Give one like http://"),
        ({"timeout_s": 0}, "Give seconds above 0"),
        ({"nonsense": 1}, "unknown setting 'nonsense'"),
        ({"render_mode": "human"}, "'rgb_array'"),
    ],
)
def test_settings_at_fault(folder, settings, told):
    with pytest.raises(WorldError, match=told):
        ShopBrowserEnv(catalogue=str(folder), **settings)


def test_a_site_that_is_not_there(folder):
    env = ShopBrowserEnv(
        executable_path=CHROMIUM, timeout_s=120, url="http://127.0.0.1:9", catalogue=str(folder)
    )
    try:
        with pytest.raises(WorldError, match="the site does not answer"):
            env.reset(seed=1)
    finally:
        env.close()


def test_several_in_one_program(folder):
    first = ShopBrowserEnv(executable_path=CHROMIUM, timeout_s=120, catalogue=str(folder))
    second = ShopBrowserEnv(executable_path=CHROMIUM, timeout_s=120, catalogue=str(folder))
    try:
        assert first.reset(seed=1)[0] == second.reset(seed=1)[0]
        second.step("search[candle]")
        first.close()
        assert second.step("click[b0candle00]")[4]["error"] is None
    finally:
        first.close()
        second.close()
