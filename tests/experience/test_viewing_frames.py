"""Pictures of episodes: cut into blocks without loss, and houses drawn as they are."""

import base64
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worldschool.envs.world
from worldschool import envs
from worldschool.envs.household.grid.overview import TILE_PIXELS, Overview
from worldschool.envs.household.grid.pictures import PEOPLE
from worldschool.experience.viewing.drawing import make_drawn
from worldschool.experience.viewing.frames import BLOCK, BLOCKS_A_SHEET, SHEET_COLUMNS, FrameBook


def pixels_of(png):
    """Read an unfiltered 8-bit RGB PNG: uint8 [height, width, 3]."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(name + data),)
        parts[name], at = data, at + 12 + length
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def unpacked(packed, sheets):
    """Put an episode's pictures together as the page does."""
    row = packed.to_json()
    cells = row["width"] * row["height"]
    changes = np.frombuffer(zlib.decompress(base64.b64decode(row["data"])), "<u2").reshape(
        row["count"], cells
    )
    images = [pixels_of(sheet) for sheet in sheets]
    frames = []
    for numbers in np.cumsum(changes, axis=0, dtype=np.uint16):
        frame = np.zeros((row["height"] * BLOCK, row["width"] * BLOCK, 3), np.uint8)
        for cell, number in enumerate(numbers.tolist()):
            sheet, within = divmod(number, BLOCKS_A_SHEET)
            sy, sx = (BLOCK * part for part in divmod(within, SHEET_COLUMNS))
            y, x = (BLOCK * part for part in divmod(cell, row["width"]))
            frame[y : y + BLOCK, x : x + BLOCK] = images[sheet][sy : sy + BLOCK, sx : sx + BLOCK]
        frames.append(frame)
    return frames


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_pictures_come_back_as_they_were(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    height, width = (data.draw(st.integers(1, 130)) for _ in range(2))
    colours = rng.integers(0, 256, (data.draw(st.integers(1, 4)), 3), np.uint8)
    episodes = [
        [colours[rng.integers(0, len(colours), (height, width))] for _ in range(data.draw(st.integers(1, 4)))]
        for _ in range(2)
    ]
    book = FrameBook()
    packed = []
    for frames in episodes:
        for frame in frames:
            book.add(frame)
        packed.append(book.end())
    sheets = book.sheets(packed[-1].blocks)
    for frames, one in zip(episodes, packed, strict=True):
        found = unpacked(one, sheets)
        assert len(found) == len(frames)
        for frame, again in zip(frames, found, strict=True):
            assert (again[:height, :width] == frame).all()
            assert again.shape[0] - height < BLOCK and again.shape[1] - width < BLOCK


def test_a_block_is_kept_once():
    book, image = FrameBook(), np.zeros((2 * BLOCK, 3 * BLOCK, 3), np.uint8)
    book.add(image)
    size = book.size
    book.add(image)
    assert book.size == size and book.end().blocks == 1
    image = image.copy()
    image[0, 0] = 9
    book.add(image)
    assert book.end().blocks == 2


def test_many_blocks_fill_several_sheets():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (23 * BLOCK, 24 * BLOCK, 3), np.uint8)
    book = FrameBook()
    book.add(image)
    packed = book.end()
    sheets = book.sheets(packed.blocks)
    assert packed.blocks == 23 * 24 > BLOCKS_A_SHEET and len(sheets) == 2
    assert (unpacked(packed, sheets)[0] == image).all()
    assert sum(map(len, sheets)) * 4 // 3 <= packed.size


def test_a_picture_of_another_size_is_left_out():
    book = FrameBook()
    book.add(np.zeros((BLOCK, BLOCK, 3), np.uint8))
    book.add(np.zeros((BLOCK, 2 * BLOCK, 3), np.uint8))
    assert book.end().count == 1
    assert book.end() is None


# -- houses -----------------------------------------------------------------------------------------------------------


