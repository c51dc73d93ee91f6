"""The shop in words: entities, facts, events and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from worldschool.envs.shop.session import Visit, read_action
from worldschool.errors import WorldError, nearest
from worldschool.records import Entity, Event, Fact, Relation

SHOPPER = "shopper"
PAGES = {
    "search": "search page",
    "results": "results page",
    "item": "product page",
    "sub": "details page",
    "done": "order page",
}
ENTITIES = tuple(
    sorted(
        (Entity(SHOPPER, "character"), *(Entity(name, "page") for name in PAGES.values())),
        key=lambda one: one.name,
    )
)
_RELATIONS: dict[str, Relation | None] = {"buy": "HOLDS", "choose": None, "read": None}
STYLES = ("plain", "varied", "brief")

_SENTENCES: dict[str, tuple[str, ...]] = {
    "search": (
        "The shopper searched for {object}.",
        "The shopper typed {object} into the search box.",
        "The shopper looked for {object}.",
    ),
    "open": (
        "The shopper opened {object}.",
        "The shopper clicked on {object}.",
        "The shopper went to the page of {object}.",
    ),
    "choose": (
        "The shopper chose {object} for {target}.",
        "The shopper picked {object} for {target}.",
        "For {target} the shopper selected {object}.",
    ),
    "read": (
        "The shopper read the {object} of {target}.",
        "The shopper looked at the {object} of {target}.",
    ),
    "turn": ("The shopper turned to {object}.", "The shopper went to {object}."),
    "return": ("The shopper went back to {target}.", "The shopper returned to {target}."),
    "buy": ("The shopper bought {object}.", "The shopper ordered {object}."),
}
"""Verb to wordings, the plain one first. Brief ones leave "The shopper" out."""


def facts_of(visit: Visit) -> tuple[Fact, ...]:
    """Return what holds on a page, sorted: where the shopper is, products shown, options chosen, what was bought."""
    session, page = visit.session, PAGES[visit.session.page]
    found = [Fact(SHOPPER, "AT", page)]
    found += (Fact(visit.shelf.product(row).asin, "ON", page) for row in visit.rows_shown)
    if session.row is not None:
        asin = visit.product.asin
        found.append(Fact(SHOPPER, "HOLDS", asin) if session.page == "done" else Fact(asin, "ON", page))
        found += (Fact(asin, "STATE", f"{name}: {value}") for name, value in session.options)
    return tuple(sorted(found, key=lambda fact: (fact.subject, fact.relation, fact.object)))


def fact_of(name: str, subject: str, target: str | None) -> Fact | None:
    """Return the fact that a predicate of the records asks for; None if it is no such predicate."""
    if name.startswith("STATE:"):
        return Fact(subject, "STATE", name.removeprefix("STATE:"))
    if name in ("ON", "INSIDE", "HOLDS", "AT") and target is not None:
        return Fact(subject, name, target)  # type: ignore[arg-type]
    return None


def event_of(before: Visit, after: Visit, t: int) -> Event:
    """Return what a step did, from the page before it and the page after it."""
    was, now = before.session, after.session
    source, target = PAGES[was.page], PAGES[now.page]

    def event(verb: str, thing: str | None, towards: str = target) -> Event:
        relation: Relation | None = _RELATIONS.get(verb, "AT")
        return Event(t, SHOPPER, verb, thing, source, towards, relation, True, (SHOPPER,))

    if now.page == "done":
        return event("buy", after.product.asin, SHOPPER)
    if now.page == "search":
        return event("return", None)
    if now.page == "results":
        if was.page == "results" and was.keywords == now.keywords and was.number != now.number:
            return event("turn", f"page {now.number}")
        if was.row is not None and was.hits == now.hits and was.number == now.number:
            return event("return", None)
        return event("search", " ".join(now.keywords))
    if now.page == "sub":
        return event("read", now.subpage.lower(), after.product.asin)
    if was.row != now.row:
        return event("open", after.product.asin)
    if was.options != now.options or was.page == "item":
        return event("choose", _chosen(before, after), after.product.asin)
    return event("return", None)


def _chosen(before: Visit, after: Visit) -> str:
    """Return the option that was clicked, "color: red"; the last one, where it was chosen already."""
    old = dict(before.session.options)
    changed = [(name, value) for name, value in after.session.options if old.get(name) != value]
    name, value = changed[0] if changed else after.session.options[-1]
    return f"{name}: {value}"


def narrate(events: Sequence[Event], style: str, rng: Random) -> list[str]:
    """Tell the events that succeeded, one sentence each; `rng` picks the wording in style "varied".

    Raises:
        WorldError: the style is unknown.
    """
    _check_style(style)
    found = []
    for event in events:
        if not event.succeeded:
            continue
        wordings = _SENTENCES[event.verb]
        sentence = (rng.choice(wordings) if style == "varied" else wordings[0]).format(
            object=_object_of(event), target=phrase(event.target or "")
        )
        if style == "brief":
            sentence = sentence.removeprefix("The shopper ")
            sentence = sentence[0].upper() + sentence[1:]
        found.append(sentence)
    return found


def _object_of(event: Event) -> str:
    if event.verb == "search":
        return f'"{event.object}"'
    return phrase(event.object) if event.verb in ("open", "buy") and event.object else event.object or ""


def narrate_action(action: str, style: str = "plain") -> str:
    """Return an action as an instruction.

    Raises:
        WorldError: the text is no action, or the style is unknown.
    """
    _check_style(style)
    name, argument = read_action(action, None)
    if not name:
        raise WorldError(f"{action!r} is no action", where="Shop: narrate_action", mend=FORMS)
    if name == "search":
        return f'Search for "{argument}".'
    return "Buy it now." if argument == "buy now" else f'Click on "{argument}".'


def phrase(name: str) -> str:
    """Return how sentences name the shopper, a page, or a product by its id."""
    if name == SHOPPER or name in PAGES.values():
        return f"the {name}"
    return f"product {name}"


FORMS = "Write search[WORDS] or click[TEXT]."


def why_no_action(text: str) -> str:
    """Return why a text is no action."""
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    return f"{shown!r} is no action. {FORMS}"


def why_no_click(argument: str, visit: Visit) -> str:
    """Return why something cannot be clicked here."""
    shown = argument if len(argument) <= 80 else f"{argument[:77]}..."
    can = [text for text in visit.clickables if text != "search"]
    guess = nearest(argument, can).strip() if len(argument) <= 80 else ""
    offered = ", ".join(can[:12])
    mend = guess or (f"Here one can click {offered}." if offered else "Here one can only search.")
    return f"There is nothing called {shown!r} to click on this page. {mend}"


def _check_style(style: str) -> None:
    if style not in STYLES:
        raise WorldError(f"found {style!r}", where="Shop: style", mend=f"Accepted: {', '.join(STYLES)}.")
