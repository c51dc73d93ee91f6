"""`worldschool play shop`: the shop in a web browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worldschool.errors import OutputError, UserError

if TYPE_CHECKING:
    from worldschool.envs.shop.site.sessions import Ended, Shopping
    from worldschool.experience.played import PlayedEpisodes

INTERRUPTED = 130
PERSON = {"max_steps": 100}
"""What is set for people if nobody says otherwise."""


def register(play: typer.Typer) -> None:
    """Add the command of this file to `worldschool play`."""
    play.command("shop")(shop)


def shop(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 8000,
    host: Annotated[
        str, typer.Option(help="The network address to listen on; the default is for this machine alone.")
    ] = "127.0.0.1",
    split: Annotated[str, typer.Option(help="Whose goals: train, validation or heldout.")] = "train",
    sessions: Annotated[int, typer.Option(min=1, help="How many visitors are remembered at once.")] = 1000,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Record every session as an episode of this dataset; it is continued."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a setting of the shop: products=5000.")
    ] = None,
) -> None:
    """Serve the shop as web pages: search, look, choose, buy; Ctrl-C ends it."""
    from worldschool.config import apply_overrides
    from worldschool.envs.shop.env import ShopEnv
    from worldschool.envs.shop.site.serving import serve
    from worldschool.experience.played import PlayedEpisodes

    settings = apply_overrides({**PERSON, "split": split}, set_ or (), "products=5000")

    def run(ended: Ended | None) -> None:
        serve(settings, host=host, port=port, sessions=sessions, ended=ended, say=_open)

    try:
        if out is None:
            run(None)
        else:
            with PlayedEpisodes(out, ShopEnv(**settings), "play shop") as played:
                run(_recording(played, out))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _open(url: str) -> None:
    _say(f"The shop is open: {url}\nEvery visit begins a new session. Ctrl-C closes the shop.")


def _recording(played: PlayedEpisodes, out: Path) -> Ended:
    def ended(shopping: Shopping) -> None:
        try:
            episode = played.add(shopping.seed, shopping.actions)
        except UserError as error:  # the shop stays open; what a full disk refused waits for the next session
            so_far = " yet" if isinstance(error, OutputError) else ""
            _say(f"a session of {len(shopping.actions)} steps is not recorded{so_far}: {error}")
            return
        how = f"bought, reward {episode.return_:.2f}" if episode.terminated else "left without buying"
        _say(f"{episode.episode_id}: {episode.length} steps, {how}; {len(played)} episodes in {out}")

    return ended


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
