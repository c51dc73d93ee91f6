"""What characters can do: a table with one row per form of action, readable as the specification of the dynamics.

A row says how the action is written, what must hold (each need returns the sentence that says what is wrong and the
nearest fix), what it changes, and what event tells of it. Legality, effect and event all come from this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from worldschool.envs.household.needs import (
    Arguments,
    Need,
    can_open,
    can_switch,
    fits,
    has_free_hand,
    is_elsewhere,
    is_in_hand,
    is_not,
    is_not_in_hand,
    is_object,
    place_holds_things,
    place_in_reach,
    place_is_another,
    place_is_open,
    place_is_room,
    place_is_surface,
    thing_in_reach,
)
from worldschool.envs.household.state import RELATION_TO, House, State
from worldschool.errors import nearest
from worldschool.records import Event, Relation

MAX_ACTION_LENGTH = 200


class ActionError(ValueError):
    """A text is no action of this house, or the action cannot be done now; the message is one sentence."""


class Change(NamedTuple):
    """What an event tells of an action, as in records.Event."""

    object: str | None = None
    source: str | None = None
    target: str | None = None
    relation: Relation | None = None


@dataclass(frozen=True)
class ActionForm:
    """One row of the table."""

    verb: str
    """The event's verb."""
    form: str
    """How it is written, with {thing} and {place} for its arguments."""
    candidates: Callable[[State, str], Iterable[Arguments]]
    """Arguments worth checking for a character: all legal ones and few others."""
    needs: tuple[Need, ...]
    """What must hold; the first that does not gives the error."""
    effect: Callable[[State, str, Arguments], State]
    change: Callable[[State, str, Arguments], Change]
    """What is told of it, seen from the state before."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the casefolded form; groups "thing" and "place" where it has them."""
        return re.compile(self.form.format(thing="(?P<thing>.+)", place="(?P<place>.+)"))


class Action(NamedTuple):
    """A parsed action: a row of the table and its arguments."""

    form: ActionForm
    arguments: Arguments

    def __str__(self) -> str:
        return self.form.form.format(thing=self.arguments.thing, place=self.arguments.place)


# -- candidates -----------------------------------------------------------------------------------------------------


def _rooms(state: State, actor: str) -> Iterator[Arguments]:
    return (Arguments(place=room) for room in state.house.rooms)


def _objects(state: State, actor: str) -> Iterator[Arguments]:
    return (Arguments(thing) for thing, _ in state.house.objects)


def _held(state: State, actor: str) -> Iterator[Arguments]:
    return (Arguments(thing) for thing in state.held(actor))


def _held_and_furniture(state: State, actor: str) -> Iterator[Arguments]:
    furniture = state.house.furniture_in[state.place[actor]]
    return (Arguments(thing, place) for thing in state.held(actor) for place in furniture)


def _held_and_holders(state: State, actor: str) -> Iterator[Arguments]:
    places = state.house.furniture_in[state.place[actor]] + state.house.vessels
    return (Arguments(thing, place) for thing in state.held(actor) for place in places)


def _furniture(state: State, actor: str) -> Iterator[Arguments]:
    return (Arguments(name) for name in state.house.furniture_in[state.place[actor]])


def _nothing(state: State, actor: str) -> tuple[Arguments]:
    return (Arguments(),)


# -- effects and events ---------------------------------------------------------------------------------------------


def _walk(state: State, actor: str, on: Arguments) -> State:
    return state.moved(actor, on.place)


def _take(state: State, actor: str, on: Arguments) -> State:
    return state.moved(on.thing, actor)


def _put(state: State, actor: str, on: Arguments) -> State:
    return state.moved(on.thing, on.place)


def _drop(state: State, actor: str, on: Arguments) -> State:
    return state.moved(on.thing, state.place[actor])


def _set(setting: str) -> Callable[[State, str, Arguments], State]:
    return lambda state, actor, on: state.switched(on.thing, setting)


def _keep(state: State, actor: str, on: Arguments) -> State:
    return state


def _walked(state: State, actor: str, on: Arguments) -> Change:
    return Change(source=state.place[actor], target=on.place, relation="AT")


def _took(state: State, actor: str, on: Arguments) -> Change:
    return Change(on.thing, state.place[on.thing], actor, "HOLDS")


def _was_put(state: State, actor: str, on: Arguments) -> Change:
    return Change(on.thing, actor, on.place, RELATION_TO[state.house.kind_of[on.place]])


def _dropped(state: State, actor: str, on: Arguments) -> Change:
    return Change(on.thing, actor, state.place[actor], "INSIDE")


def _of_thing(state: State, actor: str, on: Arguments) -> Change:
    return Change(on.thing)


def _of_nothing(state: State, actor: str, on: Arguments) -> Change:
    return Change()


