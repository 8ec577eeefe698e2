"""XML as eSCL's clients want it: the literal prefixes ``scan:`` and ``pwg:``, texts escaped.

Source: specification escl 0 and 6.4 (output injection).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...backends.escl.schema import PWG, SCAN

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACES = f'xmlns:pwg="{PWG}" xmlns:scan="{SCAN}"'
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
# Characters that no XML may hold. Source: XML 1.0, 2.2.
FORBIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)


def escaped(text: str) -> str:
    """Return *text* as an element's content, without control characters."""
    return text.translate(FORBIDDEN).translate(ESCAPES)


def element(name: str, content: object) -> str:
    """Return an element whose content is text; true and false for booleans."""
    text = str(content).lower() if isinstance(content, bool) else str(content)
    return f"<{name}>{escaped(text)}</{name}>"


def parent(name: str, *children: str) -> str:
    """Return an element of *children*, written already; "" if there are none."""
    inner = "".join(children)
    return f"<{name}>{inner}</{name}>" if inner else ""


def each(name: str, values: Iterable[object]) -> str:
    """Return an element for each of *values*."""
    return "".join(element(name, value) for value in values)


def document(name: str, *children: str) -> bytes:
    """Return the document whose root is *name*."""
    return f"{HEAD}<{name} {NAMESPACES}>\n{''.join(children)}\n</{name}>\n".encode()
