"""Many pictures in little space: cut into square blocks, each different block kept once, frames as numbers of blocks.

Frames of one episode differ in few blocks, and episodes share walls, floors and furniture. Nothing is lost.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worldschool.experience.viewing.drawing import Image

BLOCK = 48
"""Pixels along a block; a tile of the household has as many."""
SHEET_COLUMNS, SHEET_ROWS = 16, 32
BLOCKS_A_SHEET = SHEET_COLUMNS * SHEET_ROWS
MOST_BLOCKS = 2**16
"""Frames hold numbers of 16 bits."""


@dataclass(frozen=True)
class PackedFrames:
    """The frames of one episode.

    Attributes:
        width, height: of the pictures, in blocks.
        count: how many pictures.
        data: little-endian uint16 [count, height * width] numbers of blocks, each frame less the one before (modulo
            2**16; the first less zeros), zlib-compressed.
        blocks: how many different blocks there were when the last of these was packed.
        size: bytes that these frames and all before them take in the page, estimated from above.
    """

    width: int
    height: int
    count: int
    data: bytes
    blocks: int
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return the form the page reads."""
        return {
            "width": self.width,
            "height": self.height,
            "count": self.count,
            "data": b64encode(self.data).decode(),
        }


class FrameBook:
    """Collects the frames of episodes, one after another.

    Attributes:
        size: bytes that all blocks and frames so far will take in the page, estimated from above.
    """

    def __init__(self) -> None:
        self.size = 0
        self._blocks: dict[bytes, int] = {}
        self._packed_blocks: list[bytes] = []
        self._rows: list[NDArray[np.uint16]] = []
        self._shape: tuple[int, int] | None = None
        self._last: tuple[Image, NDArray[np.uint16]] | None = None

    def add(self, image: Image) -> None:
        """Take the next frame of the episode. One of another size than the first, or too many blocks: it is left out."""
        blocks = _cut(image)
        height, width = blocks.shape[:2]
        shape = (height, width)
        if self._shape not in (None, shape) or len(self._blocks) + height * width > MOST_BLOCKS:
            return
        self._shape = shape
        self._rows.append(self._numbers(blocks))

    def end(self) -> PackedFrames | None:
        """Return the frames of the episode, or None if there were none; the next episode begins."""
        rows, shape = self._rows, self._shape
        self._rows, self._shape, self._last = [], None, None
        if not rows or shape is None:
            return None
        numbers = np.stack(rows)
        changes = np.diff(numbers, axis=0, prepend=np.zeros((1, numbers.shape[1]), np.uint16))
        data = zlib.compress(changes.astype("<u2").tobytes(), 9)
        self.size += len(data) * 4 // 3 + 80
        return PackedFrames(shape[1], shape[0], len(rows), data, len(self._blocks), self.size)

    def sheets(self, count: int) -> list[bytes]:
        """Return the first `count` blocks as PNG pictures of BLOCKS_A_SHEET each, row by row; the last may be shorter."""
        return [
            _png(_sheet(self._packed_blocks[first : min(first + BLOCKS_A_SHEET, count)]))
            for first in range(0, count, BLOCKS_A_SHEET)
        ]

    def _numbers(self, blocks: NDArray[np.uint8]) -> NDArray[np.uint16]:
        """Return the number of each block; only those that changed since the last frame are looked up."""
        flat = blocks.reshape(-1, BLOCK * BLOCK * 3)
        if self._last is None:
            numbers, changed = np.zeros(len(flat), np.uint16), np.arange(len(flat))
        else:
            before, numbers = self._last
            numbers, changed = numbers.copy(), np.flatnonzero((flat != before).any(axis=1))
        for place in changed.tolist():
            numbers[place] = self._number(flat[place].tobytes())
        self._last = (flat, numbers)
        return numbers

    def _number(self, block: bytes) -> int:
        key = blake2b(block, digest_size=16).digest()
        number = self._blocks.get(key)
        if number is None:
            number = self._blocks[key] = len(self._blocks)
            self._packed_blocks.append(zlib.compress(block))
            self.size += len(self._packed_blocks[-1]) * 4 // 3
        return number


def _cut(image: Image) -> NDArray[np.uint8]:
    """Return blocks as uint8 [rows, columns, BLOCK, BLOCK * 3]; the edge is repeated where the picture ends within one."""
    down, right = (-image.shape[0]) % BLOCK, (-image.shape[1]) % BLOCK
    whole = np.pad(image, ((0, down), (0, right), (0, 0)), "edge") if down or right else image
    rows, columns = whole.shape[0] // BLOCK, whole.shape[1] // BLOCK
    cut = whole.reshape(rows, BLOCK, columns, BLOCK * 3).swapaxes(1, 2)
    return np.ascontiguousarray(cut)


def _sheet(blocks: list[bytes]) -> Image:
    rows = -(-len(blocks) // SHEET_COLUMNS)
    sheet = np.zeros((rows * BLOCK, SHEET_COLUMNS * BLOCK, 3), np.uint8)
    for number, block in enumerate(blocks):
        y, x = (part * BLOCK for part in divmod(number, SHEET_COLUMNS))
        pixels = np.frombuffer(zlib.decompress(block), np.uint8)
        sheet[y : y + BLOCK, x : x + BLOCK] = pixels.reshape(BLOCK, BLOCK, 3)
    return sheet


def _png(image: Image) -> bytes:
    """Return a picture as PNG, 8 bits a channel, unfiltered: flat colours pack best as they are."""
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # each row begins with its filter's number, 0
    rows[:, 1:] = image.reshape(height, width * 3)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
