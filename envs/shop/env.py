"""worldschool/Shop-v0: simulated web shopping as a text environment and a World.

The task is WebShop's (Yao et al. 2022, *WebShop: Towards scalable real-world web interaction with grounded language
agents*): find a product for an instruction, choose its options, buy it, for a graded reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, ClassVar

from gymnasium.error import ResetNeeded

from worldschool.envs.settings import check_choice, check_options
from worldschool.envs.shop import instructions, shops, telling, wishes
from worldschool.envs.shop.config import WORLD, ShopConfig
from worldschool.envs.shop.generated.stored import VERSION as GENERATED
from worldschool.envs.shop.queries import queries_of
from worldschool.envs.shop.reward import Rules, Score
from worldschool.envs.shop.session import Session, Visit, read_action
from worldschool.envs.world import World, check_kind
from worldschool.errors import WorldError
from worldschool.records import Entity, Event, Fact, Goal, Predicate, Snapshot
from worldschool.spaces import AnyText

NO_GOAL = Goal("")
SHOPPER = telling.SHOPPER


class ShopEnv(World):
    """One shopper in a shop.

    Actions: `search[WORDS]` where there is a search box, `click[TEXT]` on what can be clicked. `legal_actions` lists all
    clicks, and of all searches those that the instruction suggests (`queries.queries_of`). What is no action, or cannot
    be done now, changes nothing and is told in info["error"]; it counts as a step.

    Observations: the page, in one of four modes (`ShopConfig.observation_mode`).

    Goal: predicates of `wishes`; buying ends the episode with the reward in [0, 1] of `reward.score_purchase`, every other
    reward is 0.0. After `max_steps` steps the episode is truncated. With compat="webshop" nothing ends it but the caller:
    searching and buying go on after a purchase.

    info: "events" (tuple of Event), "success" (the reward was 1.0), "error", "split", "has_search_bar" and "clickables" (as
    WebShop's get_available_actions), "score" (after buying: the parts of the reward, under WebShop's names; otherwise None),
    and with info_legal=True "legal_actions".

    Args:
        render_mode: None, or "ansi" for `render` to return the page as "text_rich".
        settings: the fields of ShopConfig.

    Raises:
        WorldError: a setting is unknown or its value not accepted, or the catalogue cannot be opened.
    """

    world_id: ClassVar[str] = "worldschool/Shop-v0"
    version: ClassVar[str] = f"1.{GENERATED}"
    """Of the rules, and of the products and goals that are generated."""
    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 (gymnasium declares it so)

    def __init__(self, *, render_mode: str | None = None, **settings: Any) -> None:
        self._config = ShopConfig.build(settings)
        check_choice(WORLD, "render_mode", render_mode, (None, "ansi"))
        self.render_mode = render_mode
        self.observation_space = AnyText(max_length=1 << 20)
        self.action_space = AnyText(max_length=1000)
        self._shop = shops.shop_of(self._config)
        self.rules: Rules = "webshop" if self._config.compat == "webshop" else "mended"
        """By which rules purchases are scored."""
        self._visit: Visit | None = None
        self._goal = NO_GOAL
        self._session_id = "shop"
        self._score: Score | None = None
        self._steps = 0
        self._truncated = False
        self._events: tuple[Event, ...] = ()

    @property
    def config(self) -> dict[str, Any]:
        """Every setting as plain JSON values; `render_mode` changes nothing in the world and is left out."""
        return self._config.to_json()

    # -- Gymnasium --------------------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Draw a goal and open the search page. The same seed and settings give the same goal in every process.

        Args:
            seed: a whole number from 0, or None to go on from the last.
            options: {"goal": Goal} sets the goal; {"goal_index": n} takes the catalogue's goal n, whatever its split.

        Raises:
            WorldError: an option is unknown, or there is no such goal.
        """
        super().reset(seed=seed)
        options = check_options(WORLD, options, ("goal", "goal_index"))
        if "goal" in options:
            goal: Goal = options["goal"]
            wishes.check_all(goal)
        else:
            number = options.get("goal_index")
            if number is None:
                number = self._shop.draw_goal(self._config.split, self.np_random)
            goal = self._shop.goal(number)
            self._session_id = str(number)
        self._begin(goal)
        return self._observation(), self._info(None)

    def _begin(self, goal: Goal) -> None:
        self._steps, self._truncated, self._events, self._score = 0, False, (), None
        self._take_goal(goal)
        self._enter(Session())

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do `action`.

        Raises:
            ResetNeeded: there was no reset yet.
            WorldError: the episode has ended.
        """
        error, reward = self._take(action)
        return self._observation(), reward, self._bought, self._truncated, self._info(error)

    def step_unseen(self, action: str) -> tuple[bool, bool]:
        """Do what `step` does, without making observation and info: `envs.search.Unseen`."""
        self._take(action)
        return self._bought, self._truncated

    def render(self) -> str | None:
        """Return, with render_mode="ansi", the page with what can be clicked marked; otherwise None."""
        return None if self.render_mode is None else self._now().rich_text

    # -- World ------------------------------------------------------------------------------------------------------

    def legal_actions(self) -> list[str]:
        """Return every click, and the searches that the instruction suggests, sorted; none once the episode has ended."""
        visit = self._now()
        if self._bought or self._truncated:
            return []
        found = [f"click[{text}]" for text in visit.clickables if text != "search"]
        if visit.has_search_bar:
            found += (f"search[{query}]" for query in queries_of(self._goal.text))
        return sorted(found)

    def snapshot(self) -> Snapshot:
        """Return all of the state: page, what was searched, chosen and opened, goal; steps. Nothing here is drawn."""
        session = self._now().session
        return Snapshot(
            self.world_id,
            (self._shop.digest, *session.to_plain(), self._goal.text, self._goal.predicates),
            (self._steps, self._truncated, self._session_id),
        )

    def restore(self, snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
        """Return to `snapshot`, of this or another shop with the same catalogue. The last events are not kept.

        Raises:
            WorldError: the snapshot is not of such a shop.
        """
        check_kind(snapshot, self.world_id, "Shop: restore")
        try:
            digest, *plain, words, predicates = snapshot.state
            steps, truncated, session_id = snapshot.bookkeeping
            if digest != self._shop.digest:
                raise ValueError("it is of another catalogue")
            session = Session.from_plain(plain, len(self._shop.catalogue))
        except (TypeError, ValueError, LookupError) as error:
            raise WorldError(f"the snapshot is damaged ({error})", where="Shop: restore") from None
        self._steps, self._truncated, self._events, self._session_id = steps, truncated, (), session_id
        if self._goal.predicates is not predicates or self._goal.text != words:
            self._take_goal(Goal(words, predicates))
        self._enter(session)
        return self._observation(), self._info(None)

    @property
    def goal(self) -> Goal:
        """The goal of this episode; without predicates when there is none."""
        return self._goal

    def set_goal(self, goal: Goal) -> None:
        """Replace the goal and the instruction that every page shows.

        Raises:
            WorldError: a predicate is none of the shop's, or names a product that is not in it.
        """
        wishes.check_all(goal)
        session = self._now().session
        self._take_goal(goal)
        self._enter(session)

    def satisfied(self, goal: Goal) -> tuple[bool, ...]:
        """Return, for each predicate, whether what was bought meets it; before buying none of a wish is met.

        What is no part of a wish is looked up among the facts: ("AT", "shopper", "results page").
        """
        return tuple(self._holds(predicate) for predicate in goal.predicates)

    def _holds(self, predicate: Predicate) -> bool:
        name, subject, target = predicate
        if name not in wishes.RELATIONS:
            return telling.fact_of(name, subject, target) in self.facts()
        wish = self._shop.wish((predicate,))
        return self._bought and wishes.predicate_holds(predicate, wish, self._purchase(), self.rules)

    def progress(self, goal: Goal) -> float:
        """Return how near a purchase that meets the goal seems, in [0, 1]: `envs.search.Progress`.

        On a product's pages it is what buying it now would be worth, on results what the best product shown would be
        without options. It knows the goal's hidden parts: a teacher's view, not a shopper's.
        """
        visit = self._now()
        if not goal.predicates:
            return 0.0
        wish = self._shop.wish(goal.predicates)
        if self._bought:
            return wish.score(self._purchase(), self.rules).reward
        if visit.session.row is not None:
            return 0.3 + 0.65 * wish.score(self._purchase(), self.rules).reward
        rows = visit.rows_shown
        if not rows:
            return 0.0
        return 0.05 + 0.25 * max(wish.score(self._shop.purchase(row, {}), self.rules).reward for row in rows)

    def events(self) -> tuple[Event, ...]:
        """Return the event of the last step; none where nothing was done, or after reset or restore."""
        return self._events

    def entities(self) -> tuple[Entity, ...]:
        """Return the shopper and the pages. Products are named by their ids in events, and are too many to list."""
        return telling.ENTITIES

    def facts(self) -> tuple[Fact, ...]:
        """Return which page is open, the products on it, the options chosen and what was bought."""
        return telling.facts_of(self._now())

    @classmethod
    def narrate(cls, events: Sequence[Event], style: str, rng: Random) -> list[str]:
        """Tell events, one sentence each, in one of `telling.STYLES`.

        Raises:
            WorldError: the style is unknown.
        """
        return telling.narrate(events, style, rng)

    @classmethod
    def narrate_action(cls, action: str, style: str = "plain", rng: Random | None = None) -> str:
        """Return an action as an instruction: "click[buy now]" gives "Buy it now."

        Raises:
            WorldError: the text is no action, or the style is unknown.
        """
        return telling.narrate_action(action, style)

    @classmethod
    def phrase(cls, name: str) -> str:
        """Return "the shopper", "the results page", "product B0ABCDEFGH"."""
        return telling.phrase(name)

    @classmethod
    def read_instructions(cls, text: str) -> list[str]:
        """Return a text's sentences as actions: 'Search for "red mug". Buy it now.' gives two. Others stay as they are."""
        return instructions.read_instructions(text)

    # -- what happens -------------------------------------------------------------------------------------------------

    @property
    def shop(self) -> shops.Shop:
        """The shop itself, shared with other environments."""
        return self._shop

    @property
    def visit(self) -> Visit:
        """The open page: its texts, and what can be done on it.

        Raises:
            ResetNeeded: there was no reset yet.
        """
        return self._now()

    @property
    def _bought(self) -> bool:
        return self._now().session.page == "done"

    def _now(self) -> Visit:
        if self._visit is None:
            raise ResetNeeded("Shop: call reset (or restore a snapshot) first.")
        return self._visit

    def _enter(self, session: Session) -> None:
        """Open the page of a session; one of a purchase shows its reward."""
        self._score, reward = None, 0.0
        if session.page == "done":
            self._score = self._shop.score(self._goal, session, self.rules)
            reward = self._score.reward
        self._visit = Visit(self._shop.shelf, session, self._goal.text, self._session_id, reward)

    def _take_goal(self, goal: Goal) -> None:
        wish = self._shop.wish(goal.predicates)  # names what is in this shop
        if self.rules == "webshop" and goal.predicates and not wish.attributes:
            raise WorldError(
                "it asks for no attribute, and WebShop divides by their number",
                where="Shop: goal",
                mend="Ask for an ATTRIBUTE, or leave compat out.",
            )
        self._goal = goal

    def _take(self, action: str) -> tuple[str | None, float]:
        """Make a step. Returns what was wrong with the action, or None, and the reward."""
        before = self._now()
        webshop = self._config.compat == "webshop"
        if (self._bought and not webshop) or self._truncated:
            raise WorldError(
                "the episode has ended", where="Shop: step", mend="Call reset, or restore a snapshot."
            )
        self._events = ()
        after, error = self._follow(before, action)
        if after is not None:
            self._enter(after)
            self._events = (telling.event_of(before, self._now(), self._steps),)
        self._steps += 1
        self._truncated = not self._bought and self._steps >= self._config.max_steps
        bought_now = after is not None and after.page == "done"
        return error, self._score.reward if bought_now and self._score is not None else 0.0

    def _follow(self, visit: Visit, action: str) -> tuple[Session | None, str | None]:
        """Return the session that an action leads to, or None and what is wrong with it."""
        name, argument = read_action(action, self._config.compat)
        if name == "search" and argument:
            if visit.has_search_bar or self._config.compat == "webshop":
                return visit.search(argument.split(" ")), None
            return None, "There is no search box on this page; click[back to search] leads to it."
        if name == "click" and argument != "search":
            after = visit.click(argument) if argument in visit.clickables else None
            if after is not None:
                return after, None
            return None, telling.why_no_click(argument, visit)
        return None, telling.why_no_action(action)

    def _purchase(self) -> wishes.Purchase:
        session = self._now().session
        assert session.row is not None
        return self._shop.purchase(session.row, dict(session.options))

    # -- what is told -------------------------------------------------------------------------------------------------

    def _observation(self) -> str:
        visit, mode = self._now(), self._config.observation_mode
        if mode == "text":
            return visit.text
        if mode == "text_rich":
            return visit.rich_text
        if mode == "url":
            return visit.url
        from worldschool.envs.shop.site.pages import html_of  # Jinja2 is only needed here

        return html_of(visit)

    def _info(self, error: str | None) -> dict[str, Any]:
        visit = self._now()
        info: dict[str, Any] = {
            "events": self._events,
            "success": self._score is not None and self._score.reward == 1.0,
            "error": error,
            "split": self._config.split,
            "has_search_bar": visit.has_search_bar,
            "clickables": list(visit.clickables),
            "score": None if self._score is None else self._score.info,
        }
        if self._config.info_legal:
            info["legal_actions"] = self.legal_actions()
        return info
