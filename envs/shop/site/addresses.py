"""Where a session's pages are: a path and a query, made of what is open, never of where a text of a product could lead."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode

from worldschool.canonical import blake2b_hex
from worldschool.envs.shop.session import Session, Shelf, Visit

ROOT = "/s"
"""What the paths of sessions begin with."""


class Address(NamedTuple):
    """A path below a session's own, and the query behind it."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    def under(self, session_id: str) -> str:
        """Return the whole address in a session, as links write it."""
        home = f"{ROOT}/{quote(session_id, safe='')}"
        return f"{home}{self.path}?{urlencode(self.query)}" if self.query else f"{home}{self.path}"


def address_of(session: Session, shelf: Shelf) -> Address:
    """Return where a session's page is. What was searched for or chosen is not told by it."""
    if session.page == "search":
        return Address("")
    if session.page == "results":
        return Address("/results", (("page", str(session.number)),))
    if session.page == "done" or session.row is None:
        return Address("/done")
    asin = shelf.product(session.row).asin
    if session.page == "sub":
        return Address("/about", (("asin", asin), ("part", session.subpage.lower())))
    return Address("/item", (("asin", asin),))


def read_address(path: str, query: Iterable[tuple[str, str]]) -> Address:
    """Return the address that a request asks for; `path` is what follows the session's id."""
    return Address(path.rstrip("/"), tuple(sorted(query)))


def token_of(visit: Visit) -> str:
    """Return what a form says to tell which page it was on, so that one of an older page is not obeyed."""
    return blake2b_hex(repr(visit.session))[:12]


def is_of(token: str | None, visit: Visit) -> bool:
    """Return whether a form may be of this page; one that does not say may."""
    return token is None or secrets.compare_digest(token.encode(), token_of(visit).encode())


def click_towards(visit: Visit, wanted: Address) -> str | None:
    """Return what to click on a page to get to another address by looking around; None if no click leads there.

    Links open products by it, and so does a browser's way back to the page before. Buying is not looking around.
    """
    for text in visit.clickables:
        after = visit.click(text)
        if after is not None and after.page != "done" and address_of(after, visit.shelf) == wanted:
            return text
    return None


def fields(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return a form's fields; of one given twice the first."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found
