"""Reading a QR code from its squares, independently of who drew it: byte mode, versions 1 to 9, nothing misread."""

import re
from collections.abc import Iterator

# Error correction M: how many blocks of how many data bytes each version has (ISO/IEC 18004, table 9).
BLOCKS = {
    1: [16],
    2: [28],
    3: [44],
    4: [32] * 2,
    5: [43] * 2,
    6: [27] * 4,
    7: [31] * 4,
    8: [38] * 2 + [39] * 2,
    9: [36] * 3 + [37] * 2,
}
ALIGNED = {1: [], 2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34]}
ALIGNED |= {7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46]}
MASKS = [
    lambda y, x: (y + x) % 2,
    lambda y, x: y % 2,
    lambda y, x: x % 3,
    lambda y, x: (y + x) % 3,
    lambda y, x: (y // 2 + x // 3) % 2,
    lambda y, x: y * x % 2 + y * x % 3,
    lambda y, x: (y * x % 2 + y * x % 3) % 2,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2,
]
Squares = list[list[bool]]


def read_svg(svg: str) -> Squares:
    """The squares that a drawing of ours fills."""
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert found
    squares = [[False] * int(found[1]) for _ in range(int(found[2]))]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        for more in range(int(width)):
            squares[int(y)][int(x) + more] = True
    return squares


def read_qr(squares: Squares) -> str:
    """The text of the code."""
    size = len(squares)
    version = (size - 17) // 4
    # Of the 15 bits of format, bits 14 and 13 say M (00 after the fixed mask 10), 12 to 10 which pattern is laid over.
    bits = [squares[8][x] for x in range(5)]
    format_bits = [bit ^ fixed for bit, fixed in zip(bits, (1, 0, 1, 0, 1), strict=True)]
    assert format_bits[:2] == [0, 0], "not of error correction M"
    mask = MASKS[int("".join(str(int(bit)) for bit in format_bits[2:]), 2)]
    stream = [squares[y][x] ^ (mask(y, x) == 0) for y, x in _walk(size, version)]
    codewords = [_number(stream[start : start + 8]) for start in range(0, len(stream) - 7, 8)]
    data = _deal_back(codewords, BLOCKS[version])
    all_bits = [bool(byte >> place & 1) for byte in data for place in range(7, -1, -1)]
    assert _number(all_bits[:4]) == 0b0100, "not in bytes"
    length = _number(all_bits[4:12])
    return bytes(_number(all_bits[12 + 8 * at : 20 + 8 * at]) for at in range(length)).decode()


def _walk(size: int, version: int) -> Iterator[tuple[int, int]]:
    """The squares that hold data, from the lower right corner, two columns at a time, up and down in turn."""
    column, upward = size - 1, True
    while column > 0:
        column -= column == 6
        for y in range(size - 1, -1, -1) if upward else range(size):
            yield from ((y, x) for x in (column, column - 1) if not _is_fixed(y, x, size, version))
        column, upward = column - 2, not upward


def _is_fixed(y: int, x: int, size: int, version: int) -> bool:
    near, far = 9, size - 8
    corner = (y < near and x < near) or (y < near and x >= far) or (y >= far and x < near)
    alignment = any(
        abs(y - row) <= 2 and abs(x - column) <= 2
        for row in ALIGNED[version]
        for column in ALIGNED[version]
        if not (row == 6 and column in (6, size - 7)) and not (row == size - 7 and column == 6)
    )
    versions = version >= 7 and ((y < 6 and x >= size - 11) or (x < 6 and y >= size - 11))
    return corner or alignment or versions or 6 in (y, x)


def _deal_back(codewords: list[int], lengths: list[int]) -> list[int]:
    """The data of each block in turn, which stood byte by byte in turn."""
    blocks: list[list[int]] = [[] for _ in lengths]
    rest = iter(codewords)
    for place in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if place < length:
                block.append(next(rest))
    return [byte for block in blocks for byte in block]


def _number(bits: list[bool]) -> int:
    return int("".join(str(int(bit)) for bit in bits), 2)
