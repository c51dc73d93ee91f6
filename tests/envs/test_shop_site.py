"""The site as a client meets it: flow, sessions that do not leak, and whatever a hostile client or product may try."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from tests.envs import small_shop
from tests.envs.shop_pages_reader import PageReader
from worldschool.envs.shop.catalogue import Catalogue
from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.pages import Node, text_of
from worldschool.envs.shop.site.app import site
from worldschool.envs.shop.site.protection import LARGEST_FORM
from worldschool.envs.shop.site.sessions import Shopping
from worldschool.errors import WorldError

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.write(tmp_path_factory.mktemp("shop") / "small")


class Visitor:
    """A browser of its own, in a session of its own."""

    def __init__(self, app, seed=1):
        self.client = TestClient(app, raise_server_exceptions=False)
        self.answer = self.client.get(f"/?seed={seed}")
        self.home = urlsplit(str(self.answer.url)).path

    def get(self, address, **more):
        self.answer = self.client.get(address, **more)
        return self

    def search(self, words, **fields):
        self.answer = self.client.post(self.home, data={"search_query": words, **fields})
        return self

    def click(self, target, **fields):
        self.answer = self.client.post(f"{self.home}/click", data={"target": target, **fields})
        return self

    @property
    def at(self):
        """The address below the session's own."""
        return str(self.answer.url).partition(self.home)[2]

    @property
    def page(self):
        return PageReader(self.answer.text)

    @property
    def text(self):
        return text_of(self.page.nodes)

    @property
    def token(self):
        return self.page.having("input", name="page")[0]["value"]


@pytest.fixture
def told():
    return []


@pytest.fixture
def app(folder, told):
    return site({"catalogue": str(folder), "show_attributes": True}, sessions=3, ended=told.append)


# -- flow -------------------------------------------------------------------------------------------------------------


def test_a_session_is_that_of_the_text_environment(app, folder, told):
    env = ShopEnv(catalogue=str(folder), show_attributes=True)
    shopper = Visitor(app, seed=7)
    seen, _ = env.reset(seed=7)
    assert shopper.text == seen and shopper.at == ""
    actions = [
        "search[soy candle]", "click[next >]", "click[< prev]", "click[b0candle00]", "click[navy blue]", "click[large]",
        "click[features]", "click[< prev]", "click[attributes]", "click[< prev]", "click[back to search]",
        "search[lavender]", "click[b0candle00]", "click[navy blue]", "click[buy now]",
    ]  # fmt: skip
    for action in actions:
        verb, _, argument = action.removesuffix("]").partition("[")
        (shopper.search if verb == "search" else shopper.click)(argument)
        seen, reward, over, _, _ = env.step(action)
        assert shopper.answer.status_code == 200 and shopper.text == seen, action
    assert over and shopper.at == "/done" and f"[SEP] {reward!r} [SEP]" in shopper.text
    assert told == [Shopping(7, tuple(actions))]


def test_a_picture_has_the_colour_that_was_chosen(app):
    shopper = Visitor(app).search("candle").click("b0candle00")

    def shown():
        return shopper.client.get(shopper.page.having("img", id="product-image")[0]["src"]).text

    first = shown()
    shopper.click("white")
    white = shown()
    shopper.click("navy blue")
    assert white != first and shown() != white
    address = "/picture?asin=B0CANDLE00&color="
    assert shopper.client.get(address + "unheard+of").text == first
    assert shopper.client.get(address + "x" * 4000).text == first


def test_links_open_products_and_the_way_back_is_a_click(app, told):
    shopper = Visitor(app).search("candle")
    link = shopper.page.having("a", class_="product-link")[2]["href"]
    asin = link.partition("asin=")[2]
    shopper.get(link)
    assert shopper.at == f"/item?asin={asin}"
    shopper.click("reviews").get(link)
    assert shopper.at == f"/item?asin={asin}", "from the reviews a browser's way back leads to the product"
    shopper.get(f"{shopper.home}/results?page=1")
    assert shopper.at == "/results?page=1"
    shopper.get(f"{shopper.home}/results?page=2").get(f"{shopper.home}/results?page=1").get(shopper.home)
    assert shopper.at == "" and "What are you looking for?" in shopper.answer.text
    shopper.get(f"{shopper.home}/results?page=1")
    assert shopper.at == "", "no click leads there"
    shopper.search("jeans").click("b0jeans001").click("buy now")
    assert told[0].actions == (
        "search[candle]", f"click[{asin.lower()}]", "click[reviews]", "click[< prev]", "click[< prev]", "click[next >]",
        "click[< prev]", "click[back to search]", "search[jeans]", "click[b0jeans001]", "click[buy now]",
    )  # fmt: skip


