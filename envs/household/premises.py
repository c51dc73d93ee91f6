"""A house as the arrays that the compiled dynamics work on: its scene, what may be done in it, what may be drawn.

`SceneGraph` and `CompiledScene` read VirtualHome's files; a house is made of classes that are known beforehand, so its
arrays are picked from tables by class, a hundred times faster. A test holds both ways to the same arrays.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldschool.envs.household.classes import DIALECT, classes, node_of
from worldschool.envs.household.forms import EFFECTIVE, FORMS, Sort
from worldschool.envs.household.houses import House
from worldschool.envs.household.scene import draws
from worldschool.envs.household.scene.compiled import Layout, Rules, rules_of, state_names
from worldschool.envs.household.scene.draws import Chances
from worldschool.envs.household.scene.goals import (
    GOAL_AT,
    GOAL_HOLDS,
    GOAL_INSIDE,
    GOAL_KINDS,
    GOAL_ON,
    GOAL_STATE,
    GOAL_WIDTH,
)
from worldschool.envs.household.scene.graph import Edge, SceneGraph, states_word
from worldschool.envs.household.scene.memory import Scene, State, where_word
from worldschool.envs.household.scene.operations import CLOSE, DYNAMIC, HOLDS_LH, HOLDS_RH, INSIDE, ON
from worldschool.envs.household.vocabulary import ROOMS

CHARACTER, ROOM, PIECE, OBJECT = range(4)
PLACE_RELATIONS = (ON, INSIDE, ON, INSIDE, INSIDE, INSIDE)
PLACE_WEIGHTS = (4.0, 1.5, 2.0, 1.0, 1.0, 1.0)
"""Where a thing is at first: on furniture or in a container of a room where it belongs, of any room, in a vessel, on the
floor."""
OFFER_WEIGHTS = (3.0, 3.0, 1.0, 0.0, 2.0)
"""How often a drawn goal asks for ON, INSIDE, HOLDS, AT and a state."""
OFFERED_STATES = {"CAN_OPEN": ("OPEN", "CLOSED"), "HAS_SWITCH": ("ON", "OFF")}


SORTS: dict[Sort, Any] = {
    "anywhere": lambda of: of.kind >= CHARACTER,
    "any": lambda of: of.kind >= PIECE,
    "thing": lambda of: of.kind == OBJECT,
    "someone": lambda of: of.kind == CHARACTER,
    "surface": lambda of: of.classes.surface[of.numbers] & (of.kind >= PIECE),
    "furniture surface": lambda of: of.classes.surface[of.numbers] & (of.kind == PIECE),
    "holder": lambda of: of.classes.holder[of.numbers] & (of.kind >= PIECE),
    "vessel": lambda of: of.classes.vessel[of.numbers],
    "washable": lambda of: of.classes.washable[of.numbers],
    # A desk opens in some of VirtualHome's scenes; here only what is drawn open or closed does.
    "opening": lambda of: of.classes.adjustable[of.numbers] & draws.CAN_OPEN > 0,
}
"""What each sort of thing is, as a bool array over a house's things."""


