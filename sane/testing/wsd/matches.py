"""What an emulated device answers to who asks for it by WS-Discovery."""

from __future__ import annotations

from xml.sax.saxutils import escape

from . import messages
from .messages import DISCOVERY

TYPES = "wsdp:Device wscn:ScanDeviceType"


def target(uuid: str, url: str) -> str:
    """Return what tells of a device: who it is, what it is, and where; "" for no *url*."""
    urls = f"<wsd:XAddrs>{escape(url)}</wsd:XAddrs>" if url else ""
    return (
        "<wsa:EndpointReference><wsa:Address>"
        f"urn:uuid:{escape(uuid)}</wsa:Address></wsa:EndpointReference>"
        f"<wsd:Types>{TYPES}</wsd:Types>{urls}<wsd:MetadataVersion>1</wsd:MetadataVersion>"
    )


def matches(uuid: str, url: str, data: bytes, *, tells_url: bool = True) -> bytes | None:
    """Return the answer of the device *uuid* at *url* to a Probe or a Resolve, None for others.

    tells_url: a Probe is told where it is; otherwise only a Resolve is.
    """
    try:
        action, identity, body = messages.read(data)
    except ValueError:
        return None
    if action not in ("Probe", "Resolve"):
        return None
    if action == "Resolve" and body.findtext(".//Address") != f"urn:uuid:{uuid}":
        return None
    found = target(uuid, url if tells_url or action == "Resolve" else "")
    text = f"<wsd:{action}Match>{found}</wsd:{action}Match>"
    answer = f"<wsd:{action}Matches>{text}</wsd:{action}Matches>"
    return messages.envelope(f"{DISCOVERY}/{action}Matches", answer, identity)
