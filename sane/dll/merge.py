"""Devices that several backends list: found by USB position or network host, listed once.

It knows device names as backends form them, and nothing of how they are opened: a name that is
left out stays openable. Source: names that the distribution's backends and pages on them show.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import DeviceInfo

    Listed = tuple[str, DeviceInfo]  # full name without aliases; what is listed for it
    Place = tuple[str, ...]

SCHEMES = ("http://", "https://")
HOST_FIRST = ("dell1600n_net", "xerox_mfp", "smfp")  # their device name is the host
PARAMETERS = ("ip=", "hostname=")  # hpaio:/net/Model?ip=10.0.0.2
SERIALS = ("serial=", "sn=")


def merge(listed: Sequence[Listed], preferred: Sequence[str]) -> list[DeviceInfo]:
    """Return the devices with every scanner once, where the first of its names stood.

    Of several names for one scanner, one that dll.aliases gives stays, else that of the first
    backend in *preferred*, else the first.
    """
    groups: list[list[Listed]] = []
    for full, device in listed:
        for group in groups:
            if is_same(full, group[0][0]) and not any(_are_rivals(full, it) for it, _ in group):
                group.append((full, device))
                break
        else:
            groups.append([(full, device)])
    return [min(group, key=lambda it: _rank(it, preferred))[1] for group in groups]


def _are_rivals(one: str, other: str) -> bool:
    """Tell whether one backend lists both names, which it then takes for two devices."""
    backend = one.partition(":")[0]
    if backend != other.partition(":")[0]:
        return False
    return backend != "net" or _are_rivals(*(_split_host(name[4:])[1] for name in (one, other)))


def _rank(listed: Listed, preferred: Sequence[str]) -> tuple[bool, int]:
    full, device = listed
    backend = full.partition(":")[0]
    order = preferred.index(backend) if backend in preferred else len(preferred)
    return device.name == full, order


def is_same(one: str, other: str) -> bool:
    """Tell whether two full names of different backends mean the same scanner.

    The same USB bus and address, or the same network host unless both name a serial number and
    these differ.
    """
    if _are_rivals(one, other):
        return False
    place = place_of(one)
    if place is None or place != place_of(other):
        return False
    serials = {serial for serial in (serial_of(one), serial_of(other)) if serial}
    return "usb" in place or len(serials) < 2


def place_of(full: str) -> Place | None:
    """Return where the scanner with this full name is: ("usb", bus, address), ("host", name)."""
    backend, _, name = full.partition(":")
    if backend == "net":
        host, name = _split_host(name)
        place = place_of(name)
        return None if place is None else ("net", host, *place)
    return _usb_place(name) or _host_place(backend, name)


def serial_of(full: str) -> str:
    """Return the serial number in a name, "" without one."""
    return _parameter(full, SERIALS).lower()


def _usb_place(name: str) -> Place | None:
    """Return the place in ``libusb:BBB:DDD``, which may stand anywhere in a name."""
    _, found, rest = name.partition("libusb:")
    numbers = [part.strip() for part in rest.split(":")[:2]]
    if not found or len(numbers) < 2:
        return None
    digits = [_leading_digits(number) for number in numbers]
    return ("usb", *(str(int(text)) for text in digits)) if all(digits) else None


def _leading_digits(text: str) -> str:
    end = 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return text[:end][:6]


def _host_place(backend: str, name: str) -> Place | None:
    """Return the host that a name of a network device gives."""
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
    host = host.strip("[]").lower().rstrip(".")
    return ("host", host) if host and " " not in host else None


def _split_host(text: str) -> tuple[str, str]:
    """Return the host before the first colon, an IPv6 address in brackets whole, and the rest."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host.lower(), rest.removeprefix(":")
    host, _, rest = text.partition(":")
    return host.lower(), rest


def _parameter(name: str, keys: Sequence[str]) -> str:
    """Return the value of one of *keys* in a query ``?key=value&key=value``."""
    for part in name.partition("?")[2].split("&"):
        for key in keys:
            if part.startswith(key):
                return part[len(key) :]
    return ""
