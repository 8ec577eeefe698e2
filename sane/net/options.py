"""The options of a remote device: descriptors that came over the wire, as options of ours.

They are known at run time only, may be odd, and may change as a whole at a reload. Values stay at
the server. Source: net-protocol 2.4 and 7.8.
"""

from __future__ import annotations

import sys

from .. import const
from ..errors import DeviceIOError, Invalid
from ..option import WORD_SIZE, Bool, Button, Fixed, Group, Int, Option, String, WordRange
from ..values import ACTIONS, TELL_FETCH, Options
from ..wire.codec import ARRAY_BYTES, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..backend import Device
    from ..wire.messages import Descriptor

MOST_OPTIONS = 4096  # no device comes near; C programs keep a table by index

_WORDS = (const.CONSTRAINT_NONE, const.CONSTRAINT_RANGE, const.CONSTRAINT_WORD_LIST)
# Which kinds of constraint a type may have: a frontend follows its pointer by the kind.
CONSTRAINTS = {
    const.TYPE_BOOL: (const.CONSTRAINT_NONE,),
    const.TYPE_INT: _WORDS,
    const.TYPE_FIXED: _WORDS,
    const.TYPE_STRING: (const.CONSTRAINT_NONE, const.CONSTRAINT_STRING_LIST),
}

WORD_TYPES: dict[int, type[Option]] = {
    const.TYPE_BOOL: Bool,
    const.TYPE_INT: Int,
    const.TYPE_FIXED: Fixed,
}


class RemoteOptions(Options):
    """The options of a device elsewhere: the server is the authority, and is asked.

    declared, caps, constraints: what was fetched last. values has nothing: GET asks the server.
    is_stale: a change has made the descriptors old; they are fetched when one is asked for. host:
    for messages. A frontend has memory for the size that it has seen of a value. The server may say
    in the info of a SET, which a frontend may ignore, that values have grown.
    """

    __slots__ = ("_descriptors", "_seen", "host", "is_stale")

    def __init__(self, descriptors: list[Descriptor], host: str) -> None:
        self._descriptors: list[Descriptor] = []
        self._seen: dict[int, int] = {}  # sizes by index
        self.host = host
        self.is_stale = self.is_reading = False
        self.direct = bytearray(MOST_OPTIONS)  # a reload may bring more of them
        self.values = bytearray(WORD_SIZE)
        self.changed = []
        self.dependents = {}
        self.declared = ()
        self.adopt(descriptors)

    def adopt(self, descriptors: list[Descriptor]) -> None:
        """Take over *descriptors*; raises ProtocolError if they cannot be a device's."""
        if not 0 < len(descriptors) <= MOST_OPTIONS:
            raise ProtocolError(f"{len(descriptors)} options")
        options = tuple(
            option_of(index, descriptor) for index, descriptor in enumerate(descriptors)
        )
        self.declared = options
        self.caps = [option.cap for option in options]
        self.constraints = [option.constraint for option in options]
        before, self._descriptors = self._descriptors, descriptors
        if len(before) != len(descriptors):
            before = [None] * len(descriptors)  # type: ignore[list-item]
        self.changed += [index for index, found in enumerate(descriptors) if found != before[index]]
        for option in options:
            self._seen.setdefault(option.index, option.size)

    def refresh_direct(self, device: Device) -> None:
        """Nothing is done without the server; that descriptors are fetched may have to be told."""
        tells = self.is_stale or any(
            self._seen[option.index] != option.size for option in self.declared
        )
        self.direct[:] = bytes((TELL_FETCH if tells else 0,)) * MOST_OPTIONS

    def descriptor(self, device: Device, index: int) -> Option:
        option = self._current(device, index)
        if self._seen[index] != option.size:
            self._seen[index] = option.size
            self.refresh_direct(device)
        return option

    def _current(self, device: Device, index: int) -> Option:
        """Return the option as the server has it now."""
        if self.is_stale:
            self._fetch(device)
        return super().descriptor(device, index)

    def _fetch(self, device: Any) -> None:
        """Fetch the descriptors anew."""
        try:
            self.adopt(device.fetch_options())
        except ProtocolError as exc:
            raise DeviceIOError(f"{self.host}: {exc}") from exc
        self.is_stale = False
        self.refresh_direct(device)

    def access(self, device: Device, index: int, action: int) -> Option:
        """Refuse what cannot be asked, and changes during a frame: the server may have ended it."""
        option = self._current(device, index)
        if option.type >= const.TYPE_GROUP or option.type < const.TYPE_BOOL:
            raise Invalid(f"option {index} has no value")
        if option.type == const.TYPE_BUTTON and action == const.ACTION_GET_VALUE:
            raise Invalid(f"option {option.name} is a button")
        if action not in ACTIONS:
            raise Invalid(f"unknown action {action}")
        if action not in device.frame_actions and self.is_reading:
            raise Invalid(f"option {option.name} cannot be set during a scan")
        needs_room = action != const.ACTION_SET_AUTO and option.type != const.TYPE_BUTTON
        if needs_room and option.size > self._seen[index]:
            raise Invalid(
                f"option {option.name}: {option.size} bytes, no longer {self._seen[index]}: "
                "fetch its descriptor again"
            )
        return option

    def get(self, device: Any, option: Option) -> bytes:
        data: bytes = device.control(option, const.ACTION_GET_VALUE, bytes(option.size))[0]
        return self._counted(device, data) if option.index == 0 else data

    def _counted(self, device: Device, told: bytes) -> bytes:
        """Return the number of options that were described, whatever number the server told.

        A frontend makes tables of that size and takes every index below it for an option.
        """
        count = len(self.declared)
        if int.from_bytes(told, sys.byteorder, signed=True) != count:
            text = "option 0: the server told another number than the %d options it described"
            device.debug(1, text, count)
        return count.to_bytes(WORD_SIZE, sys.byteorder)

    def set(self, device: Any, option: Option, data: bytes) -> tuple[bytes, int]:
        if option.type == const.TYPE_STRING:
            data = data[: data.find(b"\0") + 1] or data
            data = data[: option.size]
        elif option.type == const.TYPE_BUTTON:
            data = b""
        elif len(data) != option.size:
            raise Invalid(f"option {option.name}: {len(data)} bytes, not {option.size}")
        data, info = device.control(option, const.ACTION_SET_VALUE, data)
        self._note(device, info)
        return data, info

    def set_auto(self, device: Any, option: Option) -> int:
        info: int = device.control(option, const.ACTION_SET_AUTO, b"")[1]
        self._note(device, info)
        return info

    def _note(self, device: Device, info: int) -> None:
        """Note what a change made stale."""
        if info & const.INFO_RELOAD_OPTIONS:
            self.is_stale = True
            self.refresh_direct(device)


