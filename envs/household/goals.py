"""Goals: checking what they name, whether they hold, saying them in English, and drawing ones that can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from worldschool.envs.household.state import House, State
from worldschool.envs.household.vocabulary import ROOMS, any_phrase, phrase
from worldschool.errors import WorldError, nearest
from worldschool.records import Goal, Predicate

CLASS = "class:"
STATE = "STATE:"

# Kinds a predicate's subject and object may have. A predicate of other kinds could never hold.
_SUBJECT_KINDS: dict[str, tuple[str, ...]] = {
    "ON": ("object",),
    "INSIDE": ("object", "surface", "container", "switch"),
    "HOLDS": ("character",),
    "AT": ("character",),
    "STATE:open": ("container",),
    "STATE:closed": ("container",),
    "STATE:on": ("switch",),
    "STATE:off": ("switch",),
}
_OBJECT_KINDS: dict[str, tuple[str, ...]] = {
    "ON": ("surface",),
    "INSIDE": ("room", "container", "object"),
    "HOLDS": ("object",),
    "AT": ("room",),
}


# -- checking and holding -------------------------------------------------------------------------------------------


def check(house: House, goal: Goal) -> None:
    """Check that every predicate of a goal is one that could hold in this house.

    Raises:
        WorldError: a predicate is unknown, names what is not there, or relates things that never stand so.
    """
    for predicate in goal.predicates:
        name, subject, target = predicate
        if name not in _SUBJECT_KINDS:
            mend = f"Accepted: {', '.join(_SUBJECT_KINDS)}.{nearest(name, _SUBJECT_KINDS)}"
            raise WorldError(f"unknown predicate {name!r}", where="goal", mend=mend)
        _check_argument(house, predicate, subject, _SUBJECT_KINDS[name])
        if name in _OBJECT_KINDS:
            _check_argument(house, predicate, target, _OBJECT_KINDS[name])
        elif target is not None:
            raise WorldError(
                f"{name} takes no object, found {target!r}", where=f"goal {predicate}", mend="Give null."
            )


def _check_argument(house: House, predicate: Predicate, argument: str | None, kinds: Sequence[str]) -> None:
    where = f"goal {list(predicate)}"
    found = members(house, argument) if argument is not None else ()
    if not found:
        known = [*house.class_of, *(CLASS + class_ for class_ in dict.fromkeys(house.class_of.values()))]
        mend = nearest(argument or "", known).strip() or "Name an entity of this house, or class:NAME."
        raise WorldError(f"there is no {argument!r} in this house", where=where, mend=mend)
    if house.kind_of[found[0]] not in kinds:
        problem = f"{argument!r} is of kind {house.kind_of[found[0]]}"
        raise WorldError(problem, where=where, mend=f"{predicate[0]} takes here: {', '.join(kinds)}.")


def members(house: House, argument: str) -> tuple[str, ...]:
    """Return the entities an argument stands for: one by its name, or all of "class:apple"."""
    if argument.startswith(CLASS):
        class_ = argument.removeprefix(CLASS)
        return tuple(name for name, found in house.class_of.items() if found == class_)
    return (argument,) if argument in house.class_of else ()


def holds(state: State, predicate: Predicate) -> bool:
    """Return whether a predicate holds. INSIDE looks through all that a thing is in or on, up to the room."""
    name, subject, target = predicate
    subjects = members(state.house, subject)
    if name.startswith(STATE):
        return any(state.setting.get(one) == name.removeprefix(STATE) for one in subjects)
    targets = members(state.house, target or "")
    if name == "INSIDE":
        return any(
            place in targets and _encloses(state, place) for one in subjects for place in state.above(one)
        )
    if name == "HOLDS":
        return any(state.place.get(thing) in subjects for thing in targets)
    return any(state.place.get(one) in targets for one in subjects)


def _encloses(state: State, place: str) -> bool:
    return state.house.kind_of[place] in _OBJECT_KINDS["INSIDE"]


def all_hold(state: State, goal: Goal) -> bool:
    """Return whether a goal is reached; one without predicates never is."""
    return bool(goal.predicates) and all(holds(state, predicate) for predicate in goal.predicates)


# -- English --------------------------------------------------------------------------------------------------------


def goal_text(predicates: Sequence[Predicate]) -> str:
    """Return what is to be true: "the apple is on the desk and the lamp is on"."""
    return _joined([_statement(predicate) for predicate in predicates])


def goal_instruction(predicates: Sequence[Predicate], actor: str) -> str:
    """Return what `actor` is to do: "Put the apple on the desk and turn on the lamp."; empty without predicates."""
    text = _joined([_instruction(predicate, actor) for predicate in predicates])
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _statement(predicate: Predicate) -> str:
    name, subject, target = predicate
    first, second = _argument_phrase(subject), _argument_phrase(target or "")
    link = {"ON": "is on", "INSIDE": "is in", "HOLDS": "is holding", "AT": "is in"}.get(name)
    return f"{first} {link} {second}" if link else f"{first} is {name.removeprefix(STATE)}"


def _instruction(predicate: Predicate, actor: str) -> str:
    name, subject, target = predicate
    first, second = _argument_phrase(subject), _argument_phrase(target or "")
    if name in ("HOLDS", "AT"):
        told = f"pick up {second}" if name == "HOLDS" else f"go to {second}"
        return told if subject == actor else f"have {first} {told}"
    if name == "ON":
        return f"put {first} on {second}"
    if name == "INSIDE":
        # Carrying a thing into a room already makes this true; "put" would promise more.
        return f"bring {first} to {second}" if target in ROOMS else f"put {first} in {second}"
    verbs = {"STATE:open": "open", "STATE:closed": "close", "STATE:on": "turn on", "STATE:off": "turn off"}
    return f"{verbs[name]} {first}"


def _argument_phrase(argument: str) -> str:
    if argument.startswith(CLASS):
        return any_phrase(argument.removeprefix(CLASS))
    return phrase(argument) if argument else ""


def _joined(parts: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


# -- drawing --------------------------------------------------------------------------------------------------------

DRAW_WEIGHTS = {"ON": 3, "INSIDE": 3, "HOLDS": 1, "STATE": 2}
MOST_HELD = 2


def draw_goal(state: State, actor: str, size: int, rng: Random) -> Goal:
    """Draw a goal of up to `size` predicates, none true now, that `actor` can reach by its own actions.

    No two predicates move or set the same thing, and no more are to be held than there are hands, so all can hold at
    once. Fewer than `size` are drawn only when the house offers no more.
    """
    drawn: list[Predicate] = []
    while len(drawn) < size:
        offered = [one for one in _offers(state, actor) if not holds(state, one) and _agrees(one, drawn)]
        if not offered:
            break
        groups: dict[str, list[Predicate]] = {}
        for predicate in offered:
            groups.setdefault(predicate[0].partition(":")[0], []).append(predicate)
        kind = rng.choices(list(groups), [DRAW_WEIGHTS[name] for name in groups])[0]
        drawn.append(rng.choice(groups[kind]))
    goal = Goal("", tuple(drawn))
    return Goal(goal_instruction(goal.predicates, actor), goal.predicates)


def _offers(state: State, actor: str) -> list[Predicate]:
    """Return every predicate a goal may ask for, true now or not, in the house's order."""
    house = state.house
    offers: list[Predicate] = []
    for thing, _ in house.objects:
        offers.append(("HOLDS", actor, thing))
        offers += [("INSIDE", thing, room) for room in house.rooms]
        offers += [("INSIDE", thing, vessel) for vessel in house.vessels if house.fits(thing, vessel)]
        for place, _, _ in house.furniture:
            if house.kind_of[place] == "surface":
                offers.append(("ON", thing, place))
            elif house.kind_of[place] == "container":
                offers.append(("INSIDE", thing, place))
    for name in state.setting:
        if house.kind_of[name] == "container":
            offers.append(("STATE:open", name, None))
        else:
            offers += [("STATE:on", name, None), ("STATE:off", name, None)]
    return offers


def _agrees(predicate: Predicate, drawn: Sequence[Predicate]) -> bool:
    if _moved(predicate) in map(_moved, drawn):
        return False
    return predicate[0] != "HOLDS" or sum(other[0] == "HOLDS" for other in drawn) < MOST_HELD


def _moved(predicate: Predicate) -> str | None:
    """Return the thing a predicate asks to move or set."""
    return predicate[2] if predicate[0] == "HOLDS" else predicate[1]
