"""Reading actions that are not in the exact form: synonyms, articles, ordinals, VirtualHome's program lines.

A text may be read in several ways; it is for the caller to know which of them is about things that are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from worldschool.envs.household.forms import FORMS, NUMBER

SYNONYMS: dict[str, str] = {
    "walk to {place}": "go to {place}, go into {place}, go over to {place}, go {place}, move to {place}, run to {place}, "
    "walk into {place}, walk up to {place}, walk over to {place}, walk towards {place}, walk {place}, enter {place}, "
    "approach {place}, head to {place}, return to {place}, step up to {place}",
    "grab {thing}": "pick up {thing}, pick {thing} up, pick {thing}, take {thing}, take {thing} from {place}, "
    "take {thing} out of {place}, grab {thing} from {place}, pick up {thing} from {place}, get {thing}, "
    "get {thing} from {place}, remove {thing} from {place}, pick up {thing} from the floor, take {thing} from the floor, get hold of {thing}, collect {thing}, fetch {thing}, lift {thing}, hold {thing}",
    "put {thing} on {place}": "put {thing} onto {place}, put {thing} on top of {place}, place {thing} on {place}, "
    "place {thing} onto {place}, place {thing} on top of {place}, set {thing} on {place}, lay {thing} on {place}, "
    "set {thing} down on {place}, put {thing} down on {place}, leave {thing} on {place}, putback {thing} on {place}, "
    "put {thing} back on {place}, put down {thing} on {place}, hang {thing} on {place}",
    "put {thing} in {place}": "put {thing} into {place}, put {thing} inside {place}, put {thing} back in {place}, "
    "place {thing} in {place}, place {thing} into {place}, place {thing} inside {place}, store {thing} in {place}, "
    "insert {thing} into {place}, insert {thing} in {place}, leave {thing} in {place}, throw {thing} in {place}, "
    "throw {thing} into {place}, drop {thing} in {place}, drop {thing} into {place}, load {thing} into {place}, "
    "pack {thing} in {place}, pack {thing} into {place}, putin {thing} in {place}",
    "drop {thing}": "put down {thing}, put {thing} down, set down {thing}, set {thing} down, let go of {thing}, "
    "release {thing}, drop {thing} on the floor, put {thing} on the floor, leave {thing} here, leave {thing}",
    "open {thing}": "open up {thing}, pull open {thing}, pull {thing} open",
    "close {thing}": "shut {thing}, push {thing} shut, close up {thing}",
    "switch on {thing}": "turn on {thing}, turn {thing} on, switch {thing} on, activate {thing}, start {thing}, "
    "power on {thing}, light {thing}",
    "switch off {thing}": "turn off {thing}, turn {thing} off, switch {thing} off, deactivate {thing}, stop {thing}, "
    "power off {thing}, put out {thing}",
    "plug in {thing}": "plug {thing} in, plug {thing}, connect {thing}",
    "unplug {thing}": "plug out {thing}, plug {thing} out, disconnect {thing}, pull the plug of {thing}",
    "pour {thing} into {place}": "pour {thing} in {place}, empty {thing} into {place}, fill {place} with {thing}",
    "wash {thing}": "wash up {thing}, clean {thing}, clean up {thing}",
    "wipe {thing}": "wipe down {thing}, wipe off {thing}, wipe {thing} clean, clean {thing}, clean up {thing}, "
    "dust {thing}",
    "wear {thing}": "put on {thing}, ?put {thing} on, slip on {thing}, get dressed in {thing}, dress in {thing}",
    "take off {thing}": "take {thing} off, remove {thing}, slip off {thing}, get out of {thing}",
    "sit on {thing}": "sit down on {thing}, sit down in {thing}, sit in {thing}, take a seat on {thing}, "
    "take a seat in {thing}, sit {thing}, settle on {thing}",
    "lie on {thing}": "lie down on {thing}, lie down in {thing}, lie in {thing}, lay down on {thing}, "
    "stretch out on {thing}, lie {thing}",
    "stand up": "stand, get up, rise",
    "turn to {thing}": "turn towards {thing}, turn toward {thing}, face {thing}, look towards {thing}",
    "look at {thing}": "examine {thing}, inspect {thing}, have a look at {thing}",
    "point at {thing}": "point to {thing}",
    "watch {thing}": "keep an eye on {thing}",
    "read {thing}": "read from {thing}, leaf through {thing}",
    "eat {thing}": "eat from {thing}, eat some of {thing}, have a bite of {thing}, taste {thing}",
    "drink {thing}": "drink from {thing}, take a sip from {thing}, sip {thing}",
    "cut {thing}": "slice {thing}, cut up {thing}, chop {thing}",
    "squeeze {thing}": "press {thing}",
    "rinse {thing}": "rinse off {thing}",
    "scrub {thing}": "scour {thing}",
    "touch {thing}": "tap {thing}, feel {thing}",
    "type on {thing}": "type {thing}, type something on {thing}",
    "push {thing}": "give {thing} a push",
    "pull {thing}": "tug at {thing}",
    "move {thing}": "shift {thing}",
    "greet {thing}": "say hello to {thing}, talk to {thing}",
    "sleep": "fall asleep, go to sleep",
    "wake up": "wake, awake",
    "look": "look around, glance around, look about, wait, do nothing",
}
"""A form to other ways of writing it, parted by commas. Not every verb of English: those that people and models use.

