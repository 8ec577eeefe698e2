"""Finds services by asking the system's Avahi daemon over D-Bus.

The daemon has a cache: what is in it is told at once, and then the browsing can end. Everything
that it tells comes from the network, from anybody there.
Source: Avahi's introspection files (org.freedesktop.Avahi.Server, .ServiceBrowser).
"""

from __future__ import annotations

import _socket

from ..errors import DeviceIOError
from ..transport.failures import Disconnected, NoAnswer
from ..transport.sockets import Deadline
from . import dbus
from .service import Service, read_texts, unescape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..cancel import Cancels
    from ..debug import Debug
    from .dbus import Bus, Message

    Instance = tuple[str, str]  # its name and type
    Finding = tuple[int, int, str, str, str]  # interface, protocol, name, type, domain

NAME = "org.freedesktop.Avahi"
SERVER = "org.freedesktop.Avahi.Server"
TO_SERVER = NAME, "/", SERVER
BROWSER = "org.freedesktop.Avahi.ServiceBrowser"
OWNER_CHANGED = f"type='signal',sender='{dbus.BUS}',member='NameOwnerChanged',arg0='{NAME}'"
ANY, IPV4, IPV6 = -1, 0, 1  # Avahi's numbers of protocols; ANY of interfaces as well
ANSWER_SECONDS = 0.5  # a daemon that takes longer to begin hangs
QUIET_SECONDS = 0.3  # whoever is there answers within a tenth, or in his sleep much later
GRACE_SECONDS = 0.03  # for further addresses, when each service has one: the cache takes less
FINDINGS = 2048  # one service on four interfaces is eight
CALLS = 128  # at a time; half of them for IPv6, which many hosts lack


def browse(
    types: Sequence[str], debug: Debug, seconds: float, cancel: Cancels | None = None
) -> dict[str, list[Service]]:
    """Return the services of each of *types* that Avahi knows, or hears of within *seconds*.

    It goes on at once when the cache had some of any type; else when the daemon says that this is
    all, or something was found and no more comes. No service is the daemon's answer, too: there are
    none. Raises ImportError without jeepney, and DeviceIOError without a daemon that answers; one
    that is gone in the middle costs what was not known then. Of a flood, FINDINGS are heard.
    """
    deadline = Deadline(seconds)
    bus = dbus.Bus.open(dbus.SOCKET, min(seconds, ANSWER_SECONDS), cancel)
    try:
        browsing = _Browsing(bus, types)
        try:
            browsing.ask()
            browsing.listen(deadline)
        except DeviceIOError as exc:
            if not any(browsing.services.values()):
                raise
            debug(1, "discovery of %s: %s", " and ".join(types), exc)
        if browsing.left_out:
            text = "discovery of %s: %d findings are left out"
            debug(1, text, " and ".join(types), browsing.left_out)
        return browsing.services
    finally:
        bus.close()


