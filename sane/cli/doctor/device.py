"""Area device: each scanner that is listed: opened, its options read, and one line of a page.

It knows the registry and handles, as every program that scans, and moves paper only when the user
allowed a test read (--scan).
"""

from __future__ import annotations

from ... import const
from ...backend import Context
from ...config import Environment
from ...dll.config import Aliases, split_name
from ...dll.finder import NotFound
from ...dll.pysane_conf import PysaneConf
from ...dll.registry import Loader, Registry
from ...errors import (
    AccessDenied,
    CoverOpen,
    DeviceBusy,
    EndOfFrame,
    Jammed,
    NoDocs,
    SaneError,
)
from ...net.hosts import split_device
from .checks import Check
from .configuration import enabled
from .finding import FAULT, OK, WARNING, Finding
from .listener import Listener
from .machine import quoted
from .private import HOST, SERIAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ...backend import Backend, DeviceInfo
    from ...handle import Handle
    from ...option import Option
    from .machine import Machine

LIST_SECONDS = 20.0  # the registry's own limit is 10 s, to which helpers add some
DEVICE_SECONDS = 45.0  # a lamp warms up for half a minute
PAPER, COVER = ("page-loaded", "adf-loaded"), ("cover-open",)
SENSORS = "sensors"  # the name of their group
MOST_READS = 64  # of a scanner that gives single bytes
FAILURE = "backend "  # how the registry's messages about a backend that fails begin
MISSING = f": {NotFound.__name__}: "  # of one that is not there: installation.backends tells that
CONNECT_LIMIT, CONNECT_SECONDS = "SANE_NET_TIMEOUT", "8"
BY_NETWORK = ("net",)


class QuietLoader(Loader):
    """Loads backends whose messages, and those of the registry, go to *listener* alone."""

    def __init__(self, context: Context, listener: Listener) -> None:
        self.listener = listener
        super().__init__(context)

    def set_context(self, context: Context) -> None:
        super().set_context(context)
        self.debug = self.listener

    def load(self, name: str) -> Backend:
        backend = super().load(name)
        backend.debug = self.listener
        return backend


class Listed:
    """What programs list: *devices*; *failures*: what went wrong; *registry* opens them."""

    def __init__(self, machine: Machine) -> None:
        listener = Listener("dll")
        environment = impatient(machine.environment)
        loader = QuietLoader(Context(environment), listener)
        conf = PysaneConf(environment, listener)
        loader.natives = conf.natives
        aliases = Aliases.load(environment, listener)
        self.registry = Registry(loader, enabled(machine), aliases, conf)
        self.devices = self.registry.get_devices()
        self.failures = [
            text for text in listener.heard if text.startswith(FAILURE) and MISSING not in text
        ]


def impatient(environment: Environment) -> Environment:
    """Return *environment* with a limit to connecting, which by itself takes minutes to fail.

    So a data connection that a firewall drops is told as that, within the limit of the check.
    """
    return Environment({CONNECT_LIMIT: CONNECT_SECONDS, **environment.variables}, environment.cwd)


def found(machine: Machine) -> Listed:
    """Return what programs list."""
    return machine.once("listed", lambda: Listed(machine))


def listed(machine: Machine) -> Iterator[Finding]:
    """Whether any scanner is listed."""
    for text in found(machine).failures:
        yield Finding(WARNING, f"{text[0].upper()}{text[1:]}.")
    for one in found(machine).devices:
        machine.private.note(SERIAL, one.serial, one.uuid)
        machine.private.note(HOST, *one.host.split())
        text = f"{one.vendor} {one.model} is found as {one.name}."
        yield Finding(OK, text).about(one.name)
    if not found(machine).devices:
        text = "No scanner is found: the faults and warnings above, if any, may say why."
        yield Finding(FAULT, text, "sane-find-scanner")


LIST = Check("device.list", "listing all scanners", listed, LIST_SECONDS)


def opening(one: DeviceInfo) -> Check:
    """Return the check of one device."""

    def look(machine: Machine) -> Iterator[Finding]:
        return look_at(machine, one)

    return Check("device.open", f"opening {one.name}", look, DEVICE_SECONDS, one.name)


def look_at(machine: Machine, one: DeviceInfo) -> Iterator[Finding]:
    """Open a device, and tell how it is."""
    try:
        handle = found(machine).registry.open(one.name)
    except SaneError as exc:
        yield not_opened(one, exc)
        return
    try:
        more = "" if machine.scans else " (--scan would also read a line)"
        yield Finding(OK, f"{one.name} can be opened{more}.")
        values, failed = read_options(handle)
        count = len(values)
        if failed:
            text = f"{one.name}: {len(failed)} options cannot be read: {'; '.join(failed)}."
            yield Finding(WARNING, text, id="device.options")
        else:
            yield Finding(OK, f"{one.name}: {count} options are read.", id="device.options")
        yield from conditions(one, handle)
        yield from sensors(one, handle, values)
        if machine.scans:
            yield read_line(one, handle)
    finally:
        handle.close()


