"""Line art as fax machines code it: Group 3 in one dimension, and Group 4.

Rows are packed bits, 1 is white. Source: ITU-T T.4 (tables 2 and 3), ITU-T T.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def _codes(text: str) -> list[str]:
    return text.split()


# Codes of runs of 0 to 63 pixels, and of 64, 128 ... 1728.
WHITE = _codes(
    "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 "
    "110100 110101 101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 "
    "0101011 0010011 0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011 "
    "00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 "
    "00101101 00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 "
    "00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 "
    "00110011 00110100"
)
WHITE_MORE = _codes(
    "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 "
    "011001100 011001101 011010010 011010011 011010100 011010101 011010110 011010111 "
    "011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011"
)
BLACK = _codes(
    "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 "
    "00000100 00000111 000011000 0000010111 0000011000 0000001000 00001100111 00001101000 "
    "00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 "
    "000011001100 000011001101 000001101000 000001101001 000001101010 000001101011 "
    "000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 "
    "000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 "
    "000001010110 000001010111 000001100100 000001100101 000001010010 000001010011 "
    "000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 "
    "000001011001 000000101011 000000101100 000001011010 000001100110 000001100111"
)
BLACK_MORE = _codes(
    "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 "
    "000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 "
    "0000001001101 0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 "
    "0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 "
    "0000001011011 0000001100100 0000001100101"
)
MORE_OF_BOTH = _codes(  # 1792, 1856 ... 2560
    "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 "
    "000000010101 000000010110 000000010111 000000011100 000000011101 000000011110 "
    "000000011111"
)
VERTICAL = {0: "1", 1: "011", 2: "000011", 3: "0000011", -1: "010", -2: "000010", -3: "0000010"}
PASS, HORIZONTAL = "0001", "001"
END_OF_LINE = "000000000001"
COLORS = ((WHITE, WHITE_MORE), (BLACK, BLACK_MORE))


def group_3(rows: Iterable[bytes], width: int) -> bytes:
    """Return the rows, each for itself, with an end-of-line in front of each."""
    return _packed("".join(END_OF_LINE + "".join(_runs(_changes(row, width))) for row in rows))


def group_4(rows: Iterable[bytes], width: int) -> bytes:
    """Return the rows, each as what differs from the one before."""
    parts: list[str] = []
    before: Sequence[int] = (width, width)
    for row in rows:
        changes = _changes(row, width)
        parts += _differences(changes, before, width)
        before = (*changes, width)
    return _packed("".join(parts) + END_OF_LINE * 2)


def _packed(bits: str) -> bytes:
    size = -(-len(bits) // 8)
    return int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def _changes(row: bytes, width: int) -> list[int]:
    """Return where the colour changes, from white on, the width last, perhaps several times."""
    bits = f"{int.from_bytes(row, 'big'):0{8 * len(row)}b}"[:width]
    found, color, at = [], "1", 0
    while at < width:
        at = bits.find("0" if color == "1" else "1", at)
        at = width if at < 0 else at
        found.append(at)
        color = "0" if color == "1" else "1"
    return [*found, width, width]


def _run(length: int, color: int) -> str:
    """Return the code of a run; color: 0 is white."""
    short, long = COLORS[color]
    code = ""
    while length >= 2560:
        code += MORE_OF_BOTH[-1]
        length -= 2560
    if length >= 1792:
        code += MORE_OF_BOTH[(length - 1792) // 64]
    elif length >= 64:
        code += long[length // 64 - 1]
    return code + short[length % 64]


def _runs(changes: list[int]) -> Iterator[str]:
    """Yield the codes of a whole row."""
    start, color = 0, 0
    for change in changes[:-2]:
        yield _run(change - start, color)
        start, color = change, 1 - color


def _differences(changes: list[int], before: Sequence[int], width: int) -> Iterator[str]:
    """Yield the codes of a row by T.6, 2.2: pass, vertical and horizontal mode."""
    at, color, index = -1, 0, 0  # index: in changes, of the next change of colour
    number = 0  # in the row before: of its next change to the other colour
    while max(at, 0) < width:
        a1 = changes[index]
        number = max(0, number - 1)
        number += (number - color) % 2
        while number < len(before) and before[number] <= at:
            number += 2
        b1 = before[number] if number < len(before) else width
        b2 = before[number + 1] if number + 1 < len(before) else width
        if b2 < a1:
            yield PASS
            at = b2
        elif abs(a1 - b1) <= 3:
            yield VERTICAL[a1 - b1]
            at, color, index = a1, 1 - color, index + 1
        else:
            a2 = changes[index + 1]
            yield HORIZONTAL + _run(a1 - max(at, 0), color) + _run(a2 - a1, 1 - color)
            at, index = a2, index + 2