class Premises:
    """One house, compiled.

    Attributes:
        house: what it was compiled from.
        rules: dialect house's.
        layout: where in a state's memory everything is.
        scene: what never changes.
        bare: uint64: the memory of the house with furniture and nothing else; never written to.
        candidates: int16 [c, 3]: every action that properties do not rule out, the effective ones first: row of the table,
            places of X and Y (-1: none), in the order of `forms.FORMS`.
        forms: int8 [c]: which row of `forms.FORMS` each candidate is.
        effective: how many of the candidates are of effective forms.
        chances: what may be drawn.
    """

    def __init__(self, house: House, places: int = 0) -> None:
        """Compile a house; with `places` as if it had so many things, for batches of houses of one shape."""
        self.house = house
        self.classes = classes()
        self.rules: Rules = rules_of(DIALECT)
        n = len(house.names)
        self.count = n
        words = -(-max(n, places) // 64)
        numbers = [self.classes.number[self._class(name)] for name in house.names]
        self.numbers = np.array(numbers)
        counts = (len(house.characters), len(house.rooms), len(house.furniture), len(house.objects))
        self.kind = np.repeat(np.arange(4), counts)
        self.kinds: list[int] = self.kind.tolist()
        self.layout = Layout.of_shape(words, symmetric=True)
        padded = max(n, places)
        self.scene = Scene(
            ids=np.arange(1, padded + 1),
            traits=self._trait_rows(words),
            slots=np.array(self.layout.slots, np.int64),
            block=self.layout.block,
            symmetric=1,
            holders=np.arange(len(house.characters)),
            seats=self._seats(padded),
            initial_states=np.zeros(padded, np.uint64),
            scratch=np.zeros(2 * 16 * padded, np.int64),
            stale=0,
            one_place=1,
        )
        self.bare = self._bare_memory(padded)
        self.forms, self.candidates = self._candidates()
        self.effective = int(np.count_nonzero(self.forms < EFFECTIVE))

    def _class(self, name: str) -> str:
        class_ = self.house.class_of[name]
        return name if class_ == "room" else class_

    def _trait_rows(self, words: int) -> NDArray[np.uint64]:
        rows = np.zeros((self.classes.traits.shape[1], words * 64), np.bool_)
        rows[:, : self.count] = self.classes.traits[self.numbers].T
        return np.packbits(rows, axis=1, bitorder="little").view(np.uint64)

    def _seats(self, places: int) -> NDArray[np.int64]:
        seats = np.ones((self.classes.seats.shape[1], places), np.int64)
        seats[:, : self.count] = self.classes.seats[self.numbers].T
        return seats

    def _bare_memory(self, places: int) -> NDArray[np.uint64]:
        memory = np.zeros(places * self.layout.block, np.uint64)
        place_of = self.house.place_of
        for name, _, room in self.house.furniture:
            self.put(memory, place_of[name], INSIDE, place_of[room])
        for one, other in self.house.plan.neighbours():
            self.link(memory, place_of[one], CLOSE, place_of[other])
        return memory

    def put(self, memory: NDArray[np.uint64], thing: int, relation: int, holder: int) -> None:
        """Give a thing that has none a place in a state's memory: its edge and its place word."""
        if relation in (HOLDS_RH, HOLDS_LH):
            self.link(memory, holder, relation, thing)
        else:
            self.link(memory, thing, relation, holder)
        memory[(thing + 1) * self.layout.block - 1] = where_word(holder, relation)

    def link(self, memory: NDArray[np.uint64], one: int, relation: int, other: int) -> None:
        """Add an edge to a state's memory."""
        slots, block = self.layout.slots, self.layout.block
        memory[one * block + slots[2 * relation] + (other >> 6)] |= np.uint64(1 << (other & 63))
        if slots[2 * relation + 1] >= 0:
            memory[other * block + slots[2 * relation + 1] + (one >> 6)] |= np.uint64(1 << (one & 63))

    def _candidates(self) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        sorts = {name: of(self) for name, of in SORTS.items()}
        size = self.classes.size[self.numbers]
        traits = self.classes.traits[self.numbers]
        forms, rows = [], []
        for number, form in enumerate(FORMS):
            if not form.row:
                continue
            action = self.rules.actions[form.row]
            if form.x is None:
                found = np.array([[action, -1, -1]])
            else:
                of_x = sorts[form.x] & self._passes(traits, action, argument=0)
                if form.y is None:
                    x = np.flatnonzero(of_x)
                    found = np.stack([np.full_like(x, action), x, np.full_like(x, -1)], axis=1)
                else:
                    of_y = sorts[form.y] & self._passes(traits, action, argument=1)
                    fits = np.outer(of_x, of_y) & (size[:, None] < size[None, :])
                    x, y = np.nonzero(fits)
                    found = np.stack([np.full_like(x, action), x, y], axis=1)
            rows.append(found)
            forms.append(np.full(len(found), number, np.int8))
        return np.concatenate(forms), np.concatenate(rows).astype(np.int16)

    def _passes(self, traits: NDArray[np.bool_], action: int, argument: int) -> NDArray[np.bool_]:
        """Return which things have the traits that an action's checks ask of X (0) or Y (1)."""
        passed = np.ones(self.count, np.bool_)
        for trait in self.rules.trait_checks(action, argument):
            passed &= traits[:, trait]
        return passed

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every candidate as text."""
        names = (*self.house.names, "")
        return tuple(
            FORMS[form].write(names[x], names[y])
            for form, (_, x, y) in zip(self.forms.tolist(), self.candidates.tolist(), strict=True)
        )

    @cached_property
    def by_text(self) -> dict[str, int]:
        """Casefolded text of a candidate to its index."""
        return {text.casefold(): index for index, text in enumerate(self.texts)}

    # -- what may be drawn ----------------------------------------------------------------------------------------------

    @cached_property
    def chances(self) -> Chances:
        """What may be drawn in this house."""
        starts, holders = self._holders()
        offers = self._offers()
        return Chances(
            movable=self._movable(),
            starts=starts,
            holders=holders,
            relations=np.array(PLACE_RELATIONS, np.int8),
            weights=np.array(PLACE_WEIGHTS),
            adjustable=self.classes.adjustable[self.numbers],
            people=len(self.house.characters),
            rooms=np.flatnonzero(self.kind == ROOM).astype(np.int16),
            offers=np.concatenate(offers).astype(np.int16).reshape(-1, GOAL_WIDTH),
            offer_starts=np.cumsum([0, *map(len, offers)]).astype(np.int32),
            offer_weights=np.array(OFFER_WEIGHTS),
        )

    def _movable(self) -> NDArray[np.int16]:
        """Return the objects' places, bigger ones first: what may hold others is put somewhere before them."""
        objects = np.flatnonzero(self.kind == OBJECT)
        return objects[np.argsort(-self.classes.size[self.numbers[objects]], kind="stable")].astype(np.int16)

    def _holders(self) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Return for each movable thing and kind of place where its holders begin, and all holders."""
        of = self.classes
        pieces, objects = self.kind == PIECE, self.kind == OBJECT
        size = of.size[self.numbers]
        surface = np.flatnonzero(pieces & of.surface[self.numbers])
        holder = np.flatnonzero(pieces & of.holder[self.numbers])
        vessels, floors = np.flatnonzero(objects & of.vessel[self.numbers]), np.flatnonzero(self.kind == ROOM)
        rooms = [ROOMS.index(room) for room in self.house.rooms]
        first_piece = len(self.house.characters) + len(self.house.rooms)
        room_of = [rooms[self.house.rooms.index(room)] for _, _, room in self.house.furniture]
        starts, holders = [], []
        end = 0
        for thing in self._movable().tolist():
            home = of.home[self.numbers[thing]]
            at_home = [
                [place for place in places.tolist() if home[room_of[place - first_piece]]]
                for places in (surface, holder)
            ]
            kinds = [*at_home, surface.tolist(), holder.tolist()]
            kinds += [vessels[size[vessels] > size[thing]].tolist(), floors.tolist()]
            bounds = [end]
            for places in kinds:
                holders += places
                bounds.append(bounds[-1] + len(places))
            end = bounds[-1]
            starts.append(bounds)
        shape = (-1, len(PLACE_RELATIONS) + 1)
        return np.array(starts, np.int32).reshape(shape), np.array(holders, np.int16)

    def _offers(self) -> list[NDArray[Any]]:
        """Return, for each kind of goal, the rows that may be asked for, true now or not."""
        found: list[list[tuple[int, int, int]]] = [[] for _ in range(GOAL_KINDS)]
        put_on, put_in = self.rules.actions["PUTBACK"], self.rules.actions["PUTIN"]
        for action, x, y in self.candidates[: self.effective].tolist():
            if action == put_on:
                found[GOAL_ON].append((GOAL_ON, x, y))
            elif action == put_in:
                found[GOAL_INSIDE].append((GOAL_INSIDE, x, y))
        objects, rooms = (
            np.flatnonzero(self.kind == OBJECT).tolist(),
            np.flatnonzero(self.kind == ROOM).tolist(),
        )
        found[GOAL_INSIDE] += [(GOAL_INSIDE, thing, room) for thing in objects for room in rooms]
        found[GOAL_HOLDS] = [(GOAL_HOLDS, 0, thing) for thing in objects]
        found[GOAL_AT] = [(GOAL_AT, 0, room) for room in rooms]
        adjustable = self.classes.adjustable[self.numbers]
        for thing in np.flatnonzero(adjustable & (draws.CAN_OPEN | draws.HAS_SWITCH)).tolist():
            which = adjustable[thing]
            names = OFFERED_STATES["CAN_OPEN"] * bool(which & draws.CAN_OPEN)
            names += OFFERED_STATES["HAS_SWITCH"] * bool(which & draws.HAS_SWITCH)
            found[GOAL_STATE] += [(GOAL_STATE, thing, states_word(name)) for name in names]
        return [np.array(rows, np.int64).reshape(-1, GOAL_WIDTH) for rows in found]

    # -- states and graphs ------------------------------------------------------------------------------------------------

    def new_state(self) -> State:
        """Return a state with the bare memory and no undo log."""
        return State(self.bare.copy(), np.zeros((0, 2), np.uint64), np.zeros(1, np.int64))

    def place_words(self, memory: NDArray[np.uint64]) -> list[int]:
        """Return the word that says where each thing is, or 0."""
        block = self.layout.block
        words: list[int] = memory[block - 1 : self.count * block : block].tolist()
        return words

    def state_words(self, memory: NDArray[np.uint64]) -> list[int]:
        """Return each thing's states as bits."""
        block = self.layout.block
        words: list[int] = memory[block - 3 : self.count * block : block].tolist()
        return words

    def graph(self, memory: NDArray[np.uint64]) -> SceneGraph:
        """Return a state as VirtualHome's scene graph: ids are places + 1, class names have underscores."""
        nodes = tuple(
            node_of(place + 1, name, self._class(name), state_names(word))
            for place, (name, word) in enumerate(zip(self.house.names, self.state_words(memory), strict=True))
        )
        edges: set[Edge] = set()
        for relation, kind in enumerate(DYNAMIC):
            for one, other in np.argwhere(self.layout.rows(memory, relation)).tolist():
                edges.add((one + 1, kind, other + 1))
        return SceneGraph(nodes, frozenset(edges))


@lru_cache(maxsize=256)
def premises_of(house: House) -> Premises:
    """Return a house compiled; the same house gives the same object while it is remembered."""
    return Premises(house)
