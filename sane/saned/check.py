"""saned --check: what would be shared, to whom, and what is wrong, in plain words.

It reads what the server would read and lists what it would list; it opens no device and serves
nobody.
"""

from __future__ import annotations

import _socket
import os
from stat import S_IROTH

from .. import config
from ..backend import Context
from ..debug import Debug
from ..dll.config import Aliases, backend_names, split_name
from ..dll.registry import registry_for
from ..errors import SaneError
from ..sessions import access, users
from ..sessions.report import Report
from ..sessions.site import Shares
from ..transport import service_port
from ..wire import PORT, SERVICE
from . import listeners, process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config import Environment
    from ..sessions.access import Access, Entry, SanedConf
    from .options import Options


def check(options: Options, environment: Environment) -> int:
    """Print the report; return 1 if there are problems, else 0."""
    report = Report(print)
    found = access.Access.read(environment)
    print(f"Configuration: {found.file or 'no saned.conf'}, searched in", end=" ")
    print(", ".join(directory or "/" for directory in config.directories(environment)))
    report.problems += [*options.warnings, *found.problems]
    tell_devices(report, environment, found.settings, options.allow_network)
    tell_hosts(report, found)
    tell_users(report, environment)
    tell_places(report, options, found.settings)
    return report.end()


def tell_devices(
    report: Report, environment: Environment, settings: SanedConf, allow_network: bool
) -> None:
    """List the devices that clients would see, and those that they would not."""
    debug = Debug("saned", environment)
    names = backend_names(environment, debug)
    aliases = Aliases.load(environment, debug)
    shares = Shares(names, aliases, settings, allow_network)
    registry = registry_for("", Context(environment))
    devices = registry.get_devices(not allow_network)
    registry.exit()
    report.heading("Shared scanners")
    withheld = {}
    for device in devices:
        reason = shares.refusal(split_name(aliases.resolve(device.name))[0])
        if reason:
            withheld[device.name] = reason
        else:
            report.line(f"{device.name}: {device.vendor} {device.model}, {device.type}")
    if len(withheld) == len(devices):
        report.line("none")
        if not withheld:
            asked = ", ".join(names) or "none"
            report.problems.append(f"no scanner was found; backends enabled in dll.conf: {asked}")
    for name, reason in withheld.items():
        report.line(f"not shared: {name}: {reason}")


def tell_hosts(report: Report, found: Access) -> None:
    """Say who may connect."""
    report.heading("Who may connect")
    report.line("programs on this machine")
    for entry in found.entries:
        report.line(f"{describe(entry)} ({entry.where})")
    if not found.entries:
        report.line("nobody else: saned.conf names no host")


def describe(entry: Entry) -> str:
    """Return in words whom a line of saned.conf lets in."""
    if entry.anybody:
        return "EVERYBODY who can reach this machine"
    if entry.needs_resolver:
        addresses = [text_of(address) for address in access.resolve_name(entry.name)]
        known = ", ".join(dict.fromkeys(addresses)) or "a name that is not known now"
        return f"{entry.name}: {known}"
    if entry.address is None:
        return f"nobody: {entry.flaw}"
    if entry.prefix is None:
        return f"the host {text_of(entry.address)}"
    shift = 8 * len(entry.address) - entry.prefix
    low = int.from_bytes(entry.address, "big") >> shift << shift
    high = low | (1 << shift) - 1
    first, last = (text_of(value.to_bytes(len(entry.address), "big")) for value in (low, high))
    return f"the addresses {first} to {last}"


def text_of(address: bytes) -> str:
    """Return a packed address as text."""
    family = _socket.AF_INET if len(address) == access.IPV4_BYTES else _socket.AF_INET6
    return _socket.inet_ntop(family, address)


def tell_users(report: Report, environment: Environment) -> None:
    """Say which backends want a password."""
    report.heading("Passwords")
    try:
        found = users.Users.read(environment)
    except SaneError as exc:
        report.problems.append(f"{exc}: no device can be opened")
        return
    report.problems += found.problems
    for backend, count in found.counts().items():
        people = "one user" if count == 1 else f"{count} users"
        report.line(f"backend {backend}: {people} may open its scanners, with a password")
    if not found.counts():
        report.line("none: whoever may connect may use every shared scanner")
    for directory in config.directories(environment):
        path = f"{directory}/{users.FILE}"
        try:
            if os.stat(path).st_mode & S_IROTH:
                report.problems.append(f"{path} holds passwords, and everybody may read it")
            break
        except OSError:
            continue


def tell_places(report: Report, options: Options, settings: SanedConf) -> None:
    """Say where the server would listen, and with which limits."""
    report.heading("Where (when it stands alone)")
    port = service_port(SERVICE, PORT) if options.port is None else options.port
    report.line(f"port {port or 'any'} of {options.bind or 'every address of this machine'}")
    try:
        for listener in listeners.listen(options.bind, port, report.problems.append):
            listener.close()
    except process.Refused as exc:
        report.line(f"not now: {exc} (is a server running?)")
    if options.user and not process.is_user(options.user):
        report.problems.append(f"there is no user {options.user}")
    if settings.listen_unix:
        report.line(f"and the Unix socket {settings.listen_unix}")
    first, last = settings.data_portrange
    ports = f"the ports {first} to {last}" if first else "any port (data_portrange limits them)"
    report.line(f"image data: {ports}; a firewall must let clients connect to them")
    report.announcing(settings.announce, "announce")
    report.line(
        f"at most {settings.max_clients} clients, {settings.max_clients_per_host} of one host"
    )
