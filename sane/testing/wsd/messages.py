"""What an emulated WS-Scan device writes, and reads of what hosts write. Names as in the standard.

Source: Microsoft, "WS-Scan" (2006/08); WS-Discovery (2005/04); specification escl 9.
"""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from xml.sax.saxutils import escape

ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
DEVICE = "http://schemas.xmlsoap.org/ws/2006/02/devprof"
EXCHANGE = "http://schemas.xmlsoap.org/ws/2004/09/mex"
SCAN = "http://schemas.microsoft.com/windows/2006/08/wdp/scan"
SPACES = {
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": ADDRESSING,
    "wsd": DISCOVERY,
    "wsdp": DEVICE,
    "mex": EXCHANGE,
    "wscn": SCAN,
    "xop": "http://www.w3.org/2004/08/xop/include",
}
FAULT = f"{ADDRESSING}/fault"


def envelope(action: str, body: str, relates_to: str = "", to: str = "") -> bytes:
    """Return a message; it answers the message *relates_to*."""
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in SPACES.items())
    related = f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo>" if relates_to else ""
    target = to or f"{ADDRESSING}/role/anonymous"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope{spaces}><soap:Header>'
        f"<wsa:To>{escape(target)}</wsa:To><wsa:Action>{action}</wsa:Action>"
        f"<wsa:MessageID>urn:uuid:{uuid.uuid4()}</wsa:MessageID>{related}</soap:Header>"
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def element(name: str, *content: object) -> str:
    """Return an element of the scan service."""
    return f"<wscn:{name}>{''.join(str(one) for one in content)}</wscn:{name}>"


def several(outer: str, inner: str, values: Iterable[object]) -> str:
    """Return *outer* with an *inner* for each value."""
    return element(outer, *(element(inner, value) for value in values))


def fault(code: str, reason: str, relates_to: str) -> bytes:
    """Return a fault with the subcode *code*."""
    body = (
        "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode>"
        f"<soap:Value>wscn:{escape(code)}</soap:Value></soap:Subcode></soap:Code><soap:Reason>"
        f'<soap:Text xml:lang="en">{escape(reason)}</soap:Text></soap:Reason></soap:Fault>'
    )
    return envelope(FAULT, body, relates_to)


def read(data: bytes) -> tuple[str, str, ET.Element]:
    """Return the last word of a message's action, its id, and its body.

    The names of elements are those without namespace. Raises ValueError for what is no message.
    """
    try:
        root = ET.fromstring(data)
    except ET.ParseError as exc:
        raise ValueError(f"no XML: {exc}") from exc
    for found in root.iter():
        found.tag = found.tag.rpartition("}")[2]
    body = root.find("Body")
    if body is None:
        raise ValueError("no body")
    action = (root.findtext("Header/Action") or "").rstrip("/").rpartition("/")[2]
    return action, root.findtext("Header/MessageID") or "", body