# -- the table ------------------------------------------------------------------------------------------------------

FORMS: tuple[ActionForm, ...] = (
    ActionForm("walk", "walk to {place}", _rooms, (place_is_room, is_elsewhere), _walk, _walked),
    ActionForm(
        "grab",
        "grab {thing}",
        _objects,
        (is_object, is_not_in_hand, thing_in_reach, has_free_hand),
        _take,
        _took,
    ),
    ActionForm(
        "put",
        "put {thing} on {place}",
        _held_and_furniture,
        (is_object, is_in_hand, place_is_surface, place_in_reach),
        _put,
        _was_put,
    ),
    ActionForm(
        "put",
        "put {thing} in {place}",
        _held_and_holders,
        (
            is_object,
            is_in_hand,
            place_holds_things,
            place_is_another,
            place_in_reach,
            place_is_open,
            fits,
        ),
        _put,
        _was_put,
    ),
    ActionForm("drop", "drop {thing}", _held, (is_object, is_in_hand), _drop, _dropped),
    ActionForm(
        "open",
        "open {thing}",
        _furniture,
        (can_open, thing_in_reach, is_not("open")),
        _set("open"),
        _of_thing,
    ),
    ActionForm(
        "close",
        "close {thing}",
        _furniture,
        (can_open, thing_in_reach, is_not("closed")),
        _set("closed"),
        _of_thing,
    ),
    ActionForm(
        "switch_on",
        "switch on {thing}",
        _furniture,
        (can_switch, thing_in_reach, is_not("on")),
        _set("on"),
        _of_thing,
    ),
    ActionForm(
        "switch_off",
        "switch off {thing}",
        _furniture,
        (can_switch, thing_in_reach, is_not("off")),
        _set("off"),
        _of_thing,
    ),
    ActionForm("look", "look", _nothing, (), _keep, _of_nothing),
)
USEFUL_FORMS = tuple(form for form in FORMS if form.effect is not _keep)


# -- using the table ------------------------------------------------------------------------------------------------


def obstacle(state: State, actor: str, action: Action) -> str | None:
    """Return the sentence that says why `actor` cannot do this now, or None when it is legal."""
    for need in action.form.needs:
        if (problem := need(state, actor, action.arguments)) is not None:
            return problem
    return None


def legal_actions(state: State, actor: str, forms: tuple[ActionForm, ...] = USEFUL_FORMS) -> list[Action]:
    """Return all of a character's legal actions, in the table's and the house's order."""
    return [
        action
        for form in forms
        for arguments in form.candidates(state, actor)
        if obstacle(state, actor, action := Action(form, arguments)) is None
    ]


def act(state: State, actor: str, action: Action, t: int) -> tuple[State, Event, str | None]:
    """Do an action. Returns the state after, the event, and why it failed (None when it succeeded).

    An action that cannot be done leaves the state as it is; its event has succeeded=False and tells what was tried.
    `t` is the step's index.
    """
    form, on = action
    here = state.place[actor]
    if (problem := obstacle(state, actor, action)) is not None:
        seen_by = tuple(state.present(here))
        event = Event(
            t,
            actor,
            form.verb,
            on.thing or None,
            None,
            on.place or None,
            None,
            succeeded=False,
            seen_by=seen_by,
        )
        return state, event, problem
    after = form.effect(state, actor, on)
    seen_by = tuple(sorted({*state.present(here), *after.present(after.place[actor])}))
    return after, Event(t, actor, form.verb, *form.change(state, actor, on), seen_by=seen_by), None


def parse_form(text: str) -> tuple[ActionForm, Arguments] | None:
    """Return the row whose form a casefolded text has, with its arguments as written; None if there is none."""
    for form in FORMS:
        if match := form.pattern.fullmatch(text):
            return form, Arguments(**match.groupdict())
    return None


def parse(house: House, text: str) -> Action:
    """Read an action. Case and spacing do not matter; names must be those of this house.

    Raises:
        ActionError: the text has no action's form, or names what is not in this house.
    """
    if len(text) > MAX_ACTION_LENGTH:
        raise ActionError(f"An action has at most {MAX_ACTION_LENGTH} characters; this one has {len(text)}.")
    text = " ".join(text.split())
    found = parse_form(text.casefold())
    if found is None:
        forms = ", ".join(form.form.format(thing="THING", place="PLACE") for form in FORMS)
        raise ActionError(f"{text!r} is not an action; write one of these: {forms}.")
    form, written = found
    spoken = house.spoken
    for name in written:
        if name and name not in spoken:
            mend = nearest(name, spoken.values()).strip() or "Choose a name from the observation."
            raise ActionError(f"There is no {name!r} in this house; {mend[0].lower()}{mend[1:]}")
    return Action(form, Arguments(*(spoken[name] if name else "" for name in written)))
