"""XML as scanners send it, read strictly: elements with texts, and nothing that XML can do besides.

The reader is expat of the standard library with everything refused that makes XML dangerous: no
document type with declarations, so no entity but the five of XML itself and numbers, nothing that
is fetched from elsewhere, and limits for sizes, depth and count. That is what defusedxml does, in
the dozen lines that are needed here, without ElementTree, whose import costs 10 ms.
Source: specification escl 6.3.
"""

from __future__ import annotations

from ...errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

DOCUMENT_BYTES = 1 << 20
DEPTH = 64
NODES = 20_000
ATTRIBUTE_CHARACTERS = 4096
TEXT_CHARACTERS = 1 << 16
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
DOCTYPE = "<!doctype"
SPACE = " \t\r\n"
CONTROLS = {code: " " for code in range(32) if chr(code) not in SPACE} | {0x7F: " "}


class Element:
    """One element: its *name* without prefix, *namespace* ("" for none), trimmed *text*, children.

    attributes: by their names without prefix.
    """

    __slots__ = ("attributes", "children", "name", "namespace", "text")

    def __init__(self, namespace: str, name: str, attributes: dict[str, str]) -> None:
        self.namespace = namespace
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def find(self, *path: str) -> Element | None:
        """Return the first element that *path* leads to, name by name; None without one."""
        found = self
        for name in path:
            child = next(found.all(name), None)
            if child is None:
                return None
            found = child
        return found

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children *name*."""
        return (child for child in self.children if child.name == name)

    def value(self, *path: str) -> str:
        """Return the text of the first element that *path* leads to, "" without one."""
        found = self.find(*path)
        return "" if found is None else found.text

    def values(self, *path: str) -> list[str]:
        """Return the texts of all elements of the last name of *path*, under the first others."""
        found = self.find(*path[:-1])
        return [] if found is None else [child.text for child in found.all(path[-1])]

    def __repr__(self) -> str:
        return f"Element({self.namespace!r}, {self.name!r})"


def integer(text: str, low: int, high: int) -> int | None:
    """Return the whole number in *text*, None for none and for one outside *low* to *high*.

    A fraction of zeros is let pass: some devices write 2550.0.
    """
    digits, point, rest = text.strip().partition(".")
    if point and rest.strip("0"):
        return None
    sign = digits[:1] if digits[:1] in ("-", "+") else ""
    digits = digits[len(sign) :]
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 10:
        return None
    value = -int(digits) if sign == "-" else int(digits)
    return value if low <= value <= high else None


def truth(text: str) -> bool | None:
    """Return what ``true``, ``false``, ``1`` or ``0`` says, None for anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())


def parse(data: bytes, accepts: Callable[[str], bool] = lambda _namespace: True) -> Element:
    """Return the root of the document *data*; raises DeviceIOError, with the reason, for none.

    accepts(namespace): elements of other namespaces are left out with all that is in them; a root
    of one is refused.
    """
    if len(data) > DOCUMENT_BYTES:
        raise _wrong(f"{len(data)} bytes, at most {DOCUMENT_BYTES}")
    text = _without_doctype(_decoded(data))
    from pyexpat import ExpatError

    builder = _Builder(accepts)
    try:
        builder.read(text.encode("utf-8"))
    except ExpatError as exc:
        raise _wrong(str(exc)) from exc
    if builder.root is None:
        raise _wrong("its root is of another kind")
    return builder.root


def _wrong(reason: str) -> DeviceIOError:
    return DeviceIOError(f"XML: {reason}")


def _decoded(data: bytes) -> str:
    """Return the document as text, without its declaration; what is no text becomes U+FFFD."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        if data[:2] in (b"<\0", b"\0<"):  # UTF-16 without a mark
            text = data.decode("utf-16-le" if data[1] == 0 else "utf-16-be", "replace")
        else:
            text = data.decode("utf-8", "replace")
    text = text.translate(CONTROLS).lstrip(SPACE)
    if text.startswith("<?xml"):
        end = text.find("?>")
        if end < 0:
            raise _wrong("its declaration has no end")
        text = text[end + 2 :]
    return text


def _without_doctype(text: str) -> str:
    """Return *text* without a document type that declares nothing; refuses one that does.

    One family of devices writes it in small letters, which expat takes for garbage.
    """
    start = text.find("<!")
    while start >= 0 and text[start : start + len(DOCTYPE)].lower() != DOCTYPE:
        start = text.find("<!", start + 2)
    if start < 0:
        return text
    end = text.find(">", start)
    if end < 0 or "[" in text[start:end]:
        raise _wrong("a document type with declarations")
    return text[:start] + text[end + 1 :]


class _Builder:
    """Makes elements of what expat tells; *root* once it has begun."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        self.root: Element | None = None
        self._accepts = accepts
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._skipped = 0  # how deep in elements that are left out
        self._nodes = 0
        self._characters = 0  # of the text since the last tag

    def read(self, data: bytes) -> None:
        from pyexpat import ParserCreate

        parser: Any = ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.Parse(data, True)

    @staticmethod
    def _refuse(*_arguments: object) -> None:
        raise _wrong("a document type or an entity")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        self._characters = 0
        if self._nodes > NODES:
            raise _wrong(f"more than {NODES} elements and attributes")
        if len(self._open) + self._skipped >= DEPTH:
            raise _wrong(f"elements in one another, more than {DEPTH}")
        if any(len(name) + len(value) > ATTRIBUTE_CHARACTERS for name, value in attributes.items()):
            raise _wrong(f"an attribute of more than {ATTRIBUTE_CHARACTERS} characters")
        namespace, _, name = tag.rpartition(" ")
        if self._skipped or not self._accepts(namespace):
            self._skipped += 1
            return
        local = {name.rpartition(" ")[2]: value for name, value in attributes.items()}
        element = Element(namespace, name, local)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def _end(self, _tag: str) -> None:
        self._characters = 0
        if self._skipped:
            self._skipped -= 1
            return
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def _text(self, text: str) -> None:
        self._characters += len(text)
        if self._characters > TEXT_CHARACTERS:
            raise _wrong(f"a text of more than {TEXT_CHARACTERS} characters")
        if self._open and not self._skipped:
            self._texts[-1].append(text)


def escaped(text: str) -> str:
    """Return *text* as the content of an element."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
