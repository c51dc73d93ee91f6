"""The commands about catalogues of the shop: `catalogue import` and `catalogue info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

catalogue = typer.Typer(
    help="Look into catalogues of the shop, and make them of WebShop's own files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.add_typer(catalogue, name="catalogue")


@catalogue.command("import")
def import_(
    items: Annotated[Path, typer.Argument(help="WebShop's products: items_shuffle.json, or .json.gz.")],
    attributes: Annotated[Path, typer.Argument(help="Their attributes: items_ins_v2.json.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The catalogue's folder, a new one.")],
    human: Annotated[
        Path | None,
        typer.Option(help="Human instructions: items_human_ins.json. Without them goals are synthetic."),
    ] = None,
    products: Annotated[
        int | None, typer.Option(min=1, help="Read only the first so many of the list of products.")
    ] = None,
    splits: Annotated[
        str | None,
        typer.Option(
            help="paper (by number) or attributes; if not given, paper for the paper's 12,087 goals."
        ),
    ] = None,
    nouns: Annotated[
        bool, typer.Option("--nouns", help="Find the nouns of titles now, by spaCy, and store them.")
    ] = False,
    index: Annotated[
        bool, typer.Option(help="Build the search index now, not when it is first used.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Make a catalogue of WebShop's own files, for ShopEnv's setting `catalogue`."""
    from worldschool.envs.shop.catalogue.telling import describe, tell_catalogue
    from worldschool.envs.shop.catalogue.webshop import import_webshop, read_splits
    from worldschool.progress import progress, say

    how = read_splits(splits)
    with progress("import", products, "products") as advance:
        made = import_webshop(
            out, items, attributes, human, products, splits=how, nouns=nouns, advance=advance
        )
    if index:
        say("building the search index")
        _ = made.index
    print(json.dumps(describe(made), ensure_ascii=False) if as_json else tell_catalogue(made))


@catalogue.command("info")
def info(
    folder: Annotated[Path, typer.Argument(help="A catalogue's folder.")], as_json: AsJson = False
) -> None:
    """Tell what a catalogue holds."""
    from worldschool.envs.shop.catalogue import Catalogue
    from worldschool.envs.shop.catalogue.telling import describe, tell_catalogue

    found = Catalogue.open(folder)
    print(json.dumps(describe(found), ensure_ascii=False) if as_json else tell_catalogue(found))
