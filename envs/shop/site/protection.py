"""What keeps a site safe whatever products and visitors write: headers of every answer, and forms of bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from worldschool.envs.shop.site.addresses import fields

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST_FORM = 64 * 1024
"""Bytes of a request's body."""
MOST_FIELDS = 20
FORM = "application/x-www-form-urlencoded"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
PICTURE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cache-control": "public, max-age=86400",
}
"""Of a picture, whose own styles are its drawing; nothing in it is run or fetched."""


class RefusedForm(Exception):
    """A request whose body is no form that a page here could have sent.

    Args:
        status: the HTTP status to answer with.
        told: what is wrong, a sentence.
    """

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status, self.told = status, told


class Protected:
    """An application whose answers have `HEADERS`, where it does not set its own.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_protected(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                names = {name.lower() for name, _ in given}
                given += (
                    (name.encode(), value.encode())
                    for name, value in HEADERS.items()
                    if name.encode() not in names
                )
                message = {**message, "headers": given}
            await send(message)

        await self._app(scope, receive, send_protected if scope["type"] == "http" else send)


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a posted form.

    Raises:
        RefusedForm: it is too large, of another type, or no form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise RefusedForm(415, "Only plain forms can be sent here.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            raise RefusedForm(413, "That is too much for a form of this shop.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:  # bytes that are no text among them
        raise RefusedForm(400, "This is no form of this shop.") from None
    return fields(pairs)
