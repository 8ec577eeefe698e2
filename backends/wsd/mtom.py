"""The image in an answer of several parts (MTOM), handed on while it comes. No I/O.

    BEFORE --boundary--> HEAD --blank line--> CONTENT --boundary--> HEAD, or the end

Devices break every rule of it: boundaries without a line end before them, line ends of LF alone,
heads that are folded or begin with a blank line, no last boundary, names with blanks. The image is
the part that the message names; else the first one that begins like an image, else the second.
Source: RFC 2046, 5.1; XOP; specification escl 9.6.
"""

from __future__ import annotations

import binascii

from ...errors import DeviceIOError, NoMemory
from . import soap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Part = tuple[dict[str, str], bytes]

HEAD_BYTES = 1 << 16  # of a part, and before the first one
MESSAGE_BYTES = 1 << 20  # of what is not the image
KEPT_BYTES = 64 << 20  # of parts that may be the image
MOST_PARTS = 16
MOST_BOUNDARY = 200
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"%PDF")


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names, b"" for what is not of several parts."""
    kind, parameters = parameters_of(content_type)
    if not kind.startswith("multipart/"):
        return b""
    found = parameters.get("boundary", "")
    if not 0 < len(found) <= MOST_BOUNDARY:
        raise DeviceIOError("an answer in parts without their boundary")
    return found.encode("latin-1", "replace")


def parameters_of(value: str) -> tuple[str, dict[str, str]]:
    """Return the value of a header field, in small letters, and its parameters."""
    first, *rest = _split(value)
    found: dict[str, str] = {}
    for one in rest:
        name, _, text = one.partition("=")
        text = text.strip()
        found.setdefault(name.strip().lower(), text[1:-1] if _is_quoted(text) else text)
    return first.strip().lower(), found


def _split(value: str) -> list[str]:
    """Return the pieces of *value* between semicolons that are not quoted."""
    pieces, is_quoted = [""], False
    for char in value.replace("\r", " ").replace("\n", " "):
        is_quoted ^= char == '"'
        if char == ";" and not is_quoted:
            pieces.append("")
        else:
            pieces[-1] += char
    return pieces


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] == '"'


class MtomReader:
    """Takes the answer's body in pieces; feed() gives those of the image, end() the last ones.

    message: the part with the SOAP message, once it is whole. Raises DeviceIOError for an answer
    without an image; one of which the end is missing is what has come of it.
    """

    def __init__(self, boundary: bytes) -> None:
        self.message: soap.Message | None = None
        self._mark = b"--" + boundary
        self._data = bytearray()
        self._is_before = True  # of the first boundary
        self._head: dict[str, str] | None = None  # of the part that comes, None between two
        self._is_image: bool | None = None  # whether it is the one, None while that is open
        self._has_image = False
        self._inline = b""  # an image in the message itself
        self._parts: list[Part] = []  # whole ones that were not handed on
        self._is_over = False
        self._wanted = ""
        self._searched = 0  # how far in the data of a part there is no boundary

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece of the body; return those of the image that are ready."""
        if self._is_over:
            return []
        self._data += data
        return list(self._ready(is_last=False))

    def end(self) -> list[bytes]:
        """Return the last pieces of the image: the body has ended."""
        found = [] if self._is_over else list(self._ready(is_last=True))
        if self._has_image:
            return found
        return [*found, *self._guessed()]

    def _ready(self, *, is_last: bool) -> Iterator[bytes]:
        while not self._is_over:
            if self._is_before:
                going = self._skip()
            elif self._head is None:
                going = self._read_head()
            else:
                at = self._data.find(self._mark, self._searched)
                self._searched = max(0, len(self._data) - len(self._mark))
                piece = self._content(at, is_last=is_last)
                if piece:
                    yield piece
                going = at >= 0
            if not going:
                break
        if is_last and self._head is not None:
            self._end_part(bytes(self._data))

    def _skip(self) -> bool:
        """Go to the first boundary."""
        at = self._data.find(self._mark)
        if at < 0:
            if len(self._data) > HEAD_BYTES:
                raise DeviceIOError("an answer in parts that do not begin")
            return False
        del self._data[: at + len(self._mark)]
        self._is_before = False
        return True

    def _read_head(self) -> bool:
        """Read the head of a part behind its boundary; tell whether it has come."""
        data = self._data
        if data.startswith(b"--"):
            self._is_over = True
            return False
        line_end = data.find(b"\n")
        start = line_end + 1
        while start < len(data) and data[start] in b"\r\n":  # blank lines before the head
            start += 1
        ends = [(data.find(mark, start), len(mark)) for mark in (b"\r\n\r\n", b"\n\n")]
        found = [(at, size) for at, size in ends if at >= 0]
        if line_end < 0 or not found:
            if len(data) > HEAD_BYTES:
                raise DeviceIOError(f"an answer with a part's head of more than {HEAD_BYTES} bytes")
            return False
        at, size = min(found)
        self._head = head_of(bytes(data[start:at]))
        self._is_image = self._is_named()
        self._searched = 0
        del data[: at + size]
        if len(self._parts) > MOST_PARTS:
            raise DeviceIOError(f"an answer of more than {MOST_PARTS} parts")
        return True

    def _is_named(self) -> bool | None:
        """Tell whether this part is the image by its name; None where its content has to tell."""
        assert self._head is not None
        if self.message is None:
            return False
        name = _name(self._head.get("content-id", ""))
        return True if self._wanted and name == self._wanted else None

    def _content(self, at: int, *, is_last: bool) -> bytes:
        """Return what of the image is ready; *at*: where the next boundary is, -1 for nowhere."""
        data = self._data
        if self._is_streamed():
            kept = 0 if is_last else len(self._mark) + 2
            end = at if at >= 0 else max(0, len(data) - kept)
            piece = bytes(data[:end])
            if at >= 0:
                piece = _without_line_end(piece)
                self._pass_part(at)
            else:
                del data[:end]
                self._searched = 0
            return piece
        if at >= 0:
            self._end_part(_without_line_end(bytes(data[:at])))
            self._pass_part(at)
        else:
            self._check_size()
        return b""

    def _check_size(self) -> None:
        """Raise NoMemory where too much is kept that may or may not be the image."""
        size = len(self._data) + sum(len(content) for _, content in self._parts)
        if size > (MESSAGE_BYTES if self._is_image is False else KEPT_BYTES):
            raise NoMemory(f"{size} bytes and more in parts that are not named as the image")

    def _is_streamed(self) -> bool:
        """Tell whether the part is the image, and may go on as it is."""
        assert self._head is not None
        is_plain = self._head.get("content-transfer-encoding", "").lower() != "base64"
        if self._is_image is None and not self._wanted:
            self._is_image = self._data.startswith(SIGNATURES) or None
        self._has_image = bool(self._is_image) and is_plain
        return self._has_image

    def _pass_part(self, at: int) -> None:
        del self._data[: at + len(self._mark)]
        self._head = None
        if self._has_image:
            self._is_over = True

    def _end_part(self, content: bytes) -> None:
        """Keep a part that was not handed on; the first one is the message."""
        head, self._head = self._head, None
        assert head is not None
        if self._has_image:
            return
        if self.message is None:
            content, self._inline = without_image(content)
            self.message = soap.read(content)
            include = next(soap.descendants(self.message.body, "Include"), None)
            if include is not None:
                from urllib.parse import unquote

                self._wanted = _name(unquote(include.attributes.get("href", "")))
        else:
            self._parts.append((head, content))

    def _guessed(self) -> list[bytes]:
        """Return the image among the parts that no name told: by its content, or its place."""
        parts = [(head, _decoded(head, content)) for head, content in self._parts]
        named = [
            content
            for head, content in parts
            if self._wanted and _name(head.get("content-id", "")) == self._wanted
        ]
        alike = [content for _, content in parts if content.lstrip().startswith(SIGNATURES)]
        rest = [content for _, content in parts]
        for content in (*named, *alike, *rest, self._inline):
            if content:
                return [content]
        if self.message is not None and self.message.fault:
            return []
        raise DeviceIOError("an answer without an image")


