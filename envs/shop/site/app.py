"""The site: a Starlette application over `ShopEnv`, for people and for agents that use a browser.

What a visitor does is an action of the environment. A page is shown at an address made of what is open
(`addresses.address_of`); forms post what changes more than that:

    GET  /                  begins a session and leads to its search page (/?seed=7: with this seed)
    GET  /s/ID/...          the open page; or a page one click away, which is that click
    POST /s/ID              search_query: `search[...]`
    POST /s/ID/click        target: `click[...]`, or number: on that of what can be clicked
    GET  /picture?asin=...  a product's picture; &color=... in the colour of what was chosen
    GET  /static/...        style sheet and icon
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from worldschool.envs.shop.config import ShopConfig
from worldschool.envs.shop.generated import picture
from worldschool.envs.shop.shops import shop_of
from worldschool.envs.shop.site.addresses import (
    ROOT,
    address_of,
    click_towards,
    is_of,
    read_address,
)
from worldschool.envs.shop.site.pages import error_page, html_of
from worldschool.envs.shop.site.protection import HEADERS, PICTURE_HEADERS, Protected, RefusedForm, read_form
from worldschool.envs.shop.site.sessions import MOST_SEED, Ended, Sessions, SiteSession

KEY = "key"
"""The cookie that holds a session's key."""
MOST_SESSIONS = 1000
STATIC = {"shop.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
SEE_OTHER = 303
TOLD = {
    404: ("This page does not exist", "There is nothing at this address."),
    405: ("This cannot be done here", "This address does not take such requests."),
    500: (
        "Something went wrong",
        "This is the shop's fault. The session may still be there; go back and try again.",
    ),
}
NO_SESSION = (
    "There is no such shopping session",
    "It may have ended, or belong to another browser. A session needs cookies, and ends when it was not used for long.",
)
OVER = ("This session is over", "There are no steps left in it.")


def site(
    settings: Mapping[str, Any] | None = None, *, sessions: int = MOST_SESSIONS, ended: Ended | None = None
) -> Starlette:
    """Return the application.

    Args:
        settings: the fields of ShopConfig, shared by all sessions.
        sessions: how many are kept at once, at least 1; the least recently used goes.
        ended: told of every session that ends, with what was done in it (`sessions.Shopping`).

    Raises:
        WorldError: a setting is not accepted, or the catalogue cannot be opened.
    """
    settings = dict(settings or {})
    kept = Sessions(settings, sessions, ended)
    pages = _Pages(kept, ShopConfig.build(settings))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        kept.close()

    routes = [
        Route("/", pages.begin, methods=["GET"]),
        Route("/picture", pages.picture, methods=["GET"]),
        Route("/static/{name}", pages.static, methods=["GET"]),
        Route(f"{ROOT}/{{session}}", pages.search, methods=["POST"]),
        Route(f"{ROOT}/{{session}}/click", pages.click, methods=["POST"]),
        Route(f"{ROOT}/{{session}}", pages.show, methods=["GET"]),
        Route(f"{ROOT}/{{session}}{{rest:path}}", pages.show, methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: _http_error, RefusedForm: _refused, Exception: _our_fault}
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Protected)],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


class _Pages:
    """What is answered at each address."""

    def __init__(self, sessions: Sessions, config: ShopConfig) -> None:
        self._sessions = sessions
        self._catalogue = shop_of(config).catalogue
        self._static = {name: (Path(__file__).parent / "static" / name).read_bytes() for name in STATIC}

    async def begin(self, request: Request) -> Response:
        """Begin a session."""
        seed = request.query_params.get("seed")
        if seed is not None and not (
            seed.isascii() and seed.isdecimal() and len(seed) < 20 and int(seed) < MOST_SEED
        ):
            return _error(
                400, "This is no seed", "A seed is a whole number from 0 below 2 to the power of 63."
            )
        session = self._sessions.begin(None if seed is None else int(seed))
        answer = _lead_to(session)
        path = f"{ROOT}/{quote(session.id, safe='')}"
        answer.set_cookie(KEY, session.key, path=path, httponly=True, samesite="lax")
        return answer

    async def show(self, request: Request) -> Response:
        """Show the open page, or go to one that a click leads to."""
        session = self._session(request)
        visit = session.visit
        rest = request.path_params.get("rest", "")
        wanted = read_address(rest, request.query_params.multi_items())
        if address_of(visit.session, visit.shelf) == wanted:
            return _page(session)
        towards = None
        if (
            request.method == "GET" and "sec-purpose" not in request.headers
        ):  # not what a browser fetches ahead
            towards = click_towards(visit, wanted)
        if towards is not None and self._sessions.do(session, f"click[{towards}]"):
            return _page(session)
        return _lead_to(session)

    async def search(self, request: Request) -> Response:
        """Search, and lead to what was found."""
        session = self._session(request)
        form = await read_form(request)
        return self._do(session, form.get("page"), f"search[{form.get('search_query', '')}]")

    async def click(self, request: Request) -> Response:
        """Click, and lead to where that leads."""
        session = self._session(request)
        form = await read_form(request)
        target = form.get("target") or _nth(form.get("number", ""), session.visit.clickables)
        return self._do(session, form.get("page"), f"click[{target}]")

    def _do(self, session: SiteSession, token: str | None, action: str) -> Response:
        if session.over and session.visit.session.page != "done":
            return _error(409, *OVER)
        if is_of(token, session.visit):
            self._sessions.do(session, action)
        return _lead_to(session)

    async def picture(self, request: Request) -> Response:
        """Show a product's picture, in the colour of the option values that the query names."""
        row = self._catalogue.row_of(request.query_params.get("asin", ""))
        if row is None:
            raise HTTPException(404)
        drawn = picture(self._catalogue.product(row), request.query_params)
        return Response(_encoded(drawn), media_type="image/svg+xml", headers=PICTURE_HEADERS)

    async def static(self, request: Request) -> Response:
        """Show the style sheet or the icon."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=600"}
        return Response(self._static[name], media_type=STATIC[name], headers=headers)

    def _session(self, request: Request) -> SiteSession:
        session = self._sessions.find(request.path_params["session"], request.cookies.get(KEY))
        if session is None:
            raise HTTPException(404, detail=NO_SESSION[0])
        return session


def _nth(number: str, texts: Sequence[str]) -> str:
    """Return the text of a number as a form writes it; nothing for what is none."""
    if not (number.isascii() and number.isdecimal() and len(number) < 10 and int(number) < len(texts)):
        return ""
    return texts[int(number)]


def _page(session: SiteSession) -> Response:
    return HTMLResponse(_encoded(html_of(session.visit, session.score, session.id)))


def _lead_to(session: SiteSession) -> RedirectResponse:
    visit = session.visit
    address = address_of(visit.session, visit.shelf)
    return RedirectResponse(address.under(session.id), status_code=SEE_OTHER)


def _error(status: int, title: str, told: str, headers: Mapping[str, str] | None = None) -> Response:
    return HTMLResponse(_encoded(error_page(title, told)), status_code=status, headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = NO_SESSION if error.detail == NO_SESSION[0] else TOLD.get(error.status_code, TOLD[404])
    return _error(error.status_code, *told, headers=error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedForm)
    return _error(error.status, "This cannot be taken", error.told)


async def _our_fault(request: Request, error: Exception) -> Response:
    return _error(500, *TOLD[500], headers=HEADERS)  # it is answered outside of `Protected`


def _encoded(text: str) -> bytes:
    """Return a text's UTF-8; lone surrogates, which have none, as references."""
    return text.encode("utf-8", "xmlcharrefreplace")
