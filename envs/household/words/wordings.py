"""The household's wordings: one table for each thing that is said, the first wording of each being the plain one.

How one is chosen is a function (`Choose`), so that plain text draws nothing, stories draw by the generator they are given,
and observations by the state that they tell of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

Choose: TypeAlias = Callable[[Sequence[str]], str]
"""Takes wordings, returns one."""


def plainly(wordings: Sequence[str]) -> str:
    """Return the plain wording."""
    return wordings[0]


def by_state(*state: bytes) -> Choose:
    """Return a choice that depends on a state and on how many wordings were chosen before, and on nothing else."""
    key = hashlib.blake2b(b"|".join(state), digest_size=16).digest()
    count = 0

    def choose(wordings: Sequence[str]) -> str:
        nonlocal count
        count += 1
        number = hashlib.blake2b(key + count.to_bytes(4, "big"), digest_size=8).digest()
        return wordings[int.from_bytes(number, "big") % len(wordings)]

    return choose


# -- observations: names stay exact and lists stay lists, so that what is read can be acted on --------------------------

SEEN: dict[str, tuple[str, ...]] = {
    "you": (
        "You are {me}, in the {room}{posture}.",
        "{me}, you are in the {room}{posture}.",
        "You are in the {room}, {me}{posture}.",
        "This is the {room}, and you are {me}{posture}.",
    ),
    "state": (
        "The {name} is {states}.",
        "The {name} here is {states}.",
        "You see that the {name} is {states}.",
    ),
    "on": (
        "On the {name}: {things}.",
        "On the {name} you see: {things}.",
        "Lying on the {name}: {things}.",
        "The {name} has on it: {things}.",
    ),
    "on, empty": (
        "On the {name}: nothing.",
        "There is nothing on the {name}.",
        "The {name} has nothing on it.",
    ),
    "in": (
        "In the {name}: {things}.",
        "Inside the {name}: {things}.",
        "The {name} contains: {things}.",
    ),
    "in, empty": ("In the {name}: nothing.", "The {name} is empty.", "There is nothing in the {name}."),
    "there": ("There is {one}.", "You see {one}.", "Here is {one}."),
    "floor": ("On the floor: {things}.", "Lying on the floor: {things}.", "The floor has on it: {things}."),
    "person": (
        "{who} is here{posture}{holding}.",
        "{who} is in the room{posture}{holding}.",
        "You see {who}{posture}{holding}.",
    ),
    "hold": ("You hold: {things}.", "You are holding: {things}.", "In your hands: {things}."),
    "hold, empty": ("You hold: nothing.", "You are holding nothing.", "Your hands are empty."),
    "wear": ("You wear: {things}.", "You are wearing: {things}.", "You are dressed in: {things}."),
    "close": (
        "You are close to: {things}.",
        "You are standing close to: {things}.",
        "Close to you: {things}.",
    ),
    "close, empty": (
        "You are close to: nothing.",
        "You are close to nothing.",
        "There is nothing close to you.",
    ),
    "rooms": (
        "Other rooms: {rooms}.",
        "The other rooms: {rooms}.",
        "The house also has: {rooms}.",
        "You can go to: {rooms}.",
    ),
    "room": ("The {room}:", "In the {room}:", "Elsewhere, in the {room}:"),
}

# -- stories ------------------------------------------------------------------------------------------------------------

TELLINGS: dict[str, tuple[str, ...]] = {
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
    "approach": ("went over to {object}", "stepped up to {object}", "walked up to {object}"),
    "plug_in": ("plugged in {object}", "connected {object}", "put in the plug of {object}"),
    "unplug": ("unplugged {object}", "disconnected {object}", "pulled the plug of {object}"),
    "pour INSIDE": ("poured {object} into {target}", "emptied {object} into {target}"),
    "wash": ("washed {object}", "cleaned {object}", "gave {object} a wash"),
    "wipe": ("wiped {object}", "wiped down {object}", "wiped {object} clean"),
    "wear": ("put on {object}", "slipped on {object}", "got dressed in {object}"),
    "take_off": ("took off {object}", "slipped off {object}", "got out of {object}"),
    "sit": ("sat down on {object}", "took a seat on {object}", "settled on {object}"),
    "lie": ("lay down on {object}", "stretched out on {object}"),
    "stand_up": ("stood up", "got up", "got to their feet"),
    "turn": ("turned to {object}", "turned towards {object}", "faced {object}"),
    "look_at": ("looked at {object}", "examined {object}", "had a look at {object}"),
    "point_at": ("pointed at {object}", "pointed to {object}"),
    "watch": ("watched {object}", "kept an eye on {object}"),
    "read": ("read {object}", "leafed through {object}", "had a read of {object}"),
    "eat": ("ate some of {object}", "had a bite of {object}", "tasted {object}"),
    "drink": ("drank from {object}", "took a sip from {object}"),
    "cut": ("cut {object}", "sliced {object}", "cut up {object}"),
    "squeeze": ("squeezed {object}", "pressed {object}"),
    "rinse": ("rinsed {object}", "rinsed off {object}", "gave {object} a rinse"),
    "scrub": ("scrubbed {object}", "scoured {object}"),
    "touch": ("touched {object}", "tapped {object}"),
    "type": ("typed on {object}", "typed something on {object}"),
    "push": ("pushed {object}", "gave {object} a push"),
    "pull": ("pulled {object}", "tugged at {object}"),
    "move": ("moved {object}", "shifted {object}"),
    "greet": ("greeted {object}", "said hello to {object}"),
    "sleep": ("slept", "fell asleep"),
    "wake_up": ("woke up", "awoke"),
}
"""Verb, with what else decides the words, to what somebody did."""

BARE_TELLINGS: dict[str, str] = {"walk": "walked to {target}", "approach": "walked to {object}",
                                 "grab": "grabbed {object}", "grab from": "grabbed {object} from {source}",
                                 "switch_on": "switched on {object}", "switch_off": "switched off {object}",
                                 "turn": "turned to {object}"}  # fmt: skip
"""Style "e2wm": what differs from the plain telling, apart from articles; the verbs are those of its plans."""

# -- instructions ---------------------------------------------------------------------------------------------------------

ORDERS: dict[str, tuple[str, ...]] = {
    "walk to {place}": ("walk to {place}", "go to {place}", "move to {place}"),
    "grab {thing}": ("pick up {thing}", "grab {thing}", "take {thing}"),
    "put {thing} on {place}": (
        "put {thing} on {place}",
        "place {thing} on {place}",
        "set {thing} on {place}",
    ),
    "put {thing} in {place}": (
        "put {thing} in {place}",
        "place {thing} in {place}",
        "put {thing} into {place}",
    ),
    "drop {thing}": ("drop {thing}", "put down {thing}"),
    "open {thing}": ("open {thing}", "open up {thing}"),
    "close {thing}": ("close {thing}", "shut {thing}"),
    "switch on {thing}": ("turn on {thing}", "switch on {thing}"),
    "switch off {thing}": ("turn off {thing}", "switch off {thing}"),
    "plug in {thing}": ("plug in {thing}", "connect {thing}"),
    "unplug {thing}": ("unplug {thing}", "disconnect {thing}"),
    "pour {thing} into {place}": ("pour {thing} into {place}", "empty {thing} into {place}"),
    "wear {thing}": ("wear {thing}", "put on {thing}"),
    "take off {thing}": ("take off {thing}", "slip off {thing}"),
    "sit on {thing}": ("sit on {thing}", "sit down on {thing}", "take a seat on {thing}"),
    "lie on {thing}": ("lie on {thing}", "lie down on {thing}"),
    "stand up": ("stand up", "get up"),
    "look": ("look around", "glance around"),
}
"""A form of action to how it is told to somebody; forms that are not here are told as they are written."""

# -- goals ----------------------------------------------------------------------------------------------------------------

ASKED: dict[str, tuple[str, ...]] = {
    "ON": ("put {x} on {y}", "place {x} on {y}", "set {x} on {y}"),
    "INSIDE": ("put {x} in {y}", "place {x} in {y}", "store {x} in {y}"),
    "INSIDE room": ("bring {x} to {y}", "take {x} to {y}", "carry {x} to {y}"),
    "HOLDS": ("pick up {y}", "take {y}", "get hold of {y}"),
    "AT": ("go to {y}", "walk to {y}", "move to {y}"),
    "wear": ("put on {x}", "wear {x}", "get dressed in {x}"),
    "rest": ("take a seat on {y}", "sit or lie down on {y}"),
    "sit": ("sit down on {y}", "sit on {y}"),
    "lie": ("lie down on {y}", "lie on {y}"),
    "sitting": ("sit down", "take a seat"),
    "lying": ("lie down", "stretch out"),
    "open": ("open {x}", "leave {x} open", "have {x} open"),
    "closed": ("close {x}", "shut {x}", "leave {x} closed"),
    "on": ("turn on {x}", "switch on {x}", "have {x} running"),
    "off": ("turn off {x}", "switch off {x}", "leave {x} off"),
    "plugged_in": ("plug in {x}", "connect {x}"),
    "plugged_out": ("unplug {x}", "disconnect {x}"),
    "clean": ("clean {x}", "get {x} clean"),
    "dirty": ("leave {x} dirty", "do not clean {x}"),
}
"""What a goal asks for to how somebody is told to do it."""

ASKING: tuple[str, ...] = (
    "{Told}.",
    "Please {told}.",
    "Your task is to {told}.",
    "You are to {told}.",
    "Make sure that {wanted}.",
)
ASKING_FOR_ACTIVITY: tuple[str, ...] = (
    "{Activity}: {told}.",
    "Please {activity}: {told}.",
    "Your task is to {activity}. {Told}.",
    "It is time to {activity}. {Told}.",
    "You are to {activity}, which is done when {wanted}.",
)
