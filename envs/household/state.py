"""One moment of a house, read by name: where everything is, in what state, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.premises import CHARACTER, OBJECT, PIECE, ROOM, Premises
from worldschool.envs.household.scene.graph import STATES, states_word
from worldschool.envs.household.scene.operations import CLOSE, HOLDS_LH, HOLDS_RH, INSIDE, ON
from worldschool.records import Fact, Relation

HANDS = 2
RELATION_NAMES: dict[int, Relation] = {ON: "ON", INSIDE: "INSIDE", HOLDS_RH: "HOLDS", HOLDS_LH: "HOLDS"}
OPEN, CLOSED = states_word("OPEN"), states_word("CLOSED")
SITTING, LYING = states_word("SITTING"), states_word("LYING")
STATE_NAMES = tuple((1 << bit, name.lower()) for bit, name in enumerate(STATES))


class View:
    """A state's memory by name. It is read once; what is done afterwards does not show in it.

    Args:
        premises: the house.
        memory: of a state of it.
    """

    def __init__(self, premises: Premises, memory: NDArray[np.uint64]) -> None:
        self._premises = premises
        self._memory = memory
        self._places = premises.place_words(memory)
        self._states = premises.state_words(memory)
        self.house = premises.house
        self._names = premises.house.names

    def holder(self, name: str) -> str | None:
        """Return what a thing is in, on, worn or held by; None for a room."""
        word = self._places[self.house.place_of[name]]
        return self._names[(word - 1) >> 3] if word else None

    def relation(self, name: str) -> Relation:
        """Return how a thing stands to its holder: ON, INSIDE or HOLDS."""
        return RELATION_NAMES[(self._places[self.house.place_of[name]] - 1) & 7]

    def place(self, name: str) -> tuple[str, Relation]:
        """Return a thing's holder, and how it stands to it."""
        word = self._places[self.house.place_of[name]] - 1
        return self._names[word >> 3], RELATION_NAMES[word & 7]

    def above(self, name: str) -> Iterator[str]:
        """Yield what a thing is in, on or held by, then what that is in, up to the room."""
        place = self.house.place_of[name]
        while word := self._places[place]:
            place = (word - 1) >> 3
            yield self._names[place]

    def room_of(self, name: str) -> str:
        """Return the room a thing is in; a room is in itself."""
        return self._names[self._room(self.house.place_of[name])]

    def _room(self, place: int) -> int:
        while word := self._places[place]:
            place = (word - 1) >> 3
        return place

    def states(self, name: str) -> int:
        """Return a thing's states as bits (`scene.graph.states_word`)."""
        return self._states[self.house.place_of[name]]

    def has_state(self, name: str, word: int) -> bool:
        """Return whether a thing is in one of the states of a word."""
        return bool(self._states[self.house.place_of[name]] & word)

    @cached_property
    def contents(self) -> dict[str, dict[Relation, list[str]]]:
        """What is directly ON, INSIDE or held by each thing that has something, names sorted; characters left out."""
        found: dict[str, dict[Relation, list[str]]] = {}
        names, kinds = self._names, self._premises.kinds
        for place, word in enumerate(self._places):
            if word and kinds[place] == OBJECT:
                word -= 1
                of = found.setdefault(names[word >> 3], {})
                of.setdefault(RELATION_NAMES[word & 7], []).append(names[place])
        for of in found.values():
            for things in of.values():
                things.sort()
        return found

    def held(self, character: str) -> list[str]:
        """Return what is in a character's hands, sorted."""
        return self.contents.get(character, {}).get("HOLDS", [])

    def present(self, room: str) -> list[str]:
        """Return the characters in a room, sorted."""
        return sorted(name for name in self.house.characters if self.room_of(name) == room)

    def close_to(self, character: str) -> list[str]:
        """Return the things and furniture that a character stands beside, sorted; what it holds is left out."""
        layout, actor = self._premises.layout, self.house.place_of[character]
        start = actor * layout.block + layout.slots[2 * CLOSE]
        found = []
        for index, word in enumerate(self._memory[start : start + layout.words].tolist()):
            while word:
                place = 64 * index + (word & -word).bit_length() - 1
                word &= word - 1
                mine = (self._places[place] - 1) >> 3 == actor
                if self._premises.kinds[place] >= PIECE and not mine:
                    found.append(self._names[place])
        return sorted(found)

    def is_in_sight(self, thing: str, character: str) -> bool:
        """Return whether a character can see a thing: in its room, and in nothing closed."""
        above = list(self.above(thing))
        if (above[-1] if above else thing) != self.room_of(character):
            return False
        inside = zip([thing, *above], above, strict=False)
        return not any(
            self.relation(one) == "INSIDE" and self.has_state(place, CLOSED) for one, place in inside
        )

    def facts(self) -> tuple[Fact, ...]:
        """Return everything that holds, sorted: places of furniture and things, AT for characters, and states."""
        facts: list[Fact] = []
        names = self._names
        for place, word in enumerate(self._places):
            kind = self._premises.kinds[place]
            if kind == CHARACTER:
                facts.append(Fact(names[place], "AT", names[self._room(place)]))
            elif kind != ROOM:
                relation, holder = RELATION_NAMES[(word - 1) & 7], names[(word - 1) >> 3]
                if relation == "HOLDS":
                    facts.append(Fact(holder, "HOLDS", names[place]))
                else:
                    facts.append(Fact(names[place], relation, holder))
        for place, word in enumerate(self._states):
            facts += [Fact(names[place], "STATE", name) for bit, name in STATE_NAMES if word & bit]
        return tuple(sorted(facts, key=lambda fact: (fact.subject, fact.relation, fact.object)))
