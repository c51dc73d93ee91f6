"""Who is in the shop: sessions with unguessable names, as many as are allowed, the least recently used goes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from worldschool.envs.shop.env import ShopEnv
from worldschool.envs.shop.session import Visit

MOST_SEED = 2**63
"""Seeds of sessions are below this."""


@dataclass(frozen=True)
class Shopping:
    """What was done in a session: the seed that its world was reset with, and the actions, in order."""

    seed: int
    actions: tuple[str, ...]


Ended: TypeAlias = Callable[[Shopping], None]


class SiteSession:
    """One person's session: an environment, and what was done in it.

    Args:
        env: for this session alone.
        seed: what it is reset with.

    Attributes:
        id: what its addresses begin with.
        key: what the browser that began it shows at every request; whoever has only seen an address does not have it.
        over: whether nothing more can be done.
        score: the parts of the reward, once something was bought.
    """

    def __init__(self, env: ShopEnv, seed: int) -> None:
        self._env, self._seed = env, seed
        self._actions: list[str] = []
        self.id, self.key = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.over = False
        self.score: Mapping[str, Any] | None = None
        env.reset(seed=seed)

    @property
    def visit(self) -> Visit:
        """The open page."""
        return self._env.visit

    @property
    def shopping(self) -> Shopping:
        """What was done until now."""
        return Shopping(self._seed, tuple(self._actions))

    def do(self, action: str) -> bool:
        """Do an action. What cannot be done leaves everything as it was, and counts for nothing; returns whether it was."""
        if self.over:
            return False
        before = self._env.snapshot()
        _, _, bought, truncated, info = self._env.step(action)
        if info["error"] is not None:
            self._env.restore(before)
            return False
        self._actions.append(action)
        self.score = info["score"]
        self.over = truncated or (bought and self._env.config["compat"] != "webshop")
        return True


class Sessions:
    """The sessions of a site.

    Args:
        settings: the fields of ShopConfig.
        most: how many are kept; one more, and that which was longest without a request ends.
        ended: is told of every session that came to its end with something done in it, once.
    """

    def __init__(self, settings: Mapping[str, Any], most: int, ended: Ended | None = None) -> None:
        self._settings, self._most, self._ended = dict(settings), most, ended
        self._kept: OrderedDict[str, SiteSession] = OrderedDict()
        self._make().reset(seed=0)  # settings at fault are told at once, and the catalogue is open

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self, seed: int | None = None) -> SiteSession:
        """Begin a session; without a seed with one that nobody can guess."""
        session = SiteSession(self._make(), secrets.randbelow(MOST_SEED) if seed is None else seed)
        self._kept[session.id] = session
        while len(self._kept) > self._most:
            _, oldest = self._kept.popitem(last=False)
            if not oldest.over:
                self._tell(oldest)
        return session

    def find(self, session_id: str, key: str | None) -> SiteSession | None:
        """Return the session of an id if the key is its own, and note that it was used."""
        session = self._kept.get(session_id)
        if session is None or key is None or not secrets.compare_digest(session.key.encode(), key.encode()):
            return None
        self._kept.move_to_end(session_id)
        return session

    def do(self, session: SiteSession, action: str) -> bool:
        """Do an action in a session, and tell of it if it was the last; returns whether it could be done."""
        done = session.do(action)
        if done and session.over:
            self._tell(session)
        return done

    def close(self) -> None:
        """End all sessions."""
        while self._kept:
            _, session = self._kept.popitem(last=False)
            if not session.over:
                self._tell(session)

    def _make(self) -> ShopEnv:
        return ShopEnv(**self._settings)

    def _tell(self, session: SiteSession) -> None:
        shopping = session.shopping
        if self._ended is not None and shopping.actions:
            self._ended(shopping)
