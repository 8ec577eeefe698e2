"""SOAP messages as WS-Scan and WS-Discovery use them: written, and read strictly. No I/O.

Source: SOAP 1.2; WS-Addressing (2004/08); specification escl 9.1, 9.3 and 9.7.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from .._driverless.xml import Element, escaped, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SOAP_1_1 = "http://schemas.xmlsoap.org/soap/envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
DEVICE = "http://schemas.xmlsoap.org/ws/2006/02/devprof"
SCAN = "http://schemas.microsoft.com/windows/2006/08/wdp/scan"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
FAULT = f"{ADDRESSING}/fault"
PREFIXES = {"soap": SOAP, "wsa": ADDRESSING, "wsd": DISCOVERY, "wsdp": DEVICE, "wscn": SCAN}
URN = "urn:uuid:"
MOST_SUBCODES = 8  # in one another


def message_id(random: bytes) -> str:
    """Return the name of a message, made of 16 random bytes. Source: RFC 4122, 4.4."""
    value = int.from_bytes(random[:16], "big") & ~(0xF << 76) & ~(3 << 62) | 4 << 76 | 2 << 62
    digits = f"{value:032x}"
    return URN + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def envelope(
    action: str, identity: str, to: str, body: str, *, expects_answer: bool = True
) -> bytes:
    """Return a message with *body*, XML that uses PREFIXES.

    identity: of message_id. to: whom it is for; the zone of an address does not belong there.
    """
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    reply = f"<wsa:ReplyTo><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<soap:Envelope{spaces}><soap:Header>'
        f"<wsa:MessageID>{escaped(identity)}</wsa:MessageID><wsa:To>{escaped(to)}</wsa:To>"
        f"{reply if expects_answer else ''}<wsa:Action>{escaped(action)}</wsa:Action>"
        f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def element(name: str, *content: object) -> str:
    """Return an element of WS-Scan: of other elements, or of a number or text of our own."""
    return f"<wscn:{name}>{''.join(map(str, content))}</wscn:{name}>"


def leaf(name: str, text: str) -> str:
    """Return an element of WS-Scan with a text from outside."""
    return element(name, escaped(text))


class Message:
    """A message that came: its *action*, *identity*, whom it answers, and its *body*.

    fault: the code of a fault, without prefix, the innermost one; "" where there is none. reason:
    its text.
    """

    __slots__ = ("action", "body", "fault", "identity", "reason", "relates_to")

    def __init__(self, header: Element | None, body: Element) -> None:
        self.action = header.value("Action") if header is not None else ""
        self.identity = header.value("MessageID") if header is not None else ""
        self.relates_to = header.value("RelatesTo") if header is not None else ""
        self.body = body
        found = body.find("Fault")
        self.fault = self.reason = ""
        if found is not None:
            self.fault = _code(found)
            self.reason = found.value("Reason", "Text") or found.value("faultstring")
        elif plain(self.action) == plain(FAULT):
            self.fault = "Fault"


def read(data: bytes) -> Message:
    """Return the message *data*; raises DeviceIOError, with the reason, for none."""
    root = parse(data)
    if root.name != "Envelope" or plain(root.namespace) not in (plain(SOAP), plain(SOAP_1_1)):
        raise DeviceIOError(f"SOAP: a message that begins with {root.name[:40]!r}")
    body = root.find("Body")
    if body is None:
        raise DeviceIOError("SOAP: a message without a body")
    return Message(root.find("Header"), body)


def plain(namespace: str) -> str:
    """Return a namespace as it is compared: devices write https, and a slash at its end."""
    return namespace.removeprefix("https:").removeprefix("http:").rstrip("/")


def local(name: str) -> str:
    """Return a qualified name, as it stands in a text, without its prefix."""
    return name.strip().rpartition(":")[2]


def _code(fault: Element) -> str:
    """Return the code of a fault: of subcodes in one another the innermost."""
    code = fault.find("Code")
    if code is None:
        return local(fault.value("faultcode")) or "Fault"
    for _ in range(MOST_SUBCODES):
        inner = code.find("Subcode")
        if inner is None:
            break
        code = inner
    return local(code.value("Value")) or "Fault"


def descendants(root: Element, name: str) -> Iterator[Element]:
    """Yield all elements *name* below *root*, in the order of the document."""
    for child in root.children:
        if child.name == name:
            yield child
        yield from descendants(child, name)
