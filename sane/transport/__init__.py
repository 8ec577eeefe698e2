"""Bytes over the network: every wait has an end, a cancelled one ends at once, no SIGPIPE."""

from __future__ import annotations

PORT_MAX = 0xFFFF


def service_port(service: str, otherwise: int) -> int:
    """Return the TCP port of *service*, *otherwise* where the system does not know it."""
    import _socket

    try:
        return int(_socket.getservbyname(service, "tcp"))
    except OSError:
        return otherwise
