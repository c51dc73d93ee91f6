"""The commands about what probes found: `compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(compare)


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Output directories of `probe`.")],
    against: Annotated[
        str | None, typer.Option(help="Compare with this model only, in place of every pair.")
    ] = None,
    shared: Annotated[
        bool,
        typer.Option("--shared", help="Compare only what the runs share, if they were not asked the same."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write JSON, Markdown, CSV and pictures here.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object to standard output.")
    ] = False,
) -> None:
    """Compare the models of probe runs: paired tests on the same questions, learning curves."""
    from worldschool.probes.comparing.compare import compare as run
    from worldschool.probes.comparing.files import write_comparison
    from worldschool.probes.comparing.table import comparison_table

    found = run(runs, against=against, shared=shared, seed=seed)
    if out is not None:
        write_comparison(found, out)
    text = comparison_table(found) + (f"\n\nwritten to {out}" if out is not None else "")
    print(json.dumps(found, ensure_ascii=False) if as_json else text)
