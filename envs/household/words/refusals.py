"""Why an action cannot be done, in one sentence with the nearest mend: what can never be done, and what cannot now."""

from __future__ import annotations

from collections.abc import Callable

from worldschool.envs.household.forms import FORMS, Form
from worldschool.envs.household.premises import Premises
from worldschool.envs.household.scene.reasons import REASONS
from worldschool.envs.household.state import CLOSED, View
from worldschool.envs.household.vocabulary import FURNITURE, OBJECTS, phrase

# -- what can never be done ---------------------------------------------------------------------------------------------


def static_refusal(premises: Premises, form: Form, x: str, y: str) -> str:
    """Return why an action that has an action's form is none of this house's candidates."""
    house = premises.house
    kind = house.kind_of[x]
    if form.x == "thing" and kind != "object":
        return f"{upper(phrase(x))} cannot be carried; choose one of the things on or in the furniture."
    if form.x == "someone":
        return f"{upper(phrase(x))} is nobody to {form.verb}; choose a person."
    if form.x in ("any", "opening", "washable", "furniture surface") and kind in ("room", "character"):
        return f"Nobody can {form.write(phrase(x))}; choose a thing or piece of furniture."
    if form.y == "surface":
        return _no_surface(premises, x, y)
    if form.y in ("holder", "vessel"):
        return _no_holder(premises, x, y)
    verb = form.write(phrase(x))
    return f"Nobody can {verb}; choose something else{_example(premises, form)}."


def _no_surface(premises: Premises, x: str, y: str) -> str:
    if x == y:
        return f"{upper(phrase(x))} cannot be put on itself; choose another place."
    if premises.house.kind_of[y] == "room":
        return "To leave a thing on the floor of the room you are in, drop it."
    if _holds_things(premises, y):
        return f"Nothing can be put on {phrase(y)}; put it in {y} instead."
    return f"{upper(phrase(x))} cannot be put on {phrase(y)}; choose a surface."


def _no_holder(premises: Premises, x: str, y: str) -> str:
    if x == y:
        return f"{upper(phrase(x))} cannot be put in itself; choose another place."
    if premises.house.kind_of[y] == "room":
        return "To leave a thing on the floor of the room you are in, drop it."
    if _holds_things(premises, y) and premises.house.kind_of[y] == "object":
        return f"{upper(phrase(x))} is too big for {phrase(y)}; choose a larger place."
    class_ = premises.house.class_of[y]
    if class_ in FURNITURE and "SURFACES" in FURNITURE[class_].properties:
        return f"Nothing can be put in {phrase(y)}; put it on {y} instead."
    return f"Nothing can be put in {phrase(y)}; choose a container or vessel."


def _holds_things(premises: Premises, name: str) -> bool:
    class_ = premises.house.class_of[name]
    row = FURNITURE.get(class_) or OBJECTS.get(class_)
    return row is not None and ("CONTAINERS" in row.properties or getattr(row, "vessel", False))


def _example(premises: Premises, form: Form) -> str:
    """Return " like the desk" for something of this house that the form can be about, or nothing."""
    for candidate, row in enumerate(premises.forms.tolist()):
        if FORMS[row] is form:
            return f" like {phrase(premises.house.names[premises.candidates[candidate, 1]])}"
    return ""


# -- what cannot be done now ----------------------------------------------------------------------------------------------


def refusal(view: View, actor: str, form: Form, x: str, y: str, reason: str) -> str:
    """Return why a character cannot do an action now.

    Args:
        view: the state.
        actor: who tried.
        form: what was tried.
        x: name of what it is about.
        y: name of the second thing, or empty.
        reason: the kernel's (`scene.reasons`).
    """
    tell = _TELLINGS.get(reason)
    if tell is not None:
        return tell(view, actor, form, x, y)
    return f"Nobody can {form.write(phrase(x), phrase(y) if y else '')}: {REASONS[reason]}."


def _not_close(view: View, actor: str, form: Form, x: str, y: str) -> str:
    far = y or x
    if view.house.kind_of[far] == "object" and not view.is_in_sight(far, actor):
        return f"You cannot see {phrase(far)} here; walk to {far} first."
    return f"You are not close to {phrase(far)}; walk to {far} first."


def _no_free_hand(view: View, actor: str, form: Form, x: str, y: str) -> str:
    held = " and ".join(map(phrase, view.held(actor)))
    return f"Your hands are full with {held}; put one of them down first."


def _not_holding(view: View, actor: str, form: Form, x: str, y: str) -> str:
    return f"You do not hold {phrase(x)}; grab it first."


def _already_grabbed(view: View, actor: str, form: Form, x: str, y: str) -> str:
    holder = view.holder(x)
    if holder == actor:
        return f"You hold {phrase(x)} already; put or drop it if you want it elsewhere."
    return f"{holder} is holding {phrase(x)}; wait until it is put down."


def _inside_closed(view: View, actor: str, form: Form, x: str, y: str) -> str:
    shut = next(place for place in view.above(x) if view.has_state(place, CLOSED))
    return f"{upper(phrase(x))} is shut in; open {shut} first."


def _dest_not_open(view: View, actor: str, form: Form, x: str, y: str) -> str:
    return f"{upper(phrase(y))} is closed; open it first."


def _wrong_state(view: View, actor: str, form: Form, x: str, y: str) -> str:
    now = {"open": "open", "close": "closed", "switch_on": "on", "switch_off": "off", "plug_in": "plugged in",
           "unplug": "unplugged"}[form.verb]  # fmt: skip
    return f"{upper(phrase(x))} is {now} already; there is nothing to do."


def _resting(view: View, actor: str, form: Form, x: str, y: str) -> str:
    return "You are sitting or lying; stand up first."


def _not_resting(view: View, actor: str, form: Form, x: str, y: str) -> str:
    return "You are neither sitting nor lying; sit on something first."


_TELLINGS: dict[str, Callable[[View, str, Form, str, str], str]] = {
    "not_close": _not_close,
    "no_free_hand": _no_free_hand,
    "not_holding": _not_holding,
    "already_grabbed": _already_grabbed,
    "inside_closed": _inside_closed,
    "dest_not_open": _dest_not_open,
    "wrong_state": _wrong_state,
    "resting": _resting,
    "not_resting": _not_resting,
    "not_sitting": _not_resting,
    "still_on": lambda view, actor, form, x, y: f"{upper(phrase(x))} is on; switch off {x} first.",
    "unplugged": lambda view, actor, form, x, y: f"{upper(phrase(x))} is unplugged; plug in {x} first.",
    "occupied": lambda view, actor, form, x, y: f"There is no room left on {phrase(x)}; choose another seat.",
    "inside_itself": lambda view, actor, form, x, y: (
        f"{upper(phrase(x))} cannot be put into what is inside it; choose another place."
    ),
    "not_worn": lambda view, actor, form, x, y: f"You do not wear {phrase(x)}; wear it first.",
    "hands_empty": lambda view, actor, form, x, y: "Your hands are empty; grab something to wipe with first.",
    "not_facing": lambda view, actor, form, x, y: f"You do not face {phrase(x)}; turn to {x} first.",
    "other_room": lambda view, actor, form, x, y: (
        f"{upper(phrase(x))} is in {phrase(view.room_of(x))}; walk to {x} first."
    ),
    "no_knife": lambda view, actor, form, x, y: "You hold no knife; grab one first.",
}


def upper(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[0].upper() + text[1:]
