"""The household in English: observations, stories told from events, and instructions told from actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random

from worldschool.envs.household.forms import FORMS, Form, parse_form
from worldschool.envs.household.vocabulary import CHARACTER_NAMES, FURNITURE, OBJECTS, ROOMS, phrase
from worldschool.envs.household.words import programs
from worldschool.envs.household.words.observation import observation
from worldschool.envs.household.words.synonyms import readings
from worldschool.envs.household.words.wordings import BARE_TELLINGS, ORDERS, TELLINGS, Choose, plainly
from worldschool.errors import WorldError, nearest
from worldschool.records import Event

__all__ = ["STYLES", "narrate", "narrate_action", "observation"]

STYLES = ("plain", "varied", "brief", "program", "e2wm")
"""plain: one wording each. varied: wordings drawn. brief: varied, but never says where a thing was picked up from.
program: VirtualHome's program lines. e2wm: as in E2WM's plans (Xiang et al. 2023): bare names, verbs of the action table.
"""


def narrate(events: Sequence[Event], style: str, rng: Random) -> list[str]:
    """Tell what happened, one sentence (or program line) for each event that succeeded.

    Args:
        events: in order.
        style: one of `STYLES`. The floor is never mentioned; "program" has no line for looking around.
        rng: draws the wordings of "varied" and "brief"; the other styles draw nothing.

    Raises:
        WorldError: the style is unknown.
    """
    _check_style(style, "narrate")
    if style == "program":
        return programs.program(events)
    return [_sentence(event, style, rng) for event in events if event.succeeded]


def _sentence(event: Event, style: str, rng: Random) -> str:
    telling = event.verb
    if telling in ("put", "pour"):
        telling = f"{telling} {event.relation}"
    elif telling == "walk" and event.source == event.target and event.object:
        telling = "approach"
    elif telling == "grab" and style != "brief" and event.source not in ROOMS:
        telling = "grab from"
    wordings = TELLINGS[telling]
    named: Callable[[str], str] = phrase
    if style == "e2wm":
        wordings, named = (BARE_TELLINGS.get(telling, wordings[0]),), str
    wording = _choice(style, rng)(wordings)
    names = {"object": event.object, "source": event.source, "target": event.target}
    told = wording.format_map({key: named(name) for key, name in names.items() if name})
    return f"{event.actor} {told}."


def narrate_action(text: str, style: str = "plain", rng: Random | None = None) -> str:
    """Return an action as an English instruction: "walk to kitchen" gives "Walk to the kitchen."

    "Mary: grab apple" gives "Mary, pick up the apple." Actions that are written in other words are read as `step` reads them.

    Args:
        text: the action.
        style: one of `STYLES`: "varied" and "brief" draw a wording, "program" gives `[WALK] <kitchen> (1)` (and nothing for
            looking around), "e2wm" "Walk to kitchen."
        rng: draws the wordings of "varied" and "brief"; without it they are the plain ones.

    Raises:
        WorldError: the text has no action's form, or the style is unknown.
    """
    _check_style(style, "narrate_action")
    actor, colon, rest = text.partition(": ")
    if not colon:
        actor, rest = "", text
    form, names = _read(rest)
    if style == "program":
        line = programs.line_of_form(form, names)
        return f"{actor}: {line}" if actor and line else line
    if style == "e2wm":
        told = form.form.format_map(_arguments(form, names))
    else:
        wordings = ORDERS.get(form.form, (form.form,))
        told = _choice(style, rng)(wordings).format_map(_arguments(form, [phrase(name) for name in names]))
    return f"{actor}, {told}." if actor else f"{told[0].upper()}{told[1:]}."


def _read(text: str) -> tuple[Form, tuple[str, ...]]:
    """Return what an action says: about things of the vocabulary, in any words; or about anything, in the exact form."""
    for reading in readings(text, _known):
        return FORMS[reading.form], reading.names
    exact = parse_form(text)
    if exact is None:
        raise WorldError(
            f"{text!r} has no form of action", where="narrate_action", mend="Try 'walk to kitchen'."
        )
    return FORMS[exact[0]], tuple(exact[1].values())


def _known(name: str) -> str | None:
    """Return the name that a casefolded one is of, in any house."""
    stem, _, number = name.rpartition(" ")
    numbered = number.isdigit() and _names().get(stem)
    return f"{numbered} {number}" if numbered else _names().get(name)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in (*ROOMS, *FURNITURE, *OBJECTS, *CHARACTER_NAMES)}


def _arguments(form: Form, names: Sequence[str]) -> Mapping[str, str]:
    """Return what a form is about under the words that it writes: a single one may be a {thing} or a {place}."""
    return {"thing": names[0], "place": names[-1]} if names else {}


def _choice(style: str, rng: Random | None) -> Choose:
    return rng.choice if rng is not None and style in ("varied", "brief") else plainly


def _check_style(style: str, where: str) -> None:
    if style not in STYLES:
        mend = f"Accepted: {', '.join(STYLES)}.{nearest(style, STYLES)}"
        raise WorldError(f"found {style!r}", where=f"{where}: style", mend=mend)
