"""worldschool/ShopBrowser-v0: the shop in a real Chromium, through the actions and observations of Shop-v0."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import gymnasium
from gymnasium.error import ResetNeeded

from worldschool.envs.settings import check_choice
from worldschool.envs.shop import pages
from worldschool.envs.shop.chromium import BrowserSettings, open_page
from worldschool.envs.shop.config import ShopConfig
from worldschool.envs.shop.session import read_action
from worldschool.envs.shop.site.serving import BackgroundSite
from worldschool.errors import WorldError, nearest
from worldschool.spaces import AnyText

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODES = ("text", "text_rich")
MOST_SEED = 2**63
KINDS = ("search", "results", "item", "sub", "done")
"""What pages of a session are; any other says what is wrong."""
CLICK_S = 2.0
"""How long is waited for an element that the mouse does not reach, before it is clicked without one."""
TEXTS = r"""
const texts = () => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data;
    if (!/^[ \n\t\f\r]*$/.test(text)) found.push([text, walk.currentNode.parentElement]);
    else if (text && !text.includes("\n")) found.push([" ", walk.currentNode.parentElement]);
  }
  return found;
};
"""
"""The page's texts and what they stand in, by the rules of WebShop's readers."""
READ_PAGE = f"""() => {{
  document.body.normalize();  // long texts are parsed into several nodes
  {TEXTS}
  const nodes = texts().map(([text, parent]) => {{
    if (parent.localName === "button") return [text, "button", false];
    if (parent.localName === "label") return [text, "label", "clicked" in parent.dataset];
    if (parent.className === "product-link") return [text, "link", "visited" in parent.dataset];
    return [text, "text", false];
  }});
  const reward = document.querySelector("#reward pre");
  return {{kind: document.body.dataset.page, nodes, reward: reward && reward.textContent}};
}}"""
NTH_ELEMENT = f"(number) => {{ {TEXTS} return texts()[number][1]; }}"
SEND_SEARCH = """([path, words]) => {
  const form = document.createElement("form"), input = document.createElement("input");
  form.method = "post"; form.action = path; input.type = "hidden"; input.name = "search_query"; input.value = words;
  form.append(input); document.body.append(form); form.submit();
}"""


class _Read(NamedTuple):
    """A page as the browser has it: its kind, its texts, which of them are marked, and the reward it tells."""

    kind: str
    nodes: list[pages.Node]
    marked: list[bool]
    reward: float


class ShopBrowserEnv(gymnasium.Env[str, str]):
    """The shop's site in a browser.

    Actions, observations (modes "text" and "text_rich"), reward and end are those of `ShopEnv` for the same seed and
    settings; an action is done with mouse and keyboard on the page. There are no snapshots, events or goals: what a browser
    does not show is not known here.

    info: "success", "error", "split", "has_search_bar", "clickables", as in `ShopEnv`, and "url".

    Args:
        render_mode: None, or "rgb_array" for `render` to return a picture of the page, uint8 [height, width, 3].
        settings: the fields of ShopConfig and of BrowserSettings. With `url` those of the shop are that site's own; here
            they only say how many steps there are and what is told of an action.

    Raises:
        WorldError: a setting is not accepted, the catalogue cannot be opened, Playwright (extra `browser`) is missing, or
            the browser cannot be started.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        own = {name: settings.pop(name) for name in BrowserSettings.__dataclass_fields__ if name in settings}
        self._browser_settings = BrowserSettings(**own)
        self._config = ShopConfig.build(settings)
        _check_mode(self._config.observation_mode)
        check_choice("ShopBrowser", "render_mode", render_mode, (None, "rgb_array"))
        self.render_mode = render_mode
        self.observation_space = AnyText(max_length=1 << 20)
        self.action_space = AnyText(max_length=1000)
        self._steps = 0
        self._over = False
        self._read: _Read | None = None
        self._held = ExitStack()
        with ExitStack() as held:
            self._url = self._browser_settings.url or held.enter_context(self._own_site()).url
            self._page = open_page(self._browser_settings, held)
            self._held = held.pop_all()

    # -- Gymnasium ----------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin a session of the site, with the goal that `ShopEnv` draws from the same seed.

        Args:
            seed: a whole number from 0; None draws one.
            options: none are known.

        Raises:
            WorldError: an option is given, or the site does not answer.
        """
        super().reset(seed=seed)
        for name in options or {}:
            raise WorldError(
                f"unknown option {name!r}", where="ShopBrowser: reset", mend="None is accepted here."
            )
        drawn = int(self.np_random.integers(MOST_SEED)) if seed is None else seed
        self._page.context.clear_cookies()
        self._steps, self._over = 0, False
        from playwright.sync_api import Error

        try:
            self._page.goto(f"{self._url.rstrip('/')}/?seed={drawn}", wait_until="domcontentloaded")
        except Error as error:
            first = error.message.splitlines()[0]
            raise WorldError(
                f"the site does not answer ({first})",
                where=f"ShopBrowser: url {self._url}",
                mend="Is it open?",
            ) from None
        self._look()
        return self._observation(), self._info(None)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do `action` on the page.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended.
        """
        before = self._seen()
        if self._over:
            raise WorldError("the episode has ended", where="ShopBrowser: step", mend="Call reset.")
        error = self._attempt(action)
        after = self._look() if error is None else before
        self._steps += 1
        bought = after.kind == "done"
        truncated = not bought and self._steps >= self._config.max_steps
        self._over = truncated or (bought and self._config.compat != "webshop")
        reward = after.reward if bought and error is None and before.kind != "done" else 0.0
        return self._observation(), reward, bought, truncated, self._info(error)

    def render(self) -> Any:
        """Return, with render_mode="rgb_array", a picture of what the browser shows; otherwise None."""
        if self.render_mode is None:
            return None
        import io

        import numpy as np
        from PIL import Image

        self._seen()
        with Image.open(io.BytesIO(self._page.screenshot())) as picture:
            return np.asarray(picture.convert("RGB"))

    def close(self) -> None:
        """Close browser and site; more than once does no harm."""
        self._held.close()

    # -- the page -----------------------------------------------------------------------------------------------------

    @property
    def page(self) -> Page:
        """Playwright's own page, for what the actions here cannot do."""
        return self._page

    def _look(self) -> _Read:
        found = self._page.evaluate(READ_PAGE)
        if found["kind"] not in KINDS:
            told = " ".join(text for text, _, _ in found["nodes"][:2])
            raise WorldError(
                f"the site answers: {told!r:.200}", where=f"ShopBrowser: {self._page.url}", mend="Call reset."
            )
        nodes = [pages.Node(text, kind) for text, kind, _ in found["nodes"]]
        marked = [bool(mark) for _, _, mark in found["nodes"]]
        self._read = _Read(found["kind"], nodes, marked, float(found["reward"] or 0.0))
        return self._read

    def _seen(self) -> _Read:
        if self._read is None:
            raise ResetNeeded("ShopBrowser: call reset first.")
        return self._read

    def _attempt(self, action: str) -> str | None:
        """Do an action. Returns what is wrong with it, or None."""
        name, argument = read_action(action, self._config.compat)
        if name == "search" and argument:
            return self._search(argument)
        if name == "click" and argument and argument != "search":
            found = self._clickables().get(argument)
            if found is not None:
                self._follow(found)
                return None
            return f"There is nothing called {argument!r} to click on this page."
        return "This is no action; write search[WORDS] or click[TEXT]."

    def _search(self, words: str) -> str | None:
        words = " ".join(words.splitlines())  # a search box holds one line
        box = self._page.query_selector("#search_input")
        if box is None and self._config.compat != "webshop":
            return "There is no search box on this page; click[back to search] leads to it."
        with self._page.expect_navigation(wait_until="domcontentloaded"):
            if box is None:  # WebShop searches from any page
                self._page.evaluate(SEND_SEARCH, [self._session_path(), words])
            else:
                box.evaluate("(box) => box.removeAttribute('maxlength')")
                box.fill(words)
                box.press("Enter")
        return None

    def _session_path(self) -> str:
        return "/".join(self._page.evaluate("location.pathname").split("/")[:3])

    def _clickables(self) -> dict[str, int]:
        """Return what can be clicked, as `Visit.clickables` has it, and which of the page's texts it is."""
        nodes = self._seen().nodes
        found: dict[str, int] = {}
        for wanted in ("button", "link", "label"):
            exact = wanted == "label" and self._config.compat == "webshop"
            for number, (text, kind) in enumerate(nodes):
                if kind == wanted:
                    found.setdefault(text if exact else text.lower(), number)
        return found

    def _follow(self, number: int) -> None:
        """Click the element that the page's text of a number stands in, and wait for where it leads."""
        from playwright.sync_api import Error
        from playwright.sync_api import TimeoutError as TooLate

        element = self._page.evaluate_handle(NTH_ELEMENT, number).as_element()
        assert element is not None
        with self._page.expect_navigation(wait_until="domcontentloaded"):
            try:
                element.click(timeout=1000 * CLICK_S, no_wait_after=True)
            except TooLate:  # a text without any width, say; or the page is already left, slowly
                with suppress(Error):
                    element.evaluate("(element) => element.click()")

    # -- what is told -------------------------------------------------------------------------------------------------

    def _observation(self) -> str:
        read = self._seen()
        if self._config.observation_mode == "text":
            return pages.text_of(read.nodes)
        marked = [node for node, mark in zip(read.nodes, read.marked, strict=True) if mark]
        clicked = {node.text for node in marked if node.kind == "label"}
        visited = {node.text for node in marked if node.kind == "link"}
        return pages.rich_text_of(read.nodes, clicked, visited)

    def _info(self, error: str | None) -> dict[str, Any]:
        read = self._seen()
        return {
            "success": read.kind == "done" and read.reward == 1.0,
            "error": error,
            "split": self._config.split,
            "has_search_bar": read.kind == "search",
            "clickables": list(self._clickables()),
            "url": self._page.url,
        }

    # -- what is opened -----------------------------------------------------------------------------------------------

    def _own_site(self) -> BackgroundSite:
        return BackgroundSite({**self._config.to_json(), "observation_mode": "text", "info_legal": False})


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise WorldError(
            f"found {mode!r}",
            where="ShopBrowser: observation_mode",
            mend=f"A browser gives {' or '.join(MODES)}.{nearest(mode, MODES)}",
        )
