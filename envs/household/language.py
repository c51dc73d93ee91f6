"""The household in English: observations, stories told from events, and instructions told from actions."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from worldschool.envs.household.actions import parse_form
from worldschool.envs.household.state import State
from worldschool.envs.household.vocabulary import ROOMS, phrase
from worldschool.errors import WorldError
from worldschool.records import Event

# -- observations: exact names, so that what is read can be acted on -------------------------------------------------


def observation(state: State, observer: str, every_room: bool = False) -> str:
    """Return what a character sees, as lines of sorted text.

    The observer's room, what lies on its surfaces, in its open containers and on its floor, which containers are
    closed and which devices on, who else is there with what in hand, the observer's own hands, and the names of the
    other rooms. With `every_room` the other rooms are told in the same way, each under its name.
    """
    here = state.place[observer]
    contents = state.contents()
    lines = [f"You are {observer}, in the {here}.", *_room_lines(state, contents, here, observer)]
    lines.append(f"You hold: {_listed(contents, observer)}.")
    others = sorted(room for room in state.house.rooms if room != here)
    if every_room:
        for room in others:
            lines += ["", f"The {room}:", *_room_lines(state, contents, room, observer)]
    else:
        lines.append(f"Other rooms: {', '.join(others)}.")
    return "\n".join(lines)


def _room_lines(state: State, contents: dict[str, list[str]], room: str, observer: str) -> list[str]:
    lines = []
    for name in state.house.furniture_in[room]:
        setting = state.setting.get(name)
        if setting is None:
            lines.append(f"On the {name}: {_listed(contents, name)}.")
        elif setting == "open":
            lines.append(f"The {name} is open. In the {name}: {_listed(contents, name)}.")
        else:
            lines.append(f"The {name} is {setting}.")
    if room in contents:
        lines.append(f"On the floor: {_listed(contents, room)}.")
    for character in state.present(room):
        if character != observer:
            holding = f", holding {_listed(contents, character)}" if character in contents else ""
            lines.append(f"{character} is here{holding}.")
    return lines


def _listed(contents: dict[str, list[str]], place: str) -> str:
    """Return "apple, bowl (in it: lime)" for what is at a place, or "nothing"."""
    return ", ".join(_with_contents(contents, thing) for thing in contents.get(place, ())) or "nothing"


def _with_contents(contents: dict[str, list[str]], thing: str) -> str:
    return f"{thing} (in it: {_listed(contents, thing)})" if thing in contents else thing


# -- stories ---------------------------------------------------------------------------------------------------------

STYLES = ("plain", "varied", "brief")

# The first wording of each is the plain one.
_TELLINGS: dict[str, tuple[str, ...]] = {
    "walk": ("walked to {target}", "went to {target}", "moved to {target}"),
    "grab": ("picked up {object}", "took {object}", "grabbed {object}"),
    "grab from": (
        "picked up {object} from {source}",
        "took {object} from {source}",
        "grabbed {object} from {source}",
    ),
    "put ON": ("put {object} on {target}", "placed {object} on {target}", "set {object} on {target}"),
    "put INSIDE": ("put {object} in {target}", "placed {object} in {target}", "left {object} in {target}"),
    "drop": ("dropped {object}", "put down {object}", "left {object} there"),
    "open": ("opened {object}", "pulled open {object}"),
    "close": ("closed {object}", "shut {object}"),
    "switch_on": ("turned on {object}", "switched on {object}"),
    "switch_off": ("turned off {object}", "switched off {object}"),
    "look": ("looked around", "glanced around"),
}

_IMPERATIVES: dict[str, str] = {
    "walk to {place}": "walk to {place}",
    "grab {thing}": "pick up {thing}",
    "put {thing} on {place}": "put {thing} on {place}",
    "put {thing} in {place}": "put {thing} in {place}",
    "drop {thing}": "drop {thing}",
    "open {thing}": "open {thing}",
    "close {thing}": "close {thing}",
    "switch on {thing}": "turn on {thing}",
    "switch off {thing}": "turn off {thing}",
    "look": "look around",
}


def narrate(events: Sequence[Event], style: str, rng: Random) -> list[str]:
    """Tell what happened, one sentence for each event that succeeded.

    Args:
        events: in order.
        style: "plain" (one wording each), "varied" (a wording drawn by `rng`), or "brief" (varied, but never says
            where a thing was picked up from). The floor is never mentioned.
        rng: draws the wordings; "plain" draws nothing.

    Raises:
        WorldError: the style is unknown.
    """
    if style not in STYLES:
        raise WorldError(f"found {style!r}", where="narrate: style", mend=f"Accepted: {', '.join(STYLES)}.")
    return [_sentence(event, style, rng) for event in events if event.succeeded]


def _sentence(event: Event, style: str, rng: Random) -> str:
    telling = event.verb
    if telling == "put":
        telling = f"put {event.relation}"
    elif telling == "grab" and style != "brief" and event.source not in ROOMS:
        telling = "grab from"
    wordings = _TELLINGS[telling]
    wording = wordings[0] if style == "plain" else rng.choice(wordings)
    names = {"object": event.object, "source": event.source, "target": event.target}
    told = wording.format_map({key: phrase(name) for key, name in names.items() if name})
    return f"{event.actor} {told}."


def narrate_action(text: str) -> str:
    """Return an action as an English instruction: "walk to kitchen" gives "Walk to the kitchen."

    "Mary: grab apple" gives "Mary, pick up the apple."

    Raises:
        WorldError: the text has no action's form.
    """
    actor, colon, rest = text.partition(": ")
    if not colon:
        actor, rest = "", text
    if (found := parse_form(rest)) is None:
        raise WorldError(
            f"{text!r} has no form of action", where="narrate_action", mend="Try 'walk to kitchen'."
        )
    form, arguments = found
    names = {key: phrase(name) for key, name in arguments._asdict().items() if name}
    told = _IMPERATIVES[form.form].format_map(names)
    return f"{actor}, {told}." if actor else f"{told[0].upper()}{told[1:]}."
