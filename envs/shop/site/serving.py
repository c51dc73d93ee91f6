"""Running a site: for a person until Ctrl-C, or beside a program in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from worldschool.errors import UserError, WorldError

if TYPE_CHECKING:
    from uvicorn import Server

    from worldschool.envs.shop.site.sessions import Ended

HOST = "127.0.0.1"
STARTED_WITHIN_S = 60.0
LARGEST_HEADERS = 32 * 1024
"""Bytes of a request's first line and headers."""


class AddressTaken(UserError):
    """The host or port cannot be listened on."""


def serve(
    settings: Mapping[str, Any],
    *,
    host: str = HOST,
    port: int = 8000,
    sessions: int | None = None,
    ended: Ended | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the shop until it is interrupted.

    Args:
        settings: the fields of ShopConfig.
        host: the network address to listen on.
        port: 0 takes a free one.
        sessions: how many are kept at once; None for `app.MOST_SESSIONS`.
        ended: told of every session that ends.
        say: told where the shop is, once it is open.

    Raises:
        WorldError: a setting is not accepted, or a package is missing.
        AddressTaken: the port cannot be had.
        KeyboardInterrupt: passed on, after all sessions ended.
    """
    with _listening(host, port) as listening:
        server = _server(settings, sessions, ended)
        say(_address(listening))
        server.run(sockets=[listening])


class BackgroundSite:
    """A site in a thread of this process, on a free port; a context manager.

    Args:
        settings, ended: as in `serve`.

    Raises:
        WorldError: a setting is not accepted, or a package is missing.
    """

    def __init__(self, settings: Mapping[str, Any], ended: Ended | None = None) -> None:
        self._listening = _listening(HOST, 0)
        try:
            self._server = _server(settings, None, ended)
        except BaseException:
            self._listening.close()
            raise
        self.url = _address(self._listening)
        """Where it is, without a slash at the end."""
        run = lambda: self._server.run(sockets=[self._listening])
        self._thread = threading.Thread(target=run, name="shop site", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all sessions and stop; more than once does no harm."""
        self._server.should_exit = True
        self._thread.join(STARTED_WITHIN_S)
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _server(settings: Mapping[str, Any], sessions: int | None, ended: Ended | None) -> Server:
    try:
        import jinja2  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise WorldError(
            f"{error.name} is missing", where="shop site", mend="Install worldschool[shop]."
        ) from None
    from worldschool.envs.shop.site.app import MOST_SESSIONS, site

    app = site(settings, sessions=MOST_SESSIONS if sessions is None else sessions, ended=ended)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        h11_max_incomplete_event_size=LARGEST_HEADERS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that connections can already be made to."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except (OSError, OverflowError) as error:
        raise AddressTaken(
            str(error), where=f"--host {host}", mend="Give an address of this machine."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        raise AddressTaken(
            f"port {port} of {host} cannot be listened on ({error})",
            where="--port",
            mend="Give another port, or 0 for a free one.",
        ) from None
    return listening


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