def without_image(data: bytes) -> tuple[bytes, bytes]:
    """Return a message without the image that stands in it as base64, and that image.

    It is cut out before the message is read, whose texts are short: an image is not.
    """
    start = data.find(b">", data.find(b"ScanData")) + 1
    end = data.find(b"<", start)
    if data.find(b"ScanData") < 0 or not start or not data[start:end].strip():
        return data, b""
    return data[:start] + data[end:], _of_base64(data[start:end])


def head_of(data: bytes) -> dict[str, str]:
    """Return the fields of a part's head by their names in small letters; folded ones joined."""
    found: dict[str, str] = {}
    name = ""
    for line in data.decode("latin-1").splitlines():
        if line[:1] in (" ", "\t") and name in found:
            found[name] += " " + line.strip()
            continue
        name, mark, value = line.partition(":")
        name = name.strip().lower()
        if mark:
            found.setdefault(name, value.strip())
    return found


def _name(text: str) -> str:
    """Return the name of a part as it is compared: without ``cid:``, brackets and blanks."""
    return text.strip().removeprefix("cid:").strip("<> \t")


def _without_line_end(data: bytes) -> bytes:
    """Return *data* without the line end that belongs to the boundary behind it."""
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data


def _decoded(head: dict[str, str], content: bytes) -> bytes:
    is_text = head.get("content-transfer-encoding", "").lower() == "base64"
    return _of_base64(content) if is_text else content


def _of_base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except ValueError as exc:
        raise DeviceIOError(f"an image in base64 that is none: {exc}") from exc
