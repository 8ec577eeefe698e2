"""The options of a remote device: descriptors that came over the wire, as options of ours.

They are known at run time only, may be odd, and may change as a whole at a reload. Values stay at
the server. Source: net-protocol 2.4 and 7.8.
"""

from __future__ import annotations

from .. import const
from ..option import WORD_SIZE, Bool, Button, Fixed, Group, Int, Option, String, WordRange
from ..values import Options
from ..wire.codec import ARRAY_BYTES, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..wire.messages import Descriptor

MOST_OPTIONS = 4096  # no device comes near; C programs keep a table by index

WORD_TYPES: dict[int, type[Option]] = {
    const.TYPE_BOOL: Bool,
    const.TYPE_INT: Int,
    const.TYPE_FIXED: Fixed,
}


class RemoteOptions(Options):
    """The options of a device elsewhere. adopt() takes over what a reload brought.

    declared, caps, constraints: what was fetched last. values has nothing: GET asks the server.
    """

    __slots__ = ("_descriptors",)

    def __init__(self, descriptors: list[Descriptor]) -> None:
        self._descriptors: list[Descriptor] = []
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


def option_of(index: int, descriptor: Descriptor) -> Option:
    """Return the option that *descriptor* describes; of a type that is none, one without value."""
    size = descriptor.size
    if not 0 <= size <= ARRAY_BYTES:
        raise ProtocolError(f"option {index}, {descriptor.name}: {size} bytes")
    kind = descriptor.type
    named: dict[str, Any] = {"name": descriptor.name or "", "unit": descriptor.unit}
    texts = (descriptor.title or "", descriptor.desc or "")
    option: Option
    if kind in WORD_TYPES:
        option = WORD_TYPES[kind](*texts, length=size // WORD_SIZE, default=_nothing(size), **named)
    elif kind == const.TYPE_STRING:
        option = String(*texts, size=size, **named)
    elif kind == const.TYPE_GROUP:
        option = Group(texts[0])
        option.name, option.desc, option.unit = named["name"], texts[1], descriptor.unit
    else:
        option = Button(*texts, **named)
        option.type = kind
    option.index = index
    option.size = size
    option.cap = descriptor.cap
    option.attribute = (descriptor.name or "").replace("-", "_")
    option.constraint = _constraint(descriptor.constraint)
    return option


def _nothing(size: int) -> Any:
    return 0 if size == WORD_SIZE else (0,) * (size // WORD_SIZE)


def _constraint(found: Any) -> Any:
    """Return a constraint as options have it; an empty list constrains nothing."""
    if hasattr(found, "quant"):
        return WordRange(found.min, found.max, found.quant)
    return found or None
