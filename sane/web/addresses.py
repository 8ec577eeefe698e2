"""Addresses, networks and names of the machine, and who counts as near.

It knows the kernel's tables and no request. Source: RFC 1918, 3927, 4193, 4291; proc(5),
netdevice(7).
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

NEAR: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
KEPT_SECONDS = 30.0  # of the kernel's tables: addresses change with networks
SIOCGIFADDR, SIOCGIFNETMASK = 0x8915, 0x891B
IPV6_TABLE = "/proc/net/if_inet6"


def plain(text: str) -> Address | None:
    """Return a numeric address without scope, an IPv4-mapped one as IPv4; None for other texts."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_in(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether one of *networks* has the address."""
    return any(address in network for network in networks)


class LocalNetworks:
    """The networks of this machine's interfaces, asked again from time to time."""

    def __init__(self) -> None:
        self._networks: list[Network] = []
        self._until = 0.0

    def __contains__(self, address: Address) -> bool:
        if is_in(address, NEAR):
            return True
        now = time.monotonic()
        if now >= self._until:
            self._networks = [each.network for each in interfaces()]
            self._until = now + KEPT_SECONDS
        return is_in(address, self._networks)


def interfaces() -> list[Interface]:
    """Return the addresses of this machine with their networks; loopback, too."""
    return [*_ipv4(), *_ipv6()]


def _ipv4() -> list[Interface]:
    found: list[Interface] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("16s24x", name.encode()[:15])
            try:
                address = fcntl.ioctl(sock, SIOCGIFADDR, request)[20:24]
                mask = fcntl.ioctl(sock, SIOCGIFNETMASK, request)[20:24]
            except OSError:
                continue  # an interface without IPv4
            text = f"{socket.inet_ntoa(address)}/{socket.inet_ntoa(mask)}"
            found.append(ipaddress.ip_interface(text))
    return found


def _ipv6() -> list[Interface]:
    try:
        with open(IPV6_TABLE, encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return []  # a kernel without IPv6
    return [
        ipaddress.IPv6Interface((bytes.fromhex(row[0]), int(row[2], 16)))
        for row in rows
        if len(row) > 3
    ]


def host_names() -> list[str]:
    """Return the names by which this machine is called: host, host.local, the full name."""
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    return list(
        dict.fromkeys(each for each in (name, short, f"{short}.local", "localhost") if each)
    )


def shown_hosts(bound: Iterable[str]) -> list[str]:
    """Return the hosts under which people reach a server that listens on the addresses *bound*.

    None: all of them. Addresses of the link alone are left out, since browsers do not take them.
    """
    addresses = [plain(text) for text in bound]
    if addresses:
        return [_literal(each) for each in addresses if each is not None]
    own = [
        each.ip for each in interfaces() if not each.ip.is_loopback and not each.ip.is_link_local
    ]
    names = [name for name in host_names() if name.endswith(".local")]
    return [*names, *(_literal(each) for each in own)] or ["localhost"]


def _literal(address: Address) -> str:
    """Return an address as URLs have it."""
    return f"[{address}]" if address.version == 6 else str(address)
