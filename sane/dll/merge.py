"""Scanners that several backends list are listed once, by the best way to them.

It knows who the devices are (device_identity.py), and which way is better; a name that is left out
stays openable. docs/backends.md, "A scanner that is found in several ways", says the rules.
"""

from __future__ import annotations

from .device_identity import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..backend import DeviceInfo
    from ..usb.sysfs import BusDevice

    Listed = tuple[str, DeviceInfo]  # full name without aliases; what is listed for it
    Key = tuple[object, ...]
    Way = tuple[int, Identity, DeviceInfo]  # its number in the list, from 0
    Group = list[Way]

# From best to worst; all others stand between the first and the last two.
BEST = ("escl",)  # knows most of a device, and needs no driver for it
LAST = ("wsd", "airscan")  # the older protocol; another program's way to what escl and wsd reach
CANDIDATES = 32  # scanners at one host that are compared: somebody who lists more plays with us


def merge(
    listed: Sequence[Listed],
    preferred: Sequence[str] | None = None,
    on_usb: Iterable[BusDevice] | None = None,
) -> list[DeviceInfo]:
    """Return the devices with every scanner once, where the first of its names stood.

    Of several names for one scanner, one that dll.aliases gives stays, else that of the first
    backend in *preferred*, else that of the best. preferred: None merges only where a backend says
    itself who the device is; names alone, as C backends give them, do not count among themselves.
    on_usb: the devices on the USB, None for those that are there now.
    """
    ways: Group = []
    for number, (full, device) in enumerate(listed):
        ways.append((number, Identity(full, device), device))
    identities = [identity for _, identity, _ in ways]
    _look_up_usb(identities, on_usb)
    rules = _Rules(identities, by_names=preferred is not None)
    groups: dict[int, Group] = {}  # by the number of the first in it
    of_key: dict[Key, list[int]] = {}  # the groups in which one has it
    for way in ways:
        group = [way]
        keys = set(_keys(way[1]))
        for other in sorted({it for key in keys for it in of_key.get(key, ())}):
            if other in groups and rules.are_one(way[1], group, groups[other]):
                group = sorted(groups.pop(other) + group, key=lambda it: it[0])
        first = group[0][0]
        groups[first] = group
        for key in keys.union(*(_keys(identity) for _, identity, _ in group)):
            known = of_key.setdefault(key, [])
            if first not in known and len(known) < CANDIDATES:
                known.append(first)
    return [_best(groups[first], preferred or ()) for first in sorted(groups)]


def _keys(identity: Identity) -> Iterator[Key]:
    """Yield what another entry for the same scanner shares with this one, or some of it."""
    remote = identity.remote
    if identity.usb_place:
        yield remote, "place", identity.usb_place
    for kind, value in (
        ("uuid", identity.uuid),
        ("usb", identity.usb),
        ("serial", identity.serial),
        *(("host", host) for host in identity.hosts),
    ):
        if value:
            yield remote, kind, value


class _Rules:
    """Decides whether two entries are one scanner; it has seen the whole list.

    by_names: what only names tell counts as well where no backend says more.
    """

    def __init__(self, identities: Sequence[Identity], by_names: bool) -> None:
        self._by_names = by_names
        seen: set[Key] = set()
        self._crowded: set[Key] = set()  # what one backend lists more than one device with
        for identity in identities:
            for key in _keys(identity):
                of_backend = (*key, identity.backend)
                if of_backend in seen:
                    self._crowded.add(key)
                seen.add(of_backend)

    def are_one(self, identity: Identity, group: Group, other: Group) -> bool:
        """Tell whether the *group* of *identity* and the *other* are one scanner.

        They are not if one backend lists both: it then takes them for two devices.
        """
        backends = {it.backend for _, it, _ in group}
        if any(it.backend in backends for _, it, _ in other):
            return False
        return any(self._is_same(identity, it) for _, it, _ in other)

    def _is_same(self, one: Identity, other: Identity) -> bool:
        is_told = self._by_names or one.is_told or other.is_told
        if not is_told or one.remote != other.remote:
            return False
        if one.usb_place and other.usb_place:
            return one.usb_place == other.usb_place
        if one.uuid and one.uuid == other.uuid:
            return True
        if one.serial and other.serial and one.serial != other.serial:
            return False
        return self._share_usb(one, other) or self._share_host(one, other)

    def _share_usb(self, one: Identity, other: Identity) -> bool:
        """Tell whether they are one by USB ids or serial number.

        Ids alone will do if no backend lists two such devices; a serial number if the model agrees.
        """
        has_serial = bool(one.serial) and one.serial == other.serial
        if one.usb and one.usb == other.usb:
            return has_serial or (one.remote, "usb", one.usb) not in self._crowded
        return has_serial and one.has_model_of(other)

    def _share_host(self, one: Identity, other: Identity) -> bool:
        """Tell whether they are one by their host.

        Where more than one device is behind it, as on this machine, the model has to agree as well.
        """
        shared = one.hosts & other.hosts
        is_crowded = one.is_on_this_machine() or other.is_on_this_machine()
        is_crowded |= any((one.remote, "host", host) in self._crowded for host in shared)
        return bool(shared) and (not is_crowded or one.has_model_of(other))


def _look_up_usb(identities: Sequence[Identity], on_usb: Iterable[BusDevice] | None) -> None:
    """Fill in ids and serial number of those that name only their place on the USB.

    A service that offers a USB device tells them, and not the place.
    """
    wanting = [it for it in identities if it.usb_place and not it.usb and not it.remote]
    if not wanting or not any(it.usb and not it.usb_place for it in identities):
        return
    if on_usb is None:
        from ..usb.sysfs import devices

        on_usb = devices()
    known = {(device.bus, device.address): device for device in on_usb}
    for identity in wanting:
        device = known.get(identity.usb_place or (0, 0))
        if device is not None:
            identity.set_usb(f"{device.vendor:04x}:{device.product:04x}", device.text("serial"))


def _best(group: Group, preferred: Sequence[str]) -> DeviceInfo:
    """Return what is listed for the scanner that all of *group* are."""

    def rank(way: Way) -> tuple[bool, int, int, bool, int]:
        number, identity, device = way
        backend = identity.full.partition(":")[0]
        order = preferred.index(backend) if backend in preferred else len(preferred)
        quality = 1
        if backend in BEST:
            quality = 0
        elif backend in LAST:
            quality = 2 + LAST.index(backend)
        return device.name == identity.full, order, quality, not identity.is_told, number

    return min(group, key=rank)[2]
