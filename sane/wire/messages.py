"""Every request and reply of the SANE network protocol, each as one list of fields.

The same list serves both directions and both sides; records.py says what the annotations mean.
Source: net-protocol 2.4 and 3.
"""

from __future__ import annotations

from .. import const
from .codec import put_word
from .records import FIELDS, Inline, Pointers, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias

    from .records import ControlWord, Flag, Limits, Text, Value, Word

    DeviceList: TypeAlias = list["Device"]
    DescriptorList: TypeAlias = list["Descriptor"]

LITTLE_ENDIAN = 0x1234
BIG_ENDIAN = 0x4321

DEVICE_BYTES, DESCRIPTOR_BYTES = 32, 56  # what a C program spends on one (2.7)


# Structures


class Device(Record):
    """A listed device; a peer may leave any text NULL."""

    name: Text
    vendor: Text
    model: Text
    type: Text


class Descriptor(Record):
    """An option descriptor. constraint: None, a Range, a tuple of words or of texts."""

    name: Text
    title: Text
    desc: Text
    type: Word
    unit: Word
    size: Word
    cap: Word
    constraint_type: Word
    constraint: Limits


class Parameters(Record):
    """The parameters of a frame; lines is -1 while unknown."""

    format: Word
    last_frame: Flag
    bytes_per_line: Word
    pixels_per_line: Word
    lines: Word
    depth: Word


FIELDS["Parameters"] = Inline(Parameters)
FIELDS["DeviceList"] = Pointers(Device, DEVICE_BYTES, 1, lenient=True)
FIELDS["DescriptorList"] = Pointers(Descriptor, DESCRIPTOR_BYTES, 0, lenient=False)


# Replies


class InitReply(Record):
    """version: major << 24 | minor << 16 | build."""

    status: Word
    version: Word


class DevicesReply(Record):
    """devices: without the NULL that ends them on the wire."""

    status: Word
    devices: DeviceList


class OpenReply(Record):
    """resource: not None is an auth challenge; the rest is 0 then."""

    status: Word
    handle: Word
    resource: Text


class DescriptorsReply(Record):
    """All descriptors, option 0 included; none for a bad handle."""

    descriptors: DescriptorList


class ControlReply(Record):
    """What a CONTROL_OPTION left: value has value_size bytes if all is well."""

    has_value: ClassVar[bool] = True

    status: Word
    info: Word
    value_type: Word
    value_size: Word
    value: Value
    resource: Text


class ParametersReply(Record):
    """The parameters are zeroed unless the status is GOOD."""

    status: Word
    parameters: Parameters


class StartReply(Record):
    """port: where the data waits. byte_order: LITTLE_ENDIAN, else the server is big-endian."""

    status: Word
    port: Word
    byte_order: Word
    resource: Text


class Acknowledgement(Record):
    """The word that answers CLOSE, CANCEL and AUTHORIZE; it means nothing."""

    dummy: Word


# Requests


class Opcode(Record):
    """What every request begins with."""

    opcode: Word


class Request(Record):
    """What follows an opcode. reply: the record that answers it, None if nothing does.

    may_challenge: an auth challenge, a resource, may come instead of the reply (4.1).
    """

    opcode: ClassVar[int] = -1
    reply: ClassVar[type[Record] | None] = None
    may_challenge: ClassVar[bool] = False

    def encode(self) -> bytes:
        """Return the request as it is sent, with its opcode."""
        out = bytearray()
        put_word(out, self.opcode)
        self.encode_into(out)
        return bytes(out)


class Init(Request):
    """version: as in InitReply. user: for logs only."""

    opcode = 0
    reply = InitReply

    version: Word
    user: Text


class GetDevices(Request):
    """Ask for the server's local devices."""

    opcode = 1
    reply = DevicesReply


class Open(Request):
    """name: as the server lists it, "" for its first device."""

    opcode = 2
    reply = OpenReply
    may_challenge = True

    name: Text


class Close(Request):
    """Close a device, whatever it is doing."""

    opcode = 3
    reply = Acknowledgement

    handle: Word


class GetDescriptors(Request):
    """Ask for all option descriptors."""

    opcode = 4
    reply = DescriptorsReply

    handle: Word


class ControlOption(Request):
    """Get or set option number *option*; value has value_size bytes, zeros for GET.

    SET_AUTO ends with the action; the last three fields are then 0, 0 and b"".
    """

    opcode = 5
    reply = ControlReply
    may_challenge = True

    handle: Word
    option: Word
    action: Word
    value_type: ControlWord
    value_size: ControlWord
    value: Value

    @property
    def has_value(self) -> bool:
        """The last three fields are sent."""
        return bool(self.action != const.ACTION_SET_AUTO)


class ControlOption2(ControlOption):
    """The form of protocol version 2, where SET_AUTO carries a value too."""

    has_value = True


class GetParameters(Request):
    """Ask for the parameters, at any time."""

    opcode = 6
    reply = ParametersReply

    handle: Word


class Start(Request):
    """Begin a frame; the reply says where its data waits."""

    opcode = 7
    reply = StartReply
    may_challenge = True

    handle: Word


class Cancel(Request):
    """End the job of a handle."""

    opcode = 8
    reply = Acknowledgement

    handle: Word


class Authorize(Request):
    """Answer an auth challenge: the resource as it came, user name and password or digest."""

    opcode = 9
    reply = Acknowledgement

    resource: Text
    user: Text
    password: Text


class Exit(Request):
    """End the connection; nothing answers."""

    opcode = 10


REQUESTS: dict[int, type[Request]] = {
    request.opcode: request
    for request in (
        *(Init, GetDevices, Open, Close, GetDescriptors, ControlOption, GetParameters),
        *(Start, Cancel, Authorize, Exit),
    )
}
