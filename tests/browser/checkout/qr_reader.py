"""Reads a QR code's modules back, by the standard and independently of the encoder (ISO/IEC 18004, byte mode, level M)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

Modules = list[list[bool]]

# Check codewords per block and number of blocks, versions 1 to 10 (table 9).
_BLOCKS = [(10, 1), (16, 1), (26, 1), (18, 2), (24, 2), (16, 4), (18, 4), (22, 4), (22, 5), (26, 5)]
_CODEWORDS = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346]
_ALIGNMENT = [[], [18], [22], [26], [30], [34], [22, 38], [24, 42], [26, 46], [28, 50]]
_FORMAT_MASK = 0b101010000010010
_MASKS: list[Callable[[int, int], bool]] = [
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
]


def read(modules: Modules) -> str:
    """Raises AssertionError when a block's check codewords do not fit, or it is not level M in byte mode."""
    size = len(modules)
    version = (size - 17) // 4
    row_8 = [modules[8][column] for column in (0, 1, 2, 3, 4, 5, 7, 8)]
    column_8 = [modules[row][8] for row in (7, 5, 4, 3, 2, 1, 0)]
    format_bits = _number(row_8 + column_8) ^ _FORMAT_MASK
    level, mask = format_bits >> 13, (format_bits >> 10) & 7
    assert level == 0, "not level M"

    bits = [modules[row][column] != _MASKS[mask](row, column) for row, column in _data_places(size, version)]
    codewords = [_number(bits[at : at + 8]) for at in range(0, _CODEWORDS[version - 1] * 8, 8)]
    data = _blocks_data(codewords, version)
    stream = "".join(f"{word:08b}" for word in data)
    assert stream[:4] == "0100", "not byte mode"
    length_bits = 8 if version < 10 else 16
    length = int(stream[4 : 4 + length_bits], 2)
    start = 4 + length_bits
    return bytes(int(stream[at : at + 8], 2) for at in range(start, start + 8 * length, 8)).decode()


def _number(bits: list[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _data_places(size: int, version: int) -> Iterator[tuple[int, int]]:
    """Two columns at a time from the right, up and down in turn, around everything that is not data."""
    columns = [column for column in range(size - 1, -1, -1) if column != 6]
    for index, (right, left) in enumerate(list(pairwise(columns))[::2]):
        rows = range(size - 1, -1, -1) if index % 2 == 0 else range(size)
        for row in rows:
            for column in (right, left):
                if not _is_function(row, column, size, version):
                    yield row, column


def _is_function(row: int, column: int, size: int, version: int) -> bool:
    near_row, near_column = row < 9, column < 9
    far_row, far_column = row >= size - 8, column >= size - 8
    if (near_row and near_column) or (near_row and far_column) or (far_row and near_column) or 6 in (row, column):
        return True
    if version >= 7 and ((row < 6 and size - 11 <= column < size - 8) or (column < 6 and size - 11 <= row < size - 8)):
        return True
    centres = [6, *_ALIGNMENT[version - 1]]
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    return any(
        abs(row - centre_row) <= 2 and abs(column - centre_column) <= 2
        for centre_row in centres
        for centre_column in centres
        if version > 1 and (centre_row, centre_column) not in corners
    )


def _blocks_data(codewords: list[int], version: int) -> list[int]:
    checks, count = _BLOCKS[version - 1]
    data_words = len(codewords) - checks * count
    short, longer = divmod(data_words, count)
    sizes = [short] * (count - longer) + [short + 1] * longer
    blocks: list[list[int]] = [[] for _ in sizes]
    words = iter(codewords)
    for place in range(short + 1):
        for block, size in zip(blocks, sizes, strict=True):
            if place < size:
                block.append(next(words))
    data = [word for block in blocks for word in block]
    for _ in range(checks):
        for block in blocks:
            block.append(next(words))
    for block in blocks:
        assert _syndromes(block, checks) == [0] * checks, "check codewords do not fit"
    return data


def _syndromes(block: list[int], count: int) -> list[int]:
    """The block as a polynomial, at the generator's roots 2^0 … 2^(count-1): zeros when it is whole."""
    values = []
    root = 1
    for _ in range(count):
        value = 0
        for word in block:
            value = _times(value, root) ^ word
        values.append(value)
        root = _times(root, 2)
    return values


def _times(one: int, other: int) -> int:
    product = 0
    while other:
        if other & 1:
            product ^= one
        one = (one << 1) ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product
