"""What a character sees, in words: exact names, so that what is read can be acted on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from worldschool.envs.household.scene.graph import states_word
from worldschool.envs.household.state import CLOSED, LYING, SITTING, View
from worldschool.envs.household.vocabulary import FURNITURE, any_phrase
from worldschool.envs.household.words.wordings import SEEN, Choose, plainly


def observation(view: View, observer: str, every_room: bool = False, choose: Choose = plainly) -> str:
    """Return what a character sees, as lines of text.

    The observer's room, what is on, in and about its furniture, what lies on its floor, who else is there with what in
    hand, the observer's own hands, what it stands beside, and the names of the other rooms. With `every_room` the other
    rooms are told in the same way, each under its name. Things are told in sorted order.

    Args:
        view: the state.
        observer: who sees.
        every_room: whether the other rooms are told too.
        choose: picks the wordings.
    """
    return _Eyes(view, observer, choose).tell(every_room)


class _Eyes:
    """One character looking about."""

    def __init__(self, view: View, observer: str, choose: Choose) -> None:
        self._view, self._observer, self._choose = view, observer, choose

    def tell(self, every_room: bool) -> str:
        view, me = self._view, self._observer
        here = view.room_of(me)
        lines = [self._say("you", me=me, room=here, posture=self._posture(me)), *self._room(here)]
        lines.append(self._list("hold", view.held(me)))
        if worn := view.contents.get(me, {}).get("ON"):
            lines.append(self._list("wear", worn))
        close = ", ".join(view.close_to(me))
        lines.append(self._say("close", things=close) if close else self._say("close, empty"))
        others = sorted(room for room in view.house.rooms if room != here)
        if every_room:
            for room in others:
                lines += ["", self._say("room", room=room), *self._room(room)]
        else:
            lines.append(self._say("rooms", rooms=", ".join(others)))
        return "\n".join(lines)

    def _say(self, what: str, **parts: str) -> str:
        return self._choose(SEEN[what]).format_map(parts)

    def _list(self, what: str, things: Sequence[str], name: str = "") -> str:
        """Say what is somewhere, or that nothing is."""
        if not things:
            return self._say(f"{what}, empty", name=name)
        return self._say(what, name=name, things=_listed(self._view, things))

    def _posture(self, character: str) -> str:
        word = self._view.states(character)
        if not word & (SITTING | LYING):
            return ""
        return f", {'sitting' if word & SITTING else 'lying'} on the {self._view.holder(character)}"

    def _room(self, room: str) -> list[str]:
        view = self._view
        lines = [self._furniture(name) for name in view.house.furniture_in[room]]
        if floor := view.contents.get(room):
            lines.append(self._list("floor", floor["INSIDE"]))
        lines += [self._person(one) for one in view.present(room) if one != self._observer]
        return lines

    def _person(self, character: str) -> str:
        held = self._view.held(character)
        holding = f", holding {_listed(self._view, held)}" if held else ""
        return self._say("person", who=character, posture=self._posture(character), holding=holding)

    def _furniture(self, name: str) -> str:
        """Return what is to be seen of a piece of furniture: how it is, what is on it, and what is in it if it is open."""
        word = self._view.states(name)
        told = _states(word & _SHOWN_BITS)
        parts = [self._say("state", name=name, states=told)] if told else []
        contents = self._view.contents.get(name, {})
        properties = FURNITURE[self._view.house.class_of[name]].properties
        if "SURFACES" in properties:
            parts.append(self._list("on", contents.get("ON", ()), name))
        if "CONTAINERS" in properties and not word & CLOSED:
            parts.append(self._list("in", contents.get("INSIDE", ()), name))
        return " ".join(parts) or self._say("there", one=any_phrase(name))


SHOWN = tuple(
    (states_word(name), shown)
    for name, shown in (
        ("OPEN", "open"), ("CLOSED", "closed"), ("ON", "on"), ("OFF", "off"), ("PLUGGED_OUT", "unplugged"),
        ("DIRTY", "dirty"),
    )
)  # fmt: skip
"""States that are told, in this order; being plugged in and clean goes without saying."""
_SHOWN_BITS = sum(bits for bits, _ in SHOWN)
_SHOWN_OF_THINGS = tuple((bits, shown) for bits, shown in SHOWN if shown in ("on", "dirty"))
_SHOWN_BITS_OF_THINGS = sum(bits for bits, _ in _SHOWN_OF_THINGS)


@lru_cache(maxsize=1 << len(SHOWN))
def _states(word: int) -> str:
    """Return "open and dirty" for the states of a piece of furniture that are told."""
    return " and ".join(shown for bits, shown in SHOWN if word & bits)


def _listed(view: View, things: Sequence[str]) -> str:
    """Return "apple, bowl (in it: lime)"."""
    return ", ".join(_with_contents(view, thing) for thing in things)


def _with_contents(view: View, thing: str) -> str:
    word = view.states(thing) & _SHOWN_BITS_OF_THINGS
    if not word and thing not in view.contents:
        return thing
    told = [shown for bits, shown in _SHOWN_OF_THINGS if word & bits]
    for relation, things in view.contents.get(thing, {}).items():
        told.append(f"{'on' if relation == 'ON' else 'in'} it: {_listed(view, things)}")
    return f"{thing} ({'; '.join(told)})" if told else thing