def test_only_a_form_buys_or_chooses(app, told):
    shopper = Visitor(app).search("jeans").click("b0jeans001")
    for address in ("/done", "/click", "/click?target=buy+now", "/item?asin=B0JEANS001&target=34"):
        assert shopper.get(shopper.home + address).at == "/item?asin=B0JEANS001"
    assert "checked" not in shopper.answer.text and told == []


def test_looking_ahead_does_nothing(app):
    shopper = Visitor(app).search("candle")
    link = shopper.page.having("a", class_="product-link")[0]["href"]
    assert shopper.get(link, headers={"sec-purpose": "prefetch"}).at == "/results?page=1"
    shopper.client.head(link)
    assert shopper.get(shopper.home + "/results?page=1").at == "/results?page=1"


def test_a_form_of_an_older_page_is_not_obeyed(app, told):
    shopper = Visitor(app).search("jeans").click("b0jeans001")
    old = shopper.token
    shopper.click("< prev", page=old)
    assert shopper.at == "/results?page=1"
    shopper.click("b0jeans001").click("34")
    assert shopper.token != old
    shopper.click("buy now", page=old)
    assert shopper.at == "/item?asin=B0JEANS001" and told == []
    assert shopper.click("buy now", page="é").at == "/item?asin=B0JEANS001"
    assert shopper.click("buy now", page=shopper.token).at == "/done"


def test_what_cannot_be_done_changes_and_counts_for_nothing(app, told):
    shopper = Visitor(app)
    for number in ("-1", "1", "²", "9" * 5000, "0x0", " 0"):
        assert shopper.click("", number=number).at == "" and shopper.answer.status_code == 200
    for nothing in ("buy now", "search", "", "b0candle00", "]", "[", "x" * 500, "\r\n"):
        assert shopper.click(nothing).at == "" and shopper.answer.status_code == 200
    assert shopper.search("").at == ""
    shopper.search("candle").search("jeans")
    assert shopper.at == "/results?page=1" and "Boro" not in shopper.text
    shopper.click("b0candle00").click("buy now").click("buy now").search("candle")
    assert shopper.at == "/done"
    assert told == [Shopping(1, ("search[candle]", "click[b0candle00]", "click[buy now]"))]


def test_a_session_without_steps_left_says_so(folder, told):
    shopper = Visitor(site({"catalogue": str(folder), "max_steps": 2}, ended=told.append))
    shopper.search("candle").click("b0candle00")
    assert shopper.answer.status_code == 200 and len(told) == 1
    shopper.click("buy now")
    assert shopper.answer.status_code == 409 and "no steps left" in shopper.answer.text
    assert shopper.get(f"{shopper.home}/item?asin=B0CANDLE00").answer.status_code == 200


def test_as_in_webshop_searching_goes_on_after_buying(folder, told):
    shopper = Visitor(site({"catalogue": str(folder), "compat": "webshop"}, ended=told.append))
    shopper.search("candle").search("jeans").click("b0jeans001").click("buy now").search("candle")
    assert shopper.at == "/results?page=1" and told == []


def test_searches_in_any_letters(app):
    shopper = Visitor(app)
    for words in (
        "Kerze für Großmutter",
        "キャンドル 😀",
        "a]b[c",
        "<script>",
        "' OR 1=1 --",
        "../..",
        "\r\nSet-Cookie: a=b",
        "%00",
        "\0",
    ):
        assert shopper.search(words).answer.status_code == 200 and shopper.at == "/results?page=1"
        shopper.click("back to search")


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_nobody_enters_a_session_of_another(app):
    one, other = Visitor(app, seed=1), Visitor(app, seed=2)
    one.search("candle")
    assert one.home != other.home and len(one.home) > 20
    for address in (one.home, f"{one.home}/results?page=1"):
        assert other.get(address).answer.status_code == 404
        assert other.page.having("a", class_="btn", href="/"), "there is a way home"
    mine = dict(other.client.cookies)
    for path in (one.home, f"{one.home}/click"):
        answer = other.client.post(
            path, data={"search_query": "x", "target": "next >"}, headers={"cookie": f"key={mine['key']}"}
        )
        assert answer.status_code == 404
    assert one.get(f"{one.home}/results?page=1").at == "/results?page=1"
    fresh = TestClient(app)
    for guess in (
        "/s/abc",
        "/s/" + "A" * 24,
        f"{one.home}x",
        one.home[:-1],
        "/s/%00",
        "/s/é",
        "/s/..%2f..",
        "/s/" + "a" * 9000,
    ):
        answer = fresh.get(guess)
        assert answer.status_code == 404 and "no such shopping session" in answer.text, guess


