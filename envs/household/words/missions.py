"""Goals in English: what is to be true, and what somebody is to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from worldschool.envs.household.vocabulary import CHARACTER_NAMES, ROOMS, any_phrase, phrase
from worldschool.envs.household.words.wordings import ASKED, ASKING, ASKING_FOR_ACTIVITY, Choose, plainly
from worldschool.records import Predicate

CLASS = "class:"
STATE = "STATE:"
PEOPLE = "class:character"
_ADJECTIVES = {"plugged_in": "plugged in", "plugged_out": "unplugged", "lying": "lying down"}
_POSTURES = {"STATE:sitting": "sit", "STATE:lying": "lie"}


def goal_text(predicates: Sequence[Predicate]) -> str:
    """Return what is to be true: "the apple is on the desk and the lamp is on"."""
    return joined([_statement(predicate) for predicate in predicates])


def goal_instruction(predicates: Sequence[Predicate], actor: str, choose: Choose = plainly) -> str:
    """Return what `actor` is to do: "Put the apple on the desk and turn on the lamp."; empty without predicates.

    Args:
        predicates: the goal's.
        actor: who is told; what others are to do is told as "have Mary sit down".
        choose: picks the wordings.
    """
    told = joined([_instruction(predicate, actor, choose) for predicate in predicates])
    if not told:
        return ""
    return choose(ASKING).format(told=told, Told=upper(told), wanted=goal_text(predicates))


def activity_instruction(
    name: str, predicates: Sequence[Predicate], actor: str, choose: Choose = plainly
) -> str:
    """Return an activity and what it takes: "Set the table: put the plate and the fork on the dining table."

    Args:
        name: what the activity is called, as one would tell it to somebody: "set the table".
        predicates: its goal's.
        actor: who is told.
        choose: picks the wordings.
    """
    told = joined(
        [_told(subjects, predicate, actor, choose) for subjects, predicate in _merged(predicates, actor)]
    )
    parts = {"told": told, "Told": upper(told), "wanted": goal_text(predicates)}
    return choose(ASKING_FOR_ACTIVITY).format(activity=name, Activity=upper(name), **parts)


def _merged(predicates: Sequence[Predicate], actor: str) -> Iterator[tuple[list[str], Predicate]]:
    """Yield predicates that can be told in one, with their subjects: what is put in one place, who rests on what."""
    left = list(predicates)
    posture = next((name for name, one, _ in left if one == actor and name in _POSTURES), None)
    seat = next((target for name, one, target in left if one == actor and name == "ON"), None)
    if posture and seat:
        left = [one for one in left if one not in ((posture, actor, None), ("ON", actor, seat))]
    while left:
        name, subject, target = left[0]
        like = [one for one in left if one == left[0] or _can_be_told_with(one, left[0])]
        left = [one for one in left if one not in like]
        yield [one[1] for one in like], (name, subject, target)
    if posture and seat:
        yield [actor], (_POSTURES[posture], actor, seat)


def _can_be_told_with(one: Predicate, first: Predicate) -> bool:
    return (one[0], one[2]) == (first[0], first[2]) and not is_person(one[1])


def _told(subjects: Sequence[str], predicate: Predicate, actor: str, choose: Choose) -> str:
    name, _, target = predicate
    if name in _POSTURES.values():
        return choose(ASKED[name]).format(y=_argument(target or ""))
    return _instruction(predicate, actor, choose, joined([_argument(subject) for subject in subjects]))


def is_person(argument: str) -> bool:
    """Return whether a predicate's argument is a character, or any character."""
    return argument in CHARACTER_NAMES or argument == PEOPLE


def _statement(predicate: Predicate) -> str:
    name, subject, target = predicate
    first, second = _argument(subject), _argument(target or "")
    if name.startswith(STATE):
        state = name.removeprefix(STATE)
        return f"{first} is {_ADJECTIVES.get(state, state)}"
    if name == "ON" and is_person(target or ""):
        return f"{second} is wearing {first}"
    link = {"ON": "is on", "INSIDE": "is in", "HOLDS": "is holding", "AT": "is in"}[name]
    return f"{first} {link} {second}"


def _instruction(predicate: Predicate, actor: str, choose: Choose, subjects: str = "") -> str:
    name, subject, target = predicate
    first, second = subjects or _argument(subject), _argument(target or "")
    doer = target if name == "ON" and is_person(target or "") else subject
    told = choose(ASKED[_asked(predicate)]).format(x=first, y=second)
    return f"have {_argument(doer or '')} {told}" if is_person(doer or "") and doer != actor else told


def _asked(predicate: Predicate) -> str:
    """Return which of the wordings `ASKED` a predicate is told in."""
    name, subject, target = predicate
    if name.startswith(STATE):
        return name.removeprefix(STATE)
    if name == "ON" and is_person(target or ""):
        return "wear"
    if name == "ON" and is_person(subject):
        return "rest"
    # Carrying a thing into a room already makes this true; "put" would promise more.
    return "INSIDE room" if name == "INSIDE" and target in (*ROOMS, f"{CLASS}room") else name


def _argument(argument: str) -> str:
    if argument == PEOPLE:
        return "someone"
    if argument.startswith(CLASS):
        return any_phrase(argument.removeprefix(CLASS))
    return phrase(argument) if argument else ""


def upper(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def joined(parts: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