def option_of(index: int, descriptor: Descriptor) -> Option:
    """Return the option that *descriptor* describes; raises ProtocolError if it cannot be one.

    Frontends size their variables by the type (four bytes for option 0 and every BOOL) and follow
    a constraint by its kind: what does not fit would have them write or read past their own
    memory. A type that is none becomes an option without value. Source: standard 4.2.9.
    """
    _check(index, descriptor)
    size = descriptor.size
    kind = descriptor.type
    unit = descriptor.unit if 0 <= descriptor.unit <= const.UNIT_MICROSECOND else const.UNIT_NONE
    named: dict[str, Any] = {"name": descriptor.name or "", "unit": unit}
    texts = (descriptor.title or "", descriptor.desc or "")
    option: Option
    if kind in WORD_TYPES:
        option = WORD_TYPES[kind](*texts, length=size // WORD_SIZE, default=_nothing(size), **named)
    elif kind == const.TYPE_STRING:
        option = String(*texts, size=size, **named)
    elif kind == const.TYPE_GROUP:
        option = Group(texts[0])
        option.name, option.desc, option.unit = named["name"], texts[1], unit
    else:
        option = Button(*texts, **named)
        option.type = kind
    option.index = index
    option.size = size
    option.cap = descriptor.cap
    option.attribute = (descriptor.name or "").replace("-", "_")
    option.constraint = _constraint(descriptor) if kind in CONSTRAINTS else None
    return option


def _check(index: int, descriptor: Descriptor) -> None:
    """Raise ProtocolError unless size and constraint fit the type."""
    kind, size = descriptor.type, descriptor.size
    active = not descriptor.cap & const.CAP_INACTIVE
    wrong = ""
    if not 0 <= size <= ARRAY_BYTES:
        wrong = f"{size} bytes"
    elif index == 0 and (kind, size) != (const.TYPE_INT, WORD_SIZE):
        wrong = f"the number of options has type {kind} and {size} bytes"
    elif kind == const.TYPE_BOOL and size != WORD_SIZE:
        wrong = f"a boolean of {size} bytes"
    elif kind in WORD_TYPES and size % WORD_SIZE:
        wrong = f"words in {size} bytes"
    elif kind in CONSTRAINTS and active and not size:  # inactive, some devices have none
        wrong = "no room for a value"
    elif kind in CONSTRAINTS and descriptor.constraint_type not in CONSTRAINTS[kind]:
        wrong = f"constraint {descriptor.constraint_type} for type {kind}"
    if wrong:
        raise ProtocolError(f"option {index}, {descriptor.name}: {wrong}")


def _nothing(size: int) -> Any:
    return 0 if size == WORD_SIZE else (0,) * (size // WORD_SIZE)


def _constraint(descriptor: Descriptor) -> Any:
    """Return the constraint as options have it; an empty list constrains nothing.

    A text that is longer than the value may be is no choice: a frontend copies it into a buffer
    of the option's size.
    """
    found: Any = descriptor.constraint
    if descriptor.constraint_type == const.CONSTRAINT_RANGE:
        return WordRange(found.min, found.max, max(0, found.quant))
    if descriptor.constraint_type == const.CONSTRAINT_STRING_LIST:
        return tuple(text for text in found if _bytes(text) < descriptor.size) or None
    return found or None


def text_of(data: bytes) -> bytes:
    """Return *data* as a text of C: it ends with its first NUL, and always with one."""
    end = data.find(b"\0")
    return data[: end + 1] if end >= 0 else data[:-1] + b"\0"


def _bytes(text: str) -> int:
    """Return the length of *text* in a C program, without its NUL."""
    return len(text.encode("utf-8", "surrogateescape"))
