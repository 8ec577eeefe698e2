"""Who a listed device is: by what its backend says of it, else by the name it gives it.

It knows device names as backends form them, and nothing of how they are opened. A backend in Python
says in DeviceInfo who a device is. A C backend cannot, but its names give the place on the USB or
the host; sane-airscan lists the address in the type.
Source: names that the distribution's backends, and pages on them, show.
"""

from __future__ import annotations

import _socket

from ..discovery.identity import usb_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import DeviceInfo

REMOTE = "net"
SCHEMES = ("http://", "https://")
HOST_FIRST = ("dell1600n_net", "xerox_mfp", "smfp")  # their device name is the host
PARAMETERS = ("ip=", "hostname=")  # hpaio:/net/Model?ip=10.0.0.2
SERIALS = ("serial=", "sn=")
SERVERS = 8  # that pass a device on: a longer chain is none, but somebody who plays with us
SERIAL_CHARS = 4  # a shorter one is in many devices, as one of zeros is
MODEL_CHARS = 3  # a shorter one is part of many names
MAPPED = b"\0" * 10 + b"\xff\xff"  # before an IPv4 address in an IPv6 one


class Identity:
    """Who the device with the full name *full* is; a text that is not known is "".

    remote: the servers that list it, each asking the next, () for a device of this machine.
    backend: that drives it. is_told: it says itself who it is, other than by its name. usb_place:
    bus and address. usb: ids. hosts: its names and addresses.
    """

    __slots__ = (
        *("backend", "full", "hosts", "is_told", "maker_and_model", "model"),
        *("remote", "serial", "usb", "usb_place", "uuid"),
    )

    def __init__(self, full: str, device: DeviceInfo) -> None:
        self.full = full
        self.remote, self.backend, name = _split_remote(full)
        self.uuid, self.usb = device.uuid, device.usb
        self.serial = _serial(device.serial or _parameter(name, SERIALS))
        self.model = _letters(device.model)
        self.maker_and_model = _letters(device.vendor) + self.model
        hosts = device.host.split() or _airscan_hosts(self.backend, device.type)
        self.is_told = bool(self.uuid or device.serial or self.usb or hosts)
        self.usb_place = usb_place(name)
        if not hosts and not self.usb_place:
            hosts = _hosts_in_name(self.backend, name)
        self.hosts = frozenset(map(host_of, hosts))
        ids, _, serial = name.partition("_")
        if self.backend == "pixma" and not self.usb and usb_of(ids):  # pixma:04A91912_0123AB
            self.set_usb(usb_of(ids), serial)

    def set_usb(self, ids: str, serial: str) -> None:
        """Take over USB ids, and the serial number that belongs to them."""
        self.usb, self.serial = ids, _serial(serial) or self.serial

    def has_model_of(self, other: Identity) -> bool:
        """Tell whether one of the two is named in the name of the other."""
        return any(
            len(one.model) >= MODEL_CHARS and one.model in another.maker_and_model
            for one, another in ((self, other), (other, self))
        )

    def is_on_this_machine(self) -> bool:
        """Tell whether its host is where many devices are: what the USB offers as a service."""
        return any(host.startswith("127.") or host in ("::1", "localhost") for host in self.hosts)


def usb_place(name: str) -> tuple[int, int] | None:
    """Return bus and address in ``libusb:BBB:DDD``, which may stand anywhere in *name*."""
    _, found, rest = name.partition("libusb:")
    numbers = [_leading_digits(part.strip()) for part in rest.split(":")[:2]]
    if not found or len(numbers) < 2 or not all(numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def host_of(text: str) -> str:
    """Return a host in one spelling: small letters, an address as inet_ntop writes it, no zone.

    Link-local addresses are made to be unique, so that the zone need not tell them apart.
    """
    host = text.strip("[]").partition("%")[0].lower().rstrip(".")
    try:
        packed = _socket.inet_pton(_socket.AF_INET6, host)
    except (OSError, ValueError):
        return host
    if packed.startswith(MAPPED):
        return _socket.inet_ntop(_socket.AF_INET, packed[len(MAPPED) :])
    return _socket.inet_ntop(_socket.AF_INET6, packed)


def _split_remote(full: str) -> tuple[tuple[str, ...], str, str]:
    """Return the servers, the backend and the device's own name in ``net:HOST:BACKEND:NAME``."""
    remote: list[str] = []
    backend, _, name = full.partition(":")
    while backend == REMOTE and name and len(remote) < SERVERS:
        host, rest = _split_host(name)
        remote.append(host_of(host))
        backend, _, name = rest.partition(":")
    return tuple(remote), backend, "" if backend == REMOTE else name


def _airscan_hosts(backend: str, type: str) -> list[str]:
    """Return the addresses in what sane-airscan lists as a type: ``ip=10.0.0.2, fe80::1``."""
    before, found, rest = type.partition("ip=")
    if backend != "airscan" or not found or before[-1:].strip():
        return []
    return rest.replace(",", " ").split()


def _hosts_in_name(backend: str, name: str) -> list[str]:
    """Return the host that the name of a network device gives, [] without one."""
    host = ""
    for scheme in SCHEMES:
        _, found, rest = name.partition(scheme)
        if found:
            host = _split_host(rest.partition("/")[0].partition("?")[0])[0]
    if not host:
        host = _parameter(name, PARAMETERS)
    if not host and name.startswith("net:"):  # epson2:net:HOST
        host = name[4:]
    if not host and name.startswith("tcp "):  # xerox_mfp:tcp HOST [PORT]
        host = name[4:].strip().partition(" ")[0]
    if not host and backend in HOST_FIRST and not name.startswith(("usb", "/")):
        host = name
    if not host and backend == "pixma" and "_" in name:  # pixma:MODEL_10.0.0.2
        host = name.rpartition("_")[2]
        host = host if host.count(".") == 3 or ":" in host else ""
    return [host] if host.strip("[].") and " " not in host else []


def _split_host(text: str) -> tuple[str, str]:
    """Return the host before the first colon, an IPv6 address in brackets whole, and the rest."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, rest = text.partition(":")
    return host, rest


def _parameter(name: str, keys: Sequence[str]) -> str:
    """Return the value of one of *keys* in a query ``?key=value&key=value``."""
    for part in name.partition("?")[2].split("&"):
        for key in keys:
            if part.startswith(key):
                return part[len(key) :]
    return ""


def _serial(text: str) -> str:
    """Return a serial number in small letters, "" for one that tells no device from another."""
    serial = text.strip().lower()
    return serial if len(serial) >= SERIAL_CHARS and len(set(serial)) > 1 else ""


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def _leading_digits(text: str) -> str:
    end = 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return text[:end][:6]
