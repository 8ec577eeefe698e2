"""A system bus with an Avahi daemon on it, in this process: what it says, and how it fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jeepney import DBusAddress, new_error, new_method_return, new_signal
from jeepney.low_level import HeaderFields, Message, MessageFlag, Parser

from sane.discovery import dbus
from sane.discovery.avahi import BROWSER, NAME, SERVER

OWNER, STRANGER = ":1.7", ":1.9"
BROWSER_PATH = "/Client1/ServiceBrowser{}"
JOIN_SECONDS = 10.0
IPV4 = 0


class Announced(NamedTuple):
    """A service in the daemon's cache; without an address it cannot be resolved."""

    instance: str
    address: str = "192.0.2.7"
    host: str = "printer.local"
    port: int = 8080
    texts: Sequence[bytes] = (b"rs=eSCL",)
    interface: int = 1
    type: str = "_uscan._tcp"


class FakeAvahi:
    """Serves connections at *path* until it is closed.

    fault: "greeting" (the bus says nothing), "refused", "gone" (no daemon), "hangs" (the daemon
    never answers), "dies" (after the last finding), "closes" (the bus, then), "garbage" and
    "endless" (what the bus sends then), "failure" (of the browser), "cold" (the cache is empty; the
    rest comes later).
    """

    def __init__(self, path: Path, announced: Sequence[Announced] = (), fault: str = "") -> None:
        self.announced = announced
        self.fault = fault
        self.calls: list[str] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> FakeAvahi:
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(JOIN_SECONDS)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                try:
                    self._talk(connection)
                except (BrokenPipeError, ConnectionResetError):
                    continue  # it has gone away

    def _talk(self, connection: socket.socket) -> None:
        said = b""
        while b"BEGIN\r\n" not in said:
            data = connection.recv(4096)
            if not data:
                return
            said += data
            if self.fault == "refused":
                connection.sendall(b"REJECTED EXTERNAL\r\n")
            elif self.fault != "greeting" and b"AUTH" in data:
                connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        talk = _Conversation(self, connection)
        talk.take(said.partition(b"BEGIN\r\n")[2])
        while data := connection.recv(1 << 16):
            talk.take(data)


class _Conversation:
    def __init__(self, daemon: FakeAvahi, connection: socket.socket) -> None:
        self.daemon = daemon
        self.connection = connection
        self.parser = Parser()
        self.serial = 0
        self.browsers = 0

    def take(self, data: bytes) -> None:
        for message in self.parser.feed(data):
            member = message.header.fields[HeaderFields.member]
            self.daemon.calls.append(member)
            assert message.header.flags & MessageFlag.no_auto_start
            getattr(self, member)(message)

    def send(self, message: Message, sender: str) -> None:
        self.serial += 1
        message.header.fields[HeaderFields.sender] = sender
        self.connection.sendall(message.serialise(self.serial))

    def answer(self, call: Message, signature: str = "", *body: Any, sender: str = OWNER) -> None:
        self.send(new_method_return(call, signature or None, body), sender)

    def tell(self, member: str, signature: str = "", *body: Any, sender: str = OWNER) -> None:
        address = DBusAddress(BROWSER_PATH.format(self.browsers), interface=BROWSER)
        self.send(new_signal(address, member, signature or None, body), sender)

    def fail(self, call: Message, error: str, sender: str = OWNER) -> None:
        self.send(new_error(call, error), sender)

    # Of the bus

    def Hello(self, call: Message) -> None:
        self.answer(call, "s", ":1.1", sender=dbus.BUS)

    def AddMatch(self, call: Message) -> None:
        self.answer(call, sender=dbus.BUS)

    def GetNameOwner(self, call: Message) -> None:
        if self.daemon.fault == "gone":
            self.fail(call, "org.freedesktop.DBus.Error.NameHasNoOwner", dbus.BUS)
        else:
            self.answer(call, "s", OWNER, sender=dbus.BUS)

    # Of the daemon

    def ServiceBrowserNew(self, call: Message) -> None:
        fault = self.daemon.fault
        if fault in ("hangs", "gone"):
            return
        assert call.header.fields[HeaderFields.interface] == SERVER
        type = call.body[2]
        self.browsers += 1
        self.answer(call, "o", BROWSER_PATH.format(self.browsers))
        forged = 1, IPV4, "Forged", type, "local", 0
        self.tell("ItemNew", "iisssu", *forged, sender=STRANGER)
        if fault == "cold":
            self.tell("CacheExhausted")
        announced = [one for one in self.daemon.announced if one.type == type]
        for one in announced:
            self.tell("ItemNew", "iisssu", one.interface, IPV4, one.instance, type, "local", 5)
        if fault == "failure":
            self.tell("Failure", "s", "Not permitted")
        elif fault not in ("cold", "dies", "closes", "garbage", "endless"):
            self.tell("CacheExhausted")
            if not self.daemon.announced:
                self.tell("AllForNow")

    def ResolveService(self, call: Message) -> None:
        interface, _, instance, type, domain, family, _ = call.body
        one = next(it for it in self.daemon.announced if it.instance == instance)
        if one.address and (":" in one.address) == (family != IPV4):
            texts = [list(text) for text in one.texts]
            body = (interface, IPV4, instance, type, domain, one.host, family, one.address)
            self.answer(call, "iissssisqaayu", *body, one.port, texts, 5)
        self.misbehave()

    def misbehave(self) -> None:
        """Do what comes after the first answer."""
        if self.daemon.fault == "dies":
            address = DBusAddress(dbus.BUS_PATH, interface=dbus.BUS)
            signal = new_signal(address, "NameOwnerChanged", "sss", (NAME, OWNER, ""))
            self.send(signal, dbus.BUS)
        elif self.daemon.fault == "closes":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.daemon.fault == "garbage":
            self.connection.sendall(b"\xff" * 64)
        elif self.daemon.fault == "endless":
            while True:
                self.tell("ItemRemove", "s", "x" * 60_000)
