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
from .service import Service, read_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..cancel import Cancels
    from ..debug import Debug
    from .dbus import Bus, Message

    Finding = tuple[int, int, str, str]  # interface, protocol, instance, domain

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


def browse(type: str, debug: Debug, seconds: float, cancel: Cancels | None = None) -> list[Service]:
    """Return the services of *type* that Avahi knows, or hears of within *seconds*.

    It goes on at once when the cache had some; else when the daemon says that this is all, or
    something was found and no more comes. [] is its answer: there are none. Raises ImportError
    without jeepney, and DeviceIOError without a daemon that answers; one that is gone in the middle
    costs what was not known then. Of a flood, FINDINGS are heard.
    """
    deadline = Deadline(seconds)
    bus = dbus.Bus.open(dbus.SOCKET, min(seconds, ANSWER_SECONDS), cancel)
    try:
        browsing = _Browsing(bus, type)
        try:
            browsing.ask()
            browsing.listen(deadline)
        except DeviceIOError as exc:
            if not browsing.services:
                raise
            debug(1, "discovery of %s: %s", type, exc)
        if browsing.left_out:
            debug(1, "discovery of %s: %d findings are left out", type, browsing.left_out)
        return list(browsing.services)
    finally:
        bus.close()


class _Browsing:
    """What one browser of the daemon's tells.

    services: those whose host, port and address are known. left_out: how many findings were too
    many.
    """

    def __init__(self, bus: Bus, type: str) -> None:
        self.services: list[Service] = []
        self.left_out = 0
        self._bus = bus
        self._type = type
        self._owner = ""  # the daemon's own name on the bus
        self._owner_call = self._browse_call = 0
        self._has_begun = False
        self._is_told = False  # all that there is to tell for now
        self._findings: set[Finding] = set()
        self._waiting: dict[int, list[Finding]] = {IPV4: [], IPV6: []}  # still to be asked for
        self._calls: dict[int, str] = {}  # the instances that are being resolved
        self._unknown: set[str] = set()  # instances without an address until now

    def ask(self) -> None:
        """Make the daemon browse."""
        call = self._bus.call
        call(dbus.TO_BUS, "AddMatch", "s", (OWNER_CHANGED,))
        self._owner_call = call(dbus.TO_BUS, "GetNameOwner", "s", (NAME,))
        where = (ANY, ANY, self._type, "", 0)  # all interfaces, the usual domain
        self._browse_call = call(TO_SERVER, "ServiceBrowserNew", "iissu", where)

    def listen(self, deadline: Deadline) -> None:
        """Take what comes until it is enough, or the time is over."""
        begin = Deadline(ANSWER_SECONDS)
        while (left := deadline.left()) and not self._is_complete():
            if not self._has_begun:
                pause = begin.left() or 0.0
            elif self._is_told and not self._unknown:
                pause = GRACE_SECONDS
            else:
                pause = QUIET_SECONDS
            message = self._bus.receive(min(left, pause))
            if message is not None:
                self._take(message)
            elif not self._has_begun:
                raise NoAnswer(f"{NAME}: no answer in {ANSWER_SECONDS:g} s")
            elif self.services:  # who is switched off is in the cache for an hour, without address
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
        if call in (self._owner_call, self._browse_call) and message.error:
            raise DeviceIOError(f"{NAME}: {message.error}")
        if call == self._owner_call and message.has(str):
            self._owner = message.body[0]
        elif call == self._browse_call:
            self._has_begun = True
        elif (instance := self._calls.pop(call, None)) is not None and not message.error:
            service = _service(message)
            if service is not None:
                self.services.append(service)
                self._unknown.discard(instance)

    def _take_news(self, message: Message) -> None:
        """Take a signal of the browser."""
        if message.member == "ItemNew" and message.has(int, int, str, str, str, int):
            interface, protocol, instance, _, domain, _ = message.body
            finding = interface, protocol, instance, domain
            if len(self._findings) >= FINDINGS:
                self.left_out += finding not in self._findings
            elif finding not in self._findings:
                self._findings.add(finding)
                self._unknown.add(instance)
                for waiting in self._waiting.values():
                    waiting.append(finding)
        elif message.member == "CacheExhausted":
            self._is_told = bool(self._findings)
        elif message.member == "AllForNow":
            self._is_told = True
        elif message.member == "Failure":
            raise DeviceIOError(f"{NAME}: {' '.join(map(str, message.body))}")

    def _resolve(self) -> None:
        """Ask for host, port and address of what was found, for each family by itself.

        Asked for both at once, the daemon gives one address. A family that the host lacks is
        answered after seconds, and not waited for.
        """
        for family, most in ((IPV4, CALLS), (IPV6, CALLS // 2)):
            waiting = self._waiting[family]
            while waiting and len(self._calls) < most:
                interface, protocol, instance, domain = waiting.pop(0)
                what = (interface, protocol, instance, self._type, domain, family, 0)
                call = self._bus.call(TO_SERVER, "ResolveService", "iisssiu", what)
                self._calls[call] = instance


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
    return Service(host, port, address, instance, read_texts(entries))