def test_the_key_is_a_cookie_that_scripts_and_other_sites_do_not_get(app):
    answer = TestClient(app).get("/", follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303 and cookie.startswith("key=")
    assert (
        "HttpOnly" in cookie and "SameSite=lax" in cookie and f"Path={answer.headers['location']}" in cookie
    )


def test_the_session_longest_unused_goes_and_is_told_of(app, told):
    first, second, third = (Visitor(app, seed) for seed in (1, 2, 3))
    for visitor in (first, second):
        visitor.search("candle")
    Visitor(app, 4)  # the third was used before the others searched
    assert third.get(third.home).answer.status_code == 404 and told == []
    first.get(f"{first.home}/results?page=1")
    Visitor(app, 5)
    assert second.get(second.home).answer.status_code == 404
    assert told == [Shopping(2, ("search[candle]",))]
    assert first.get(f"{first.home}/results?page=1").answer.status_code == 200


def test_closing_the_site_ends_all_sessions(app, told):
    with TestClient(app) as client:
        for words in ("candle", None, "jeans"):
            home = urlsplit(str(client.get("/?seed=1").url)).path
            if words:
                client.post(home, data={"search_query": words})
    assert [one.actions for one in told] == [("search[candle]",), ("search[jeans]",)]


def test_goals_differ_and_a_seed_gives_the_same_goal(tmp_path):
    goals = [
        dataclasses.replace(small_shop.GOALS[0], instruction=f"find candle number {number}")
        for number in range(40)
    ]
    Catalogue.write(tmp_path / "goals", small_shop.PRODUCTS, goals)
    app = site({"catalogue": str(tmp_path / "goals")})
    assert len({PageReader(TestClient(app).get("/").text).nodes[2].text for _ in range(12)}) > 1
    assert Visitor(app, 5).text == Visitor(app, 5).text


@pytest.mark.parametrize("seed", ["-1", "x", "1.5", "", "9" * 19, "9" * 4000, "²", "0x1"])
def test_what_is_no_seed_is_refused(app, seed):
    assert TestClient(app).get("/", params={"seed": seed}).status_code == 400


# -- bad requests -----------------------------------------------------------------------------------------------------


def test_every_answer_has_the_headers(app):
    shopper = Visitor(app).search("candle")
    client = shopper.client
    asin = small_shop.PRODUCTS[0].asin
    answers = [
        shopper.answer, client.get("/nothing"), client.get("/s/none"), client.put("/"), client.get("/static/shop.css"),
        client.get("/static/icon.svg"), client.get(f"/picture?asin={asin}"), client.post(shopper.home, content=b"x"),
    ]  # fmt: skip
    for answer in answers:
        headers = answer.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (
            "unsafe" not in headers["content-security-policy"] or headers["content-type"] == "image/svg+xml"
        )
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
    assert [answer.status_code for answer in answers] == [200, 404, 404, 405, 200, 200, 200, 415]
    assert answers[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_wrong_methods(app, method):
    shopper = Visitor(app)
    for path in ("/", shopper.home, f"{shopper.home}/click", "/picture", "/static/shop.css"):
        answer = shopper.client.request(method, path)
        assert answer.status_code == 405 and PageReader(answer.text).having("a", href="/")
    assert shopper.client.post("/").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/", "/static", "/static/shop.css/x",
        "/../etc/passwd", "//etc/passwd", "/%00", "/s", "/s/", "/.env", "/picture", "/picture?asin=", "/picture?asin=../x",
        "/picture?asin=%00", "/picture?asin=%ff", "/picture?asin=" + "B" * 5000, "/picture?a", "/robots.txt",
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(app, path):
    answer = TestClient(app, raise_server_exceptions=False).get(path)
    assert answer.status_code == 404 and "import" not in answer.text


def test_forms_that_no_page_here_sends(app):
    shopper = Visitor(app)

    def sent(content, headers=FORM):
        return shopper.client.post(shopper.home, content=content, headers=headers).status_code

    assert sent(b"search_query=" + b"a" * LARGEST_FORM) == 413
    assert sent((b"search_query=" + b"a" * 1000 for _ in range(100)), FORM) == 413, "no length is told before"
    assert sent(b'{"search_query": "a"}', {"content-type": "application/json"}) == 415
    assert sent(b"--x", {"content-type": "multipart/form-data; boundary=x"}) == 415
    assert sent(b"search_query=%ff%fe") == 400
    assert sent("search_query=é".encode("latin-1")) == 400
    assert sent("&".join(f"a{n}=1" for n in range(100)).encode()) == 400
    assert sent(b"") == 200 and sent(b"&&==&") == 200 and sent(b"search_query") == 200
    assert shopper.get(shopper.home).at == "", "none of it did anything"
    assert sent(b"search_query=candle&search_query=jeans") == 200
    assert shopper.get(f"{shopper.home}/results?page=1").at == "/results?page=1"


def test_hostile_products_are_shown_as_text(tmp_path):
    hostile = "</title></h4><script>alert(document.cookie)</script><img src=x onerror=alert(1)>{{ 7*7 }}\u202e\x1b\r\n\"'"
    product = dataclasses.replace(
        small_shop.PRODUCTS[0], asin="A..-_", title=f"candle {hostile}", description=hostile, bullets=(hostile,),
        options={hostile: (hostile, "plain")}, attributes=(hostile,), rating=hostile, image="javascript:alert(1)",
    )  # fmt: skip
    goal = dataclasses.replace(
        small_shop.GOALS[0], asin=product.asin, instruction=f"find {hostile}", options=()
    )
    Catalogue.write(tmp_path / "hostile", [product], [goal])
    shopper = Visitor(site({"catalogue": str(tmp_path / "hostile")})).search("candle")
    link = shopper.page.having("a", class_="product-link")[0]["href"]
    shopper.get(link)
    assert shopper.answer.status_code == 200 and Node(product.title) in shopper.page.nodes
    (image,) = shopper.page.having("img", id="product-image")
    assert shopper.client.get(image["src"]).headers["content-type"] == "image/svg+xml"
    label = next(node.text for node in shopper.page.nodes if node.kind == "label")
    assert label.endswith("\r\n\"'"), "a line break of a label survives"
    (form, *_) = shopper.page.having("input", name="number")
    shopper.click("", number=form["value"], page=shopper.token)
    assert [one["aria-pressed"] for one in shopper.page.having("input", type="submit")] == ["true", "false"]
    for part in ("description", "features", "reviews"):
        shopper.click(part)
        assert not [tag for tag, _ in shopper.page.elements if tag in ("script", "svg")]
        shopper.click("< prev")
    assert shopper.click("plain").click("buy now").at == "/done"


def test_a_title_of_a_megabyte_is_served(tmp_path):
    product = dataclasses.replace(small_shop.PRODUCTS[0], title="candle " * 150_000)
    Catalogue.write(tmp_path / "large", [product], small_shop.GOALS[:1])
    shopper = Visitor(site({"catalogue": str(tmp_path / "large")})).search("candle").click("b0candle00")
    assert Node(product.title) in shopper.page.nodes


def test_an_error_of_ours_is_a_page_without_a_trace(app, monkeypatch):
    shopper = Visitor(app)
    monkeypatch.setattr(ShopEnv, "step", lambda *_: 1 / 0)
    shopper.search("candle")
    assert shopper.answer.status_code == 500 and "Traceback" not in shopper.answer.text
    assert "ZeroDivision" not in shopper.answer.text and shopper.page.having("a", href="/")
    assert shopper.answer.headers["x-content-type-options"] == "nosniff"


def test_settings_at_fault_are_told_before_anything_is_served(folder):
    with pytest.raises(WorldError, match="ctalogue"):
        site({"ctalogue": str(folder)})
    with pytest.raises(WorldError, match="no goal of split 'validation'"):
        site({"catalogue": str(folder), "split": "validation"})
