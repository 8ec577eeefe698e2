"""The tokens that ESC/I-2 writes everything in: ``#`` code value, and numbers inside values.

Bytes in, values out; it knows no command. Source: specification esci 4.2.
"""

from __future__ import annotations

from ...errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Token = tuple[str, bytes]

CODE_BYTES = 3
END = b"---"
NUMBER_BYTES = {100: 4, 105: 8, 120: 8}  # d, i, x: the letter and its digits
PADDING = b"\0 "
RAW_BYTES = 4  # of the letter h and the three digits that tell how many raw bytes follow
NAMED_RAW = (b"GMT", b"CMX")  # their value has four letters before the h
SHOWN_BYTES = 64


def parse(block: bytes) -> list[Token]:
    """Return the tokens of *block* in their order; raises DeviceIOError for what has none.

    A value ends at the next ``#``, at NUL or with the block, unless its length is given: raw
    bytes may hold anything.
    """
    tokens = []
    at = 0
    while at < len(block) and block[at] not in PADDING:
        if block[at] != 0x23:
            raise DeviceIOError(f"no token begins at {at} of {shown(block)}")
        code = block[at + 1 : at + 1 + CODE_BYTES]
        if code == END or len(code) < CODE_BYTES:
            break
        start = at + 1 + CODE_BYTES
        at = value_end(block, code, start)
        tokens.append((code.decode("latin-1"), block[start:at]))
    return tokens


def value_end(block: bytes, code: bytes, start: int) -> int:
    """Return where the value that begins at *start* ends."""
    raw = start + 4 if code in NAMED_RAW else start
    if block[raw : raw + 1] == b"h":
        digits = block[raw + 1 : raw + RAW_BYTES]
        try:
            size = int(digits, 16) if digits.isalnum() else 0
        except ValueError:
            size = 0
        start = min(raw + RAW_BYTES + size, len(block))
    ends = [end for end in (block.find(b"#", start), block.find(b"\0", start)) if end >= 0]
    return min(ends, default=len(block))


def text(value: bytes) -> str:
    """Return the text of ``hNNN`` and so many bytes, without blanks at its end."""
    raw = value[RAW_BYTES:] if value[:1] == b"h" else value
    return raw.decode("utf-8", "replace").strip(" \0")


def numbers(value: bytes) -> list[int]:
    """Return the numbers in *value*: dDDD, iDDDDDDD with a sign or not, xHHHHHHH.

    Raises DeviceIOError for anything else.
    """
    found = []
    at = 0
    while at < len(value):
        size = NUMBER_BYTES.get(value[at], 0)
        digits = value[at + 1 : at + size]
        try:
            if not size or len(digits) < size - 1:
                raise ValueError
            found.append(int(digits, 16 if value[at] == ord("x") else 10))
        except ValueError:
            raise DeviceIOError(f"no number at {at} of {shown(value)}") from None
        at += size
    return found


def number(value: int) -> str:
    """Return *value* in the shorter of its two decimal forms."""
    return f"d{value:03d}" if value <= 999 else f"i{value:07d}"


def shown(data: bytes) -> str:
    """Return *data* for a message, the beginning of it when it is long."""
    more = f" and {len(data) - SHOWN_BYTES} bytes more" if len(data) > SHOWN_BYTES else ""
    return f"{data[:SHOWN_BYTES]!r}{more}"
