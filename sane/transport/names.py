"""Host names and addresses: looking a name up, with an end to the wait for the resolver.

It knows the system's resolver only. A resolver without an answer may block for minutes and cannot
be interrupted; a look-up that must end sooner runs in a thread of its own, which is left behind.
"""

from __future__ import annotations

import _socket

from ..cancel import NeverCancelled, Wake
from ..errors import DeviceIOError
from .failures import NoAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..cancel import Cancels

    Address = tuple[int, Any]  # family, and what connect wants

FAMILIES = (_socket.AF_INET, _socket.AF_INET6)


def resolve(
    host: str,
    port: int | str,
    seconds: float | None = None,
    cancel: Cancels | None = None,
) -> list[Address]:
    """Return the addresses of *host*, a name or a literal; raises DeviceIOError naming it.

    port: a number, or the name of a TCP service. The resolver is asked for stream sockets only.
    Silence of the resolver: NoAnswer after *seconds*, Cancelled when *cancel* is set; without
    either it may take as long as it likes.
    """
    found = _numeric(host, port)
    if found is None:
        if seconds is None and cancel is None:
            found = _look_up(host, port)
        else:
            found = _Lookup(lambda: _look_up(host, port)).wait(host, seconds, cancel)
    addresses = [(family, address) for family, address in found if family in FAMILIES]
    if not addresses:
        raise DeviceIOError(f"{host}: no IPv4 or IPv6 address")
    return addresses


def name_of(address: str, seconds: float, cancel: Cancels | None = None) -> str:
    """Return the name of the host at *address*, a literal; "" where none is known in *seconds*.

    It is taken only if looking it up gives the address back: anybody may give his own any name.
    """

    def look_up() -> list[Address]:
        (family, where), *_ = _look_up(address, 0, _socket.AI_NUMERICHOST)
        try:
            name, _service = _socket.getnameinfo(where, _socket.NI_NAMEREQD)
        except OSError:
            return []
        there = [found[0] for _family, found in _look_up(name, 0)]
        return [(family, name)] if where[0] in there else []

    try:
        found = _Lookup(look_up).wait(address, seconds, cancel)
    except DeviceIOError:
        return ""
    return str(found[0][1]) if found else ""


def _numeric(host: str, port: int | str) -> list[Address] | None:
    """Return the address that *host* is, None if it is a name: that costs no time."""
    try:
        return _look_up(host, port, _socket.AI_NUMERICHOST)
    except DeviceIOError:
        return None


def _look_up(host: str, port: int | str, flags: int = 0) -> list[Address]:
    try:
        found = _socket.getaddrinfo(host_bytes(host), port, 0, _socket.SOCK_STREAM, 0, flags)
    except (OSError, ValueError, OverflowError) as exc:
        raise DeviceIOError(f"{host}: {_reason(exc)}") from exc
    return [(family, address) for family, _, _, _, address in found]


def host_bytes(host: str) -> bytes:
    """Return *host* for getaddrinfo: the bytes that a file or a device name has.

    A str it would turn into another name (IDNA), or refuse for a long label: the resolver knows
    what /etc/hosts and mDNS call a host. Raises ValueError for what is no name in bytes.
    """
    data = host.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise ValueError("a host name has no NUL")
    return data


def _reason(exc: BaseException) -> str:
    return str(exc.args[-1]) if exc.args else exc.__class__.__name__


class _Lookup:
    """A look-up in a thread. Whoever of the thread and the waiter comes last closes the pipe."""

    def __init__(self, look_up: Callable[[], list[Address]]) -> None:
        import _thread

        from ..threads import start_thread

        self._look_up = look_up
        self._lock = _thread.allocate_lock()
        self._is_left = False  # one of the two is out
        self._wake = Wake()
        self._found: list[Address] = []
        self._failure: BaseException | None = None
        try:
            start_thread(self._run)
        except (RuntimeError, MemoryError):  # no thread is to be had: the resolver has its time
            self._run()

    def _run(self) -> None:
        try:
            self._found = self._look_up()
        except BaseException as exc:
            self._failure = exc
        self._leave()

    def _leave(self, is_waiter: bool = False) -> None:
        with self._lock:
            if self._is_left:
                self._wake.close()
            elif not is_waiter:
                self._wake.tell()
            self._is_left = True

    def wait(self, host: str, seconds: float | None, cancel: Cancels | None) -> list[Address]:
        """Return what was found, or raise why nothing was."""
        try:
            is_done = (cancel or NeverCancelled()).wait(seconds, self._wake.fd)
        finally:
            self._leave(is_waiter=True)
        if not is_done:
            raise NoAnswer(f"{host}: the name was not found within {seconds:g} s")
        if self._failure is not None:
            raise self._failure
        return self._found
