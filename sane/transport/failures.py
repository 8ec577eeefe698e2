"""What can go wrong with a peer, besides a plain I/O error: so that callers may tell it apart."""

from __future__ import annotations

from ..errors import AccessDenied, DeviceIOError


class NoAnswer(DeviceIOError):
    """The peer said nothing in time: it is off, busy, or another kind of device."""


class Disconnected(DeviceIOError):
    """The peer closed the connection, or is gone, where something was due."""


class Untrusted(AccessDenied):
    """The peer is not who it has to be: its certificate is another one, or worth nothing."""
