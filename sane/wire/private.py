"""Two requests beyond the protocol, between the web server and its own worker processes.

They travel on socket pairs only. A server that listens in the network knows messages.REQUESTS and
takes these for what they are there: requests that do not exist.
"""

from __future__ import annotations

from . import messages
from .records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .messages import Request
    from .records import Flag, Text, Word

NO_HANDLE = -1


class IdentityReply(Record):
    """Who a device is, as DeviceInfo has it, and what only its driver knows.

    encoded: the MIME types in which it sends finished pages, by blanks. conditions: the numbers of
    the statuses that Device.conditions gave, by blanks; None if it does not say, or is not open.
    polls: its buttons may be read again and again.
    """

    status: Word
    uuid: Text
    serial: Text
    host: Text
    usb: Text
    encoded: Text
    conditions: Text
    polls: Flag


class Identify(messages.Request):
    """Ask who a device is: the listed one called *name*, and the open one *handle*, if any."""

    opcode = 0x5001
    reply = IdentityReply

    handle: Word
    name: Text


class StartPage(messages.Start):
    """Begin a page that comes as the device sends it, in the format *mime*, instead of a frame."""

    opcode = 0x5002

    mime: Text


REQUESTS: dict[int, type[Request]] = {
    **messages.REQUESTS,
    Identify.opcode: Identify,
    StartPage.opcode: StartPage,
}
