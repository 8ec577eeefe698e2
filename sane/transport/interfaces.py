"""The network interfaces of this machine with their addresses, as the kernel tells them.

It asks by netlink: what getifaddrs would tell, without a library. Nothing is sent to anybody else.
Source: rtnetlink(7).
"""

from __future__ import annotations

import _socket
import struct

from ..errors import DeviceIOError
from .sockets import new_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

GET_LINK, NEW_LINK, GET_ADDRESS, NEW_ADDRESS, DONE, ERROR = 18, 16, 22, 20, 3, 2
REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
IFF_UP, IFF_POINTOPOINT = 1, 16
IFLA_NAME, IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST = 3, 1, 2, 4
ANSWER_BYTES = 1 << 16  # of one datagram: the kernel makes them of half that size
SECONDS = 2.0  # the kernel answers at once; without an answer there is no list

_HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class InterfaceAddress:
    """One address of an interface that is up; packed: *address*, and *broadcast* (b"" without).

    prefix: how many bits of the address its network has.
    """

    __slots__ = ("address", "broadcast", "family", "flags", "index", "name", "prefix")

    def __init__(self, name: str, index: int, flags: int, family: int, prefix: int) -> None:
        self.name = name
        self.index = index
        self.flags = flags
        self.family = family
        self.prefix = prefix
        self.address = b""
        self.broadcast = b""

    @property
    def is_loopback(self) -> bool:
        """It is 127.0.0.0/8 or ::1: only this machine has it, whatever the interface is."""
        if self.family == _socket.AF_INET:
            return self.address[:1] == b"\x7f"
        return self.address == bytes(15) + b"\x01"

    @property
    def is_point_to_point(self) -> bool:
        """One other machine is behind it, as with a VPN: nobody to search for."""
        return bool(self.flags & IFF_POINTOPOINT)

    @property
    def text(self) -> str:
        """The address as text, without a zone."""
        return _socket.inet_ntop(self.family, self.address)

    def is_on_link(self, packed: bytes) -> bool:
        """Tell whether the address *packed* is in this address's network."""
        if len(packed) != len(self.address):
            return False
        shift = 8 * len(packed) - self.prefix
        return (
            int.from_bytes(packed, "big") >> shift == int.from_bytes(self.address, "big") >> shift
        )

    def __repr__(self) -> str:
        return f"InterfaceAddress({self.name!r}, {self.text}/{self.prefix})"


def addresses() -> list[InterfaceAddress]:
    """Return the addresses of all interfaces that are up, in the kernel's order.

    Silence or garbage of the kernel, and a system without netlink, are a DeviceIOError.
    """
    try:
        links = dict(_links(_dump(GET_LINK, NEW_LINK)))
        return list(_addresses(_dump(GET_ADDRESS, NEW_ADDRESS), links))
    except (OSError, struct.error, ValueError) as exc:
        raise DeviceIOError(f"the network interfaces cannot be listed: {exc}") from exc


def _dump(question: int, kind: int) -> Iterator[bytes]:
    """Yield the bodies of the messages *kind* with which the kernel answers *question*."""
    sock = new_socket(_socket.AF_NETLINK, _socket.SOCK_RAW)
    try:
        sock.settimeout(SECONDS)
        body = bytes(4)
        sock.sendto(_HEAD.pack(_HEAD.size + len(body), question, REQUEST_DUMP, 1, 0) + body, (0, 0))
        while True:
            data = sock.recv(ANSWER_BYTES)
            while data:
                size, found, *_ = _HEAD.unpack_from(data)
                if found == DONE:
                    return
                if found == ERROR or not _HEAD.size <= size <= len(data):
                    raise ValueError(f"netlink answers {data[:32].hex(' ')}")
                if found == kind:
                    yield data[_HEAD.size : size]
                data = data[_aligned(size) :]
    finally:
        sock.close()


def _links(bodies: Iterator[bytes]) -> Iterator[tuple[int, tuple[str, int]]]:
    """Yield index, and name and flags, of each interface."""
    for body in bodies:
        _family, _type, index, flags, _change = _LINK.unpack_from(body)
        for kind, value in _attributes(body[_LINK.size :]):
            if kind == IFLA_NAME:
                yield index, (value.rstrip(b"\0").decode("utf-8", "surrogateescape"), flags)


def _addresses(
    bodies: Iterator[bytes], links: dict[int, tuple[str, int]]
) -> Iterator[InterfaceAddress]:
    sizes = {int(_socket.AF_INET): 4, int(_socket.AF_INET6): 16}
    for body in bodies:
        family, prefix, _flags, _scope, index = _ADDRESS.unpack_from(body)
        name, flags = links.get(index, ("", 0))
        if family not in sizes or not flags & IFF_UP:
            continue
        found = InterfaceAddress(name, index, flags, family, prefix)
        values = dict(_attributes(body[_ADDRESS.size :]))
        found.address = values.get(IFA_LOCAL) or values.get(IFA_ADDRESS, b"")
        found.broadcast = values.get(IFA_BROADCAST, b"")
        if len(found.address) == sizes[family] and prefix <= 8 * sizes[family]:
            yield found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= size <= len(data):
            raise ValueError(f"netlink attribute {data[:16].hex(' ')}")
        yield kind, data[_ATTRIBUTE.size : size]
        data = data[_aligned(size) :]


def _aligned(size: int) -> int:
    return (size + 3) & ~3