def cells_with(frame, colour):
    """The cells of a picture in which a colour fills a hundred pixels and more: (x, y)."""
    cells = frame.reshape(frame.shape[0] // TILE_PIXELS, TILE_PIXELS, -1, TILE_PIXELS, 3).swapaxes(1, 2)
    found = (cells == np.array(colour)).all(axis=-1).sum(axis=(2, 3)) > 100
    return {(int(x), int(y)) for y, x in np.argwhere(found)}


def lived(world, steps):
    world.reset(seed=3)
    for step in range(steps):
        yield world
        world.step(world.legal_actions()[(7 * step) % len(world.legal_actions())])
    yield world


@pytest.mark.parametrize("focus", [False, True])
def test_characters_are_drawn_in_their_rooms_beside_what_they_are_close_to(focus):
    world = envs.make("worldschool/Household-v0", characters=3, control="all", focus=focus, max_steps=99)
    near = far = 0
    for _ in lived(world, 20):
        drawing = Overview(world)
        frame = drawing.frame()
        view, plan = world.view, world.view.house.plan
        areas, furniture = dict(plan.areas), dict(plan.furniture)
        assert frame.shape == (plan.height * TILE_PIXELS, plan.width * TILE_PIXELS, 3)
        assert drawing.people() == view.house.characters
        for number, name in enumerate(view.house.characters):
            ((x, y),) = cells_with(frame, PEOPLE[number])
            assert (x, y) in areas[view.room_of(name)]
            close = [piece for piece in view.close_to(name) if piece in furniture]
            beside = [abs(x - furniture[piece][0]) + abs(y - furniture[piece][1]) == 1 for piece in close]
            near, far = near + any(beside), far + (bool(close) and not any(beside))
    assert near > 10 * far  # a place beside can be taken


def test_on_the_grid_everybody_is_where_the_grid_says():
    world = envs.make("worldschool/HouseholdGrid-v0", characters=2, moves="single", max_steps=99)
    for _ in lived(world, 20):
        frame = Overview(world).frame()
        for number, (x, y, _) in enumerate(world.life.floor.poses):
            assert cells_with(frame, PEOPLE[number]) == {(x, y)}


def test_equal_states_give_equal_pictures_and_others_others():
    world = envs.make("worldschool/Household-v0", characters=2, control="all", max_steps=99)
    pictures = {}
    drawing = Overview(world)
    for _ in lived(world, 60):
        state = world.view.facts()
        closeness = tuple(tuple(world.view.close_to(name)) for name in world.view.house.characters)
        frame = drawing.frame().tobytes()
        assert pictures.setdefault((state, closeness), frame) == frame
    assert len(set(pictures.values())) > len(pictures) / 2 > 5
    snapshot, frame = world.snapshot(), drawing.frame()
    other = envs.make("worldschool/Household-v0", characters=2, control="all", max_steps=99)
    other.restore(snapshot)
    assert (Overview(other).frame() == frame).all()


def test_what_is_in_closed_furniture_is_not_seen():
    world = envs.make("worldschool/Household-v0", focus=True, objects=(6, 6), max_steps=99)
    for seed in range(30):
        world.reset(seed=seed)
        shut = [
            piece
            for piece, *_ in world.view.house.furniture
            if world.view.contents.get(piece, {}).get("INSIDE")
        ]
        shut = [piece for piece in shut if f"open {piece}" in _opened(world, piece)]
        if shut:
            break
    (piece,) = shut
    x, y = dict(world.view.house.plan.furniture)[piece]
    tile = np.s_[y * TILE_PIXELS : (y + 1) * TILE_PIXELS, x * TILE_PIXELS : (x + 1) * TILE_PIXELS]
    before = Overview(world).frame()[tile]
    thing = world.view.contents[piece]["INSIDE"][0]
    world.step(f"open {piece}")
    with_thing = Overview(world).frame()[tile]
    world.step(f"grab {thing}")
    without = Overview(world).frame()[tile]
    assert (before != with_thing).any() and (with_thing != without).any()
    world.step(f"close {piece}")
    assert (Overview(world).frame()[tile] == before).all()


def _opened(world, piece):
    """Walk to a piece of furniture; what can be done there."""
    world.step(f"walk to {piece}")
    return world.legal_actions()


# -- any world ----------------------------------------------------------------------------------------------------------


def test_a_world_that_renders_is_drawn_by_its_own_pictures(registered_fake, fakes, monkeypatch):
    class Painted(fakes.CorridorWorld):
        metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

        def __init__(self, *, render_mode=None, **config):
            super().__init__(**config)
            self.render_mode = render_mode

        def render(self):
            return np.full((10, 20, 3), self._room, np.uint8) if self.render_mode == "rgb_array" else None

    monkeypatch.setattr(fakes, "CorridorWorld", Painted)
    world, drawing = make_drawn(registered_fake, {"length": 6})
    world.reset(seed=0)
    assert drawing.frame().shape == (10, 20, 3) and drawing.frame()[0, 0, 0] == world._room
    assert drawing.people() == () and world.config["length"] == 6


def test_a_world_that_does_not_render_has_no_pictures(registered_fake):
    assert make_drawn(registered_fake, {})[1] is None
    assert worldschool.envs.world.world_class(registered_fake).world_id == registered_fake
