"""The client of an OpenAI-compatible server: POST URL/completions or URL/embeddings, asked again where that may help."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from worldschool.errors import ModelError

ENDPOINT = "endpoint:"
"""What the name of a model behind a server begins with."""
KEY_VARIABLE = "WORLDSCHOOL_API_KEY"
"""Environment variable of the API key, if the server wants one."""
TRIES = 5
PASSING = {408, 429, 500, 502, 503, 504}
"""HTTP statuses of states that pass: too many requests, or a server that is starting or overloaded."""
REFUSED = {400, 422}
"""HTTP statuses of requests that a server does not take as they are."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0


def parse_name(name: str) -> tuple[str, str]:
    """Return the address and the model of "endpoint:URL#MODEL".

    Raises:
        ModelError: the name is not well formed, or holds a user name or password.
    """
    url, _, model = name.removeprefix(ENDPOINT).partition("#")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ModelError(
            "the address of a server holds a user name or password",
            where="model",
            mend="Take it out: an API key is read from the environment variable WORLDSCHOOL_API_KEY.",
        )
    if (
        not name.startswith(ENDPOINT)
        or parts.scheme not in ("http", "https")
        or not parts.netloc
        or not model
    ):
        raise ModelError(
            f"{name!r} does not name a server's model",
            where="model",
            mend=f"Write it like {ENDPOINT}http://localhost:8000/v1#MODEL.",
        )
    return url, model


class RequestRefusedError(ModelError):
    """A server does not take this request as it is."""


class Server:
    """One server, by its base address.

    Args:
        url: such as "http://localhost:8000/v1".
        timeout_s: for one request.
        sleep: waits so many seconds before a request is sent again.
    """

    def __init__(self, url: str, timeout_s: float, sleep: Callable[[float], None]) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def complete(self, body: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """Return the answer's choices in the order of the prompts.

        Args:
            body: the request.
            count: how many choices are expected.

        Raises:
            ModelError: the server cannot be reached, refuses the request, or its answer is not one.
        """
        return self._numbered("completions", "choices", body, count)

    def embed(self, body: dict[str, Any], count: int) -> list[list[float]]:
        """Return the answer's vectors in the order of the texts; see `complete`."""
        rows = self._numbered("embeddings", "data", body, count)
        try:
            return [[float(value) for value in row["embedding"]] for row in rows]
        except (ValueError, TypeError, KeyError):
            raise self._error("the answer holds no lists of numbers under `embedding`") from None

    def _numbered(self, path: str, key: str, body: dict[str, Any], count: int) -> list[dict[str, Any]]:
        text = self._post(path, json.dumps(body).encode())
        try:
            rows = sorted(json.loads(text)[key], key=lambda row: int(row["index"]))
        except (ValueError, TypeError, KeyError):
            raise self._error(
                f"the answer is not that of {'a completions' if path == 'completions' else 'an embeddings'} server: {text[:80]!r}"
            ) from None
        if [row["index"] for row in rows] != list(range(count)):
            raise self._error(f"{count} prompts were sent and {len(rows)} answers came")
        return rows

    def _post(self, path: str, data: bytes) -> str:
        wait = FIRST_WAIT_S
        for attempt in range(1, TRIES + 1):
            try:
                with self._opener.open(self._request(path, data), timeout=self._timeout_s) as answer:
                    body: bytes = answer.read()
                    return body.decode(errors="replace")
            except urllib.error.HTTPError as error:
                said = f"HTTP {error.code}: {_message(error)}"
                if error.code in REFUSED:
                    raise RequestRefusedError(said.rstrip("."), where=self.url) from None
                if error.code not in PASSING:
                    raise self._error(said, _mend(error.code)) from None
                wait = max(wait, _retry_after(error))
            except (OSError, HTTPException) as error:  # refused, reset, timed out, or cut off
                said = str(getattr(error, "reason", None) or error or type(error).__name__)
            if attempt < TRIES:
                self._sleep(min(wait, LONGEST_WAIT_S))
                wait *= 2
        raise self._error(f"{said} (tried {TRIES} times)", "Check that the server runs at this address.")

    def _request(self, path: str, data: bytes) -> urllib.request.Request:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = _api_key()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return urllib.request.Request(f"{self.url}/{path}", data, headers, method="POST")

    def _error(self, problem: str, mend: str | None = None) -> ModelError:
        return ModelError(problem.rstrip("."), where=self.url, mend=mend)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry the API key to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Return None, which makes the redirect an error."""


def _api_key() -> str:
    """Return the API key, without the line end that a file it was read from leaves behind; empty: there is none.

    Raises:
        ModelError: it holds what no header can; the message does not show it.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ModelError(
            "the API key holds line ends, or signs that are not ASCII, and cannot be sent",
            where=KEY_VARIABLE,
            mend="Put the server's API key alone into this environment variable.",
        )
    return key


def _message(error: urllib.error.HTTPError) -> str:
    """Return what the server says is wrong, in one line, the API key taken out should the server repeat it."""
    text = error.read(2000).decode(errors="replace")
    try:
        found = json.loads(text)
        told = found.get("error", found) if isinstance(found, dict) else found
        text = str(told.get("message", told) if isinstance(told, dict) else told)
    except ValueError:
        pass
    key = _api_key()
    return " ".join((text.replace(key, "***") if key else text).split())[:200] or "no reason given"


def _mend(code: int) -> str | None:
    if code in (401, 403):
        return f"Put the server's API key into the environment variable {KEY_VARIABLE}."
    if code == 404:
        return "Check the address, which usually ends in /v1, and the model's name behind '#'."
    return None


def _retry_after(error: urllib.error.HTTPError) -> float:
    """Return the seconds that the server asks to wait; 0 where it does not say, or gives a date."""
    try:
        return max(0.0, float(error.headers.get("Retry-After") or 0))
    except ValueError:
        return 0.0
