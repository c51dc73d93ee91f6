"""The page itself: a template, its style and script, the data, and a plain list for where no script runs.

Nothing from a world or a dataset becomes markup: what the script shows is JSON without a `<`, which it puts into the
page as text only, and what stands in the page beforehand passes through `safe`. A policy forbids whatever is not this
very script and style.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from worldschool.experience.viewing.packing import page_json

MARK = '<meta name="generator" content="worldschool view">'
SCRIPTS = ("dom.js", "words.js", "browse.js", "picture.js", "timeline.js", "episode.js", "main.js")
"""One script in the page, in this order."""
EARLY = 'document.documentElement.classList.add("js")'
"""Runs before anything is shown, so that the plain list does not flash up."""
PLAIN_EPISODES, PLAIN_TOLD = 500, 5
"""How many episodes the plain list names, and how many of them it tells step by step."""
PLAIN_STEPS = 100


def html_page(
    name: str,
    summary: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    texts: Sequence[str],
    pictures: Mapping[str, Any],
) -> str:
    """Return the whole page.

    Args:
        name: of the dataset.
        summary: sentences about it and about what the page holds.
        rows: episodes, as `packing.pack` gives them.
        texts: what the numbers in the rows stand for.
        pictures: blocks that the rows' frames name (`Gathering.pictures`).
    """
    script = '"use strict";(() => {\n' + "\n".join(_file(one) for one in SCRIPTS) + "\n})();"
    style = _file("page.css")
    data = {"texts": texts, "episodes": rows, "pictures": pictures}
    return Template(_file("page.html")).substitute(
        policy=_policy(EARLY, script, style=style),
        mark=MARK,
        title=safe(name),
        summary="".join(f"<p>{safe(sentence)}</p>" for sentence in summary),
        early=EARLY,
        style=style,
        plain=_plain(rows, texts),
        data=page_json(data),
        script=script,
    )


def empty_page_bytes() -> int:
    """Return how large a page without episodes is."""
    return len(html_page("", (), (), (), {}).encode())


def safe(value: object) -> str:
    """Escape for HTML text and attributes.

    What cannot be written as UTF-8 becomes a question mark. Characters that show nothing but turn or break the text
    around them are written as their codes, as dom.js does.
    """
    text = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(value))
    return escape(text.encode("utf-8", "replace").decode("utf-8"))


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _file(name: str) -> str:
    return files("worldschool.experience.viewing").joinpath(name).read_text(encoding="utf-8")


def _policy(*scripts: str, style: str) -> str:
    """Return a Content-Security-Policy that lets exactly these run and lets nothing be fetched."""
    hashes = " ".join(_hashed(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hashed(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _plain(rows: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> str:
    """Return the episodes as a list that needs no script; the first ones are told step by step."""
    items = []
    for place, row in enumerate(rows[:PLAIN_EPISODES]):
        goal = texts[row["goal"]] or "no goal"
        line = (
            f'<bdi>{safe(goal)}</bdi> <span class="quiet">episode {row["index"]}, {row["length"]} steps, '
            f"{_outcome(row)}</span>"
        )
        told = f"<details><summary>{line}</summary>{_told(row, texts)}</details>"
        items.append(f"<li>{told if place < PLAIN_TOLD else line}</li>")
    more = len(rows) - PLAIN_EPISODES
    after = f"<p>{more:,} more are in this page and need JavaScript to be shown.</p>" if more > 0 else ""
    return f"<ol>{''.join(items)}</ol>{after}"


def _outcome(row: Mapping[str, Any]) -> str:
    if row["error"] is not None:
        return f"ended by an error: <bdi>{safe(row['error'])}</bdi>"
    return "goal reached" if row["success"] else "goal not reached" if row["predicates"] else "no goal"


def _told(row: Mapping[str, Any], texts: Sequence[str]) -> str:
    first, *others = ("\n".join(texts[line] for line in lines) for lines in row["observations"])
    parts = [f"<pre>{safe(first)}</pre><ol>"]
    for (action, *_), observation in zip(row["steps"][:PLAIN_STEPS], others, strict=False):
        parts.append(
            f"<li><strong><bdi>{safe(texts[action])}</bdi></strong><pre>{safe(observation)}</pre></li>"
        )
    more = len(row["steps"]) - PLAIN_STEPS
    return "".join(parts) + "</ol>" + (f"<p>And {more:,} more steps.</p>" if more > 0 else "")