def not_opened(one: DeviceInfo, exc: SaneError) -> Finding:
    """Return what it means that a device could not be opened."""
    backend = one.name.partition(":")[0]
    if isinstance(exc, DeviceBusy):
        text = f"{one.name} is busy: another program or computer uses it ({exc})."
        return Finding(FAULT, text)
    if isinstance(exc, AccessDenied):
        text = f"{one.name}: access is denied ({exc})."
        return Finding(FAULT, text)
    command = f"SANE_DEBUG_{backend.upper()}=3 pysane-scan -d {quoted(one.name)} -A"
    return Finding(FAULT, f"{one.name} is listed, but cannot be opened: {exc}.", command)


def read_options(handle: Handle) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the options that can be read, and why the others cannot."""
    values: dict[str, Any] = {}
    failed: list[str] = []
    for index in range(1, len(handle.options)):
        option = handle.descriptor(index)
        if not is_readable(handle, index, option):
            continue
        try:
            values[option.name or ""] = option.decode(handle.get(index).ljust(option.size, b"\0"))
        except Exception as exc:  # a driver's mistakes too: they are what is looked for
            failed.append(f"{option.name} ({exc})")
    return values, failed


def is_readable(handle: Handle, index: int, option: Option) -> bool:
    """Tell whether an option has a value now."""
    cap = handle.options.caps[index]
    is_value = option.type not in (const.TYPE_BUTTON, const.TYPE_GROUP)
    return is_value and bool(cap & const.CAP_SOFT_DETECT) and not cap & const.CAP_INACTIVE


def conditions(one: DeviceInfo, handle: Handle) -> Iterator[Finding]:
    """Tell what the scanner itself says that may stand in the way of a scan."""
    found = handle.device.conditions()
    if found == []:
        text = f"{one.name} says that nothing stands in the way of a scan."
        yield Finding(OK, text, id="device.sensors")
    for exc in found or ():
        if isinstance(exc, NoDocs):
            yield Finding(OK, f"{one.name}: the feeder is empty.", id="device.feeder")
        elif isinstance(exc, CoverOpen):
            yield Finding(WARNING, f"{one.name}: {exc}: close it.", id="device.cover")
        else:
            id = "device.feeder" if isinstance(exc, Jammed) else "device.sensors"
            yield Finding(FAULT, f"{one.name}: {exc}.", id=id)


def sensors(one: DeviceInfo, handle: Handle, values: dict[str, Any]) -> Iterator[Finding]:
    """Tell of paper in the feeder, of the cover, and what else the scanner senses."""
    for name in PAPER:
        if name in values:
            state = "has paper" if values[name] else "is empty"
            yield Finding(OK, f"{one.name}: the feeder {state}.", id="device.feeder")
    for name in COVER:
        if values.get(name):
            text = f"{one.name}: its cover is open: close it."
            yield Finding(WARNING, text, id="device.cover")
        elif name in values:
            yield Finding(OK, f"{one.name}: its cover is closed.", id="device.cover")
    others = sensed(handle, values)
    if others:
        text = ", ".join(f"{name} {shown(value)}" for name, value in others.items())
        yield Finding(OK, f"{one.name}: sensors: {text}.", id="device.sensors")


def sensed(handle: Handle, values: dict[str, Any]) -> dict[str, Any]:
    """Return what can be read and not set in the group of sensors, without paper and cover."""
    others: dict[str, Any] = {}
    is_sensors = False
    for option in handle.options.declared:
        if option.type == const.TYPE_GROUP:
            is_sensors = (option.name or option.title).lower() == SENSORS
        elif is_sensors and option.name in values and option.name not in (*PAPER, *COVER):
            others[option.name] = values[option.name]
    return others


def shown(value: object) -> str:
    """Return a value of a sensor for people."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def read_line(one: DeviceInfo, handle: Handle) -> Finding:
    """Read one line of a page, and end the job."""
    try:
        handle.start()
        params = handle.parameters()
        left = params.bytes_per_line
        view = memoryview(bytearray(left))
        for _ in range(MOST_READS):
            left -= handle.read(view[:left])
            if not left:
                break
    except (NoDocs, CoverOpen, Jammed) as exc:
        return Finding(WARNING, f"{one.name}: nothing was read: {exc}.", id="device.read")
    except EndOfFrame:
        return Finding(
            FAULT, f"{one.name}: the page ended before its first line.", id="device.read"
        )
    except Exception as exc:  # as above
        if one.name.partition(":")[0] in BY_NETWORK:
            return no_data(one, exc)
        return Finding(FAULT, f"{one.name}: reading a line failed: {exc}.", id="device.read")
    finally:
        handle.cancel_request.set()
        handle.cancelled()
    text = f"{one.name}: a line of {params.pixels_per_line} pixels was read."
    return Finding(OK, text, id="device.read")


def no_data(one: DeviceInfo, exc: Exception) -> Finding:
    """Return what it means that a device of saned opens and gives no image."""
    text = (
        f"{one.name}: it opens, but no image data come ({exc}): a firewall may drop the second "
        "connection, whose port the server chooses; data_portrange in its saned.conf limits them."
    )
    host = split_device(split_name(one.name)[1])[0]
    command = "echo 'data_portrange = 10000 - 10100' | sudo tee -a /etc/sane.d/saned.conf"
    command = f"ssh -- {quoted(host)} {quoted(command)}"
    return Finding(FAULT, text, command, id="network.data-port")
