"""Signs that the list of devices may have changed: the kernel's messages, and DNS-SD's.

It knows sockets and the optional package zeroconf; it knows no devices.
"""

from __future__ import annotations

from ..cancel import Wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Sign(Protocol):
        """A descriptor that becomes readable when something may have changed.

        covers: "usb" and "network": which changes it tells of.
        """

        covers: tuple[str, ...]

        @property
        def fd(self) -> int:
            """The descriptor."""

        def read(self) -> bool:
            """Take what there is to read; tell whether it may be a change of the list."""

        def close(self) -> None:
            """Release it."""


KERNEL_EVENTS = 15  # NETLINK_KOBJECT_UEVENT
KERNEL_GROUP = 1
MESSAGE_BYTES = 1 << 16
# Of the kernel's devices those that a scanner can be.
SUBSYSTEMS = (b"usb", b"usbmisc", b"scsi", b"scsi_generic", b"parport")
SERVICES = ("_uscan._tcp.local.", "_uscans._tcp.local.", "_sane-port._tcp.local.")


def signs(local_only: bool) -> list[Sign]:
    """Return what can be listened to here."""
    from contextlib import suppress

    found: list[Sign] = []
    with suppress(OSError):  # a container without the kernel's messages: the interval is left
        found.append(Uevents())
    if not local_only:
        with suppress(ImportError, OSError):  # no zeroconf, or no network: likewise
            found.append(Announcements())
    return found


class Uevents:
    """The messages of the kernel about devices that come and go."""

    covers: tuple[str, ...] = ("usb",)

    def __init__(self) -> None:
        import socket

        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, KERNEL_EVENTS
        )
        try:
            self._socket.bind((0, KERNEL_GROUP))
            self._socket.setblocking(False)
        except BaseException:
            self._socket.close()
            raise

    @property
    def fd(self) -> int:
        return self._socket.fileno()

    def read(self) -> bool:
        tells = False
        while True:
            try:
                message, (sender, _) = self._socket.recvfrom(MESSAGE_BYTES)
            except BlockingIOError:
                return tells
            except OSError:  # ENOBUFS: some were lost
                return True
            if sender == 0:  # anybody may send; the kernel is 0
                tells = tells or is_of_scanners(message)

    def close(self) -> None:
        self._socket.close()


def is_of_scanners(message: bytes) -> bool:
    """Tell whether a message of the kernel is about a device that a scanner can be."""
    fields = dict(field.partition(b"=")[::2] for field in message.split(b"\0")[1:])
    is_change = fields.get(b"ACTION") in (b"add", b"remove", b"bind", b"unbind", b"change")
    return is_change and fields.get(b"SUBSYSTEM") in SUBSYSTEMS


class Announcements:
    """What DNS-SD says about scanners and servers of scanners; needs the package zeroconf."""

    covers: tuple[str, ...] = ("network",)

    def __init__(self) -> None:
        from zeroconf import ServiceBrowser, Zeroconf

        self._wake = Wake()
        try:
            self._zeroconf: Any = Zeroconf()
        except BaseException:
            self._wake.close()
            raise
        self._browser = ServiceBrowser(self._zeroconf, list(SERVICES), handlers=[self._told])

    def _told(self, **_: Any) -> None:
        self._wake.tell()

    @property
    def fd(self) -> int:
        return self._wake.fd

    def read(self) -> bool:
        self._wake.untell()
        return True

    def close(self) -> None:
        self._zeroconf.close()
        self._wake.close()
