"""The cells of a grid as MiniGrid's objects, kept in step with a household."""

from __future__ import annotations

from minigrid.core.world_object import Wall, WorldObj

from worldschool.envs.household.floorplan import Cell
from worldschool.envs.household.grid.floor import Floor
from worldschool.envs.household.grid.moves import GridHousehold
from worldschool.envs.household.grid.objects import Doorway, Furniture, Person, RoomFloor, Thing, state_bits
from worldschool.envs.household.grid.pictures import Shown, Tile
from worldschool.envs.household.grid.view import HouseholdGrid


class Scenery:
    """A grid for one house: walls, floors and furniture stay, what is to be seen of them changes.

    Args:
        floor: of the house.
        width, height: cells of the grid, at least the plan's; what is beyond the plan is None.

    Attributes:
        grid: the cells, as `show` left them.
    """

    def __init__(self, floor: Floor, width: int, height: int) -> None:
        house = floor.house
        self.grid = HouseholdGrid(width, height)
        for x in range(house.plan.width):
            for y in range(house.plan.height):
                self.grid.set(x, y, Wall())
        self._bare: dict[Cell, WorldObj] = {cell: Doorway() for cell in floor.doors}
        floors = {room: RoomFloor(room) for room in house.rooms}
        self._bare |= {cell: floors[house.names[room]] for cell, room in floor.room_at.items()}
        for cell, obj in self._bare.items():
            self.grid.set(*cell, obj)
        self._pieces: dict[str, Furniture] = {}
        for name, class_, room in house.furniture:
            copy = int(name.removeprefix(class_) or 1) - 1
            self._pieces[name] = Furniture(class_, copy, room)
            self.grid.set(*floor.cell_of[house.place_of[name]], self._pieces[name])
        self._covered: set[Cell] = set()
        self._shown_last: tuple[object, ...] = ()

    def show(self, life: GridHousehold) -> None:
        """Bring the grid in step with the household: states, what is in and on furniture and the floor, who is there."""
        # Most moves are steps and turns of the agent, which change nothing here.
        now = (life.where_and_how(), life.floor.to_json()[1], tuple(life.floor.poses[1:]))
        if now == self._shown_last:
            return
        self._shown_last = now
        view = life.engine.view
        for name, piece in self._pieces.items():
            contents = view.contents.get(name, {})
            reach = life.within_reach(name)
            on = set(contents.get("ON", ()))
            piece.show(
                Tile(
                    room=piece.tile.room,
                    furniture=piece.type,
                    name=name,
                    state=state_bits(view.states(name), len(reach)),
                    things=self._shown(life, [thing for thing in reach if thing in on]),
                    inside=self._shown(life, [thing for thing in reach if thing not in on]),
                )
            )
        for cell in self._covered:
            self.grid.set(*cell, self._bare[cell])
        self._covered = set(life.floor.lying.values())
        for cell in self._covered:
            self.grid.set(*cell, self._lying(life, cell))
        self._put_people(life)
        self.grid.held = self._shown(life, life.hands(0))

    def _put_people(self, life: GridHousehold) -> None:
        floor = life.floor
        for number in range(1, len(floor.poses)):
            x, y, direction = floor.poses[number]
            held = self._shown(life, life.hands(number))
            initial = floor.house.characters[number][0]
            self.grid.set(x, y, Person(number, initial, direction, held, self._room(floor, (x, y))))
            self._covered.add((x, y))

    def _lying(self, life: GridHousehold, cell: Cell) -> Thing:
        names = [life.floor.house.names[thing] for thing in life.floor.things_at(cell)]
        first, *more = self._shown(life, names)
        return Thing(first, self._room(life.floor, cell), more)

    @staticmethod
    def _room(floor: Floor, cell: Cell) -> str:
        return floor.house.names[floor.room_at[cell]] if cell in floor.room_at else ""

    @staticmethod
    def _shown(life: GridHousehold, names: list[str]) -> tuple[Shown, ...]:
        view, house = life.engine.view, life.floor.house
        return tuple(
            Shown(house.class_of[name], state_bits(view.states(name), len(life.within_reach(name))))
            for name in names
        )