A way that begins with ? may also be the beginning of something else, and is read so only where it can be done.
"""

_NOISE = re.compile(
    r"^(?:(?:action\s*:|next\s*:|>|-|please|then|now|next|and|i will|i'll|i|you|we|let me|let's)[\s,]+)+"
)
_ARTICLE = re.compile(r"^(?:the|a|an|my|your|some|this|that)\s+")
_NUMBERS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINALS = {word: str(number) for number, word in enumerate(_NUMBERS, start=2)} | {
    f"{number}{'nd' if number == 2 else 'rd' if number == 3 else 'th'}": str(number)
    for number in range(2, 21)
}
_PROGRAM_LINE = re.compile(r"(?:<char\d+>\s*)?\[(\w+)\]((?:\s*<[^<>]+>\s*\(\s*\d+\s*\))*)")
_PROGRAM_ARGUMENT = re.compile(r"<([^<>]+)>\s*\(\s*(\d+)\s*\)")


class Reading(NamedTuple):
    """One way to read a text."""

    form: int
    """Row of `forms.FORMS`."""
    names: tuple[str, ...]
    """What it is about, as the form orders it: names that `known` gave."""
    certain: bool = True
    """Whether it is so meant even where it can never be done."""


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], int, bool]]:
    """Return every way of writing an action, the number of its form, and whether that is certain; exact forms first."""
    found = [(form.pattern, number, True) for number, form in enumerate(FORMS)]
    for form, ways in SYNONYMS.items():
        for way in ways.split(", "):
            pattern = way.lstrip("?").format(thing="(?P<thing>.+)", place="(?P<place>.+)")
            found.append((re.compile(pattern), NUMBER[form], not way.startswith("?")))
    return found


def readings(text: str, known: Callable[[str], str | None]) -> Iterator[Reading]:
    """Yield the ways to read an action that is about known things, the likeliest first.

    Args:
        text: as somebody wrote it.
        known: takes a casefolded name ("apple 2") and returns the name as it is written, or None if there is no such thing.
    """
    folded = " ".join(text.split()).casefold()
    if line := _PROGRAM_LINE.fullmatch(folded):
        yield from _of_program(line.group(1), line.group(2), known)
        return
    folded = _NOISE.sub("", folded).rstrip(" .!;")
    for pattern, number, certain in _patterns():
        match = pattern.fullmatch(folded)
        if match is None:
            continue
        named = {group: _named(written, known) for group, written in match.groupdict().items()}
        # Of an action with one argument it may be a {thing} or a {place}; where it was taken from is not needed.
        names = [named[group] for group in ("thing", "place") if group in named][: FORMS[number].arity]
        if None not in named.values():
            yield Reading(number, tuple(name or "" for name in names), certain)


def _named(written: str, known: Callable[[str], str | None]) -> str | None:
    """Return the name that "the second apple", "2nd apple", "apple #2" or "my apple" stands for; None if unknown."""
    name = _ARTICLE.sub("", written)
    first, _, rest = name.partition(" ")
    for candidate in (written, name, re.sub(r"\s*(?:#|number |no\. ?)(?=\d)", " ", name)):
        if (found := known(candidate)) is not None:
            return found
    if first in _ORDINALS:
        return known(f"{rest} {_ORDINALS[first]}")
    return known(rest) if first in ("first", "1st") else known(re.sub(r" 1$", "", name))


def _of_program(action: str, arguments: str, known: Callable[[str], str | None]) -> Iterator[Reading]:
    """Yield the form of a program line such as "[putin] <apple> (2) <fridge> (1)"."""
    names = []
    for class_, number in _PROGRAM_ARGUMENT.findall(arguments):
        stem = class_.strip().replace("_", " ")
        names.append(known(stem if number == "1" else f"{stem} {number}"))
    for number, form in enumerate(FORMS):
        if form.row.casefold() == action and form.arity == len(names) and None not in names:
            yield Reading(number, tuple(name or "" for name in names))
