"""WS-Discovery without I/O: who is on the network, and what a device says of itself.

Datagrams are hostile: anybody may send them. Source: WS-Discovery (2005/04); Devices Profile for
Web Services (2006/02); specification escl 9.2.
"""

from __future__ import annotations

from ...discovery.identity import uuid_of
from ...errors import DeviceIOError, Invalid
from ...transport.url import Url
from .._driverless.xml import escaped
from . import soap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._driverless.xml import Element

PORT = 3702
GROUPS = ("239.255.255.250", "ff02::c")
EVERYBODY = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
DIRECT_PATH = "/StableWSDiscoveryEndpoint/schemas-xmlsoap-org_ws_2005_04_discovery"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
SCANNER, PRINTER, SERVICE = "ScanDeviceType", "PrintDeviceType", "ScannerServiceType"
HELLO, BYE = "Hello", "Bye"
MATCHES = {"ProbeMatches": "ProbeMatch", "ResolveMatches": "ResolveMatch"}
MOST_TARGETS, MOST_URLS = 64, 32  # of one datagram, and of one device
NAME_CHARACTERS = 1024


def probe(identity: str) -> bytes:
    """Return the question who is there: to all devices, since multifunction ones say "printer"."""
    body = "<wsd:Probe><wsd:Types>wsdp:Device</wsd:Types></wsd:Probe>"
    action = f"{soap.DISCOVERY}/Probe"
    return soap.envelope(action, identity, EVERYBODY, body, expects_answer=False)


def resolve(identity: str, address: str) -> bytes:
    """Return the question where the device *address* is, which has answered without saying so."""
    body = (
        "<wsd:Resolve><wsa:EndpointReference><wsa:Address>"
        f"{escaped(address)}</wsa:Address></wsa:EndpointReference></wsd:Resolve>"
    )
    action = f"{soap.DISCOVERY}/Resolve"
    return soap.envelope(action, identity, EVERYBODY, body, expects_answer=False)


def metadata_question(identity: str, address: str) -> bytes:
    """Return the question to the device *address* what it is."""
    return soap.envelope(GET, identity, address, "")


class Target:
    """A device that was heard: *address* is who it is, *urls* where it says to be.

    has_left: it said good-bye. is_scanner: it may be one.
    """

    __slots__ = ("address", "has_left", "is_scanner", "urls")

    def __init__(self, found: Element, *, has_left: bool = False) -> None:
        self.address = found.value("EndpointReference", "Address")[:NAME_CHARACTERS]
        types = {soap.local(word) for word in found.value("Types").split()}
        self.is_scanner = not types or bool(types & {SCANNER, PRINTER, "Device"})
        self.urls = found.value("XAddrs").split()[:MOST_URLS]
        self.has_left = has_left


def heard(data: bytes) -> list[Target]:
    """Return the devices that a datagram tells of; raises DeviceIOError for what is none."""
    message = soap.read(data)
    action = message.action.rstrip("/").rpartition("/")[2]
    if action in (HELLO, BYE):
        found = message.body.find(action)
        targets = [] if found is None else [Target(found, has_left=action == BYE)]
    else:
        matches = message.body.find(action) if action in MATCHES else None
        if matches is None:
            return []
        targets = [Target(one) for one in list(matches.all(MATCHES[action]))[:MOST_TARGETS]]
    return [target for target in targets if target.address]


class Metadata:
    """What a device says of itself: *vendor*, *model*, *name*, *serial*; *urls* of its scanners."""

    __slots__ = ("address", "model", "name", "serial", "urls", "uuid", "vendor")

    def __init__(self) -> None:
        self.vendor = self.model = self.name = self.serial = self.address = ""
        self.urls: list[str] = []
        self.uuid = ""

    @property
    def full_model(self) -> str:
        """Make and model; the address where the device says neither."""
        if self.model.lower().startswith(self.vendor.lower()):
            return self.model or self.address
        return f"{self.vendor} {self.model}".strip()


def metadata(data: bytes, address: str) -> Metadata:
    """Return what the device *address* answered; raises DeviceIOError for another answer."""
    message = soap.read(data)
    if message.fault:
        raise DeviceIOError(f"{address}: {message.fault} {message.reason}".rstrip())
    found = Metadata()
    found.address, found.uuid = address, uuid_of(address)
    for section in soap.descendants(message.body, "ThisModel"):
        found.vendor = found.vendor or section.value("Manufacturer")
        found.model = found.model or section.value("ModelName")
    for section in soap.descendants(message.body, "ThisDevice"):
        found.name = found.name or section.value("FriendlyName")
        found.serial = found.serial or section.value("SerialNumber")
    for hosted in soap.descendants(message.body, "Hosted"):
        types = {soap.local(word) for word in hosted.value("Types").split()}
        if SERVICE in types:
            references = hosted.all("EndpointReference")
            found.urls += [one.value("Address") for one in references]
    found.urls = list(dict.fromkeys(found.urls))[:MOST_URLS]
    return found


def reachable(text: str, sender: str) -> Url | None:
    """Return where *text*, a URL that *sender* (an address) told, leads to: to the sender itself.

    A device may be asked at its own address alone, so that nobody makes us ask others; a name in
    place of the address is not looked up. None for what is no such URL.
    """
    try:
        url = Url.parse(text)
    except Invalid:
        return None
    if url.scheme not in ("http", "https"):
        return None
    host = url.host.partition("%")[0]
    own = sender.partition("%")[0]
    is_literal = ":" in host or host.replace(".", "").isdigit()
    if is_literal and host.lower() != own.lower():
        return None
    return Url(url.scheme, sender, url.port, url.path)