class _Browsing:
    """What the daemon's browsers tell, one for each type.

    services: those whose host, port and address are known. left_out: how many findings were too
    many.
    """

    def __init__(self, bus: Bus, types: Sequence[str]) -> None:
        self.services: dict[str, list[Service]] = {type: [] for type in types}
        self.left_out = 0
        self._bus = bus
        self._owner = ""  # the daemon's own name on the bus
        self._owner_call = 0
        self._beginning: set[int] = set()  # the calls that begin to browse, not answered yet
        self._cache_told: set[str] = set()  # the browsers that have told what is in the cache
        self._all_told: set[str] = set()  # those that have waited for the network as well
        self._is_told = False  # there is no more to tell for now
        self._findings: set[Finding] = set()
        self._waiting: dict[int, list[Finding]] = {IPV4: [], IPV6: []}  # still to be asked for
        self._calls: dict[int, Instance] = {}  # those that are being resolved
        self._unknown: set[Instance] = set()  # those without an address until now

    def ask(self) -> None:
        """Make the daemon browse."""
        call = self._bus.call
        call(dbus.TO_BUS, "AddMatch", "s", (OWNER_CHANGED,))
        self._owner_call = call(dbus.TO_BUS, "GetNameOwner", "s", (NAME,))
        for type in self.services:
            where = (ANY, ANY, type, "", 0)  # all interfaces, the usual domain
            self._beginning.add(call(TO_SERVER, "ServiceBrowserNew", "iissu", where))

    def listen(self, deadline: Deadline) -> None:
        """Take what comes until it is enough, or the time is over."""
        begin = Deadline(ANSWER_SECONDS)
        while (left := deadline.left()) and not self._is_complete():
            if self._beginning:
                pause = begin.left() or 0.0
            elif self._is_told and not self._unknown:
                pause = GRACE_SECONDS
            else:
                pause = QUIET_SECONDS
            message = self._bus.receive(min(left, pause))
            if message is not None:
                self._take(message)
            elif self._beginning:
                raise NoAnswer(f"{NAME}: no answer in {ANSWER_SECONDS:g} s")
            elif any(
                self.services.values()
            ):  # who is switched off is in the cache for an hour, without address
                return

    def _is_complete(self) -> bool:
        return self._is_told and not self._calls and not any(self._waiting.values())

    def _take(self, message: Message) -> None:
        if message.reply_to:
            self._take_answer(message)
        elif message.sender == dbus.BUS:
            if message.member == "NameOwnerChanged" and message.has(str, str, str):
                raise Disconnected(f"{NAME}: the daemon has ended")
        elif message.sender == self._owner and message.interface == BROWSER:
            self._take_news(message)
        self._resolve()

    def _take_answer(self, message: Message) -> None:
        call = message.reply_to
        if message.error and (call == self._owner_call or call in self._beginning):
            raise DeviceIOError(f"{NAME}: {message.error}")
        self._beginning.discard(call)
        if call == self._owner_call and message.has(str):
            self._owner = message.body[0]
        elif (instance := self._calls.pop(call, None)) is not None and not message.error:
            service = _service(message)
            if service is not None:
                self.services[instance[1]].append(service)
                self._unknown.discard(instance)

    def _take_news(self, message: Message) -> None:
        """Take a signal of a browser."""
        if message.member == "ItemNew" and message.has(int, int, str, str, str, int):
            interface, protocol, name, type, domain, _ = message.body
            self._take_finding((interface, protocol, name, type, domain))
        elif message.member == "CacheExhausted":
            self._cache_told.add(message.path)
            if len(self._cache_told) == len(self.services):
                self._is_told = bool(self._findings)
        elif message.member == "AllForNow":
            self._all_told.add(message.path)
            self._is_told |= len(self._all_told) == len(self.services)
        elif message.member == "Failure":
            raise DeviceIOError(f"{NAME}: {' '.join(map(str, message.body))}")

    def _take_finding(self, finding: Finding) -> None:
        _, _, name, type, _ = finding
        if type not in self.services or finding in self._findings:
            return
        if len(self._findings) == FINDINGS:
            self.left_out += 1
            return
        self._findings.add(finding)
        self._unknown.add((name, type))
        for waiting in self._waiting.values():
            waiting.append(finding)

    def _resolve(self) -> None:
        """Ask for host, port and address of what was found, for each family by itself.

        Asked for both at once, the daemon gives one address. A family that the host lacks is
        answered after seconds, and not waited for.
        """
        for family, most in ((IPV4, CALLS), (IPV6, CALLS // 2)):
            waiting = self._waiting[family]
            while waiting and len(self._calls) < most:
                finding = waiting.pop(0)
                call = self._bus.call(TO_SERVER, "ResolveService", "iisssiu", (*finding, family, 0))
                self._calls[call] = finding[2:4]


def _service(message: Message) -> Service | None:
    """Return the service that ResolveService answers, None if it is none."""
    if not message.has(int, int, str, str, str, str, int, str, int, list, int):
        return None
    interface, _, instance, _, _, host, _, address, port, texts, _ = message.body
    if address.startswith("fe80:"):  # of use on its own link only
        try:
            address += f"%{_socket.if_indextoname(interface)}"
        except OSError:
            return None  # the interface is gone
    entries = (bytes(entry).decode("utf-8", "replace") for entry in texts)
    return Service(unescape(host), port, address, instance, read_texts(entries))
