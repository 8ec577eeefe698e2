"""Where a stream goes, and opening it: TCP or a Unix socket, encrypted or as it is."""

from __future__ import annotations

from .sockets import Deadline
from .streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..cancel import Cancels
    from .tls import Trust

    Connect = Callable[["Target", float | None, Cancels | None], ByteStream]


class Target:
    """The other end: *host* and *port*, or the Unix socket at *path*.

    trust: who may be there, for TLS; None for a plain stream. name: what TLS calls the host, if it
    is not *host*.
    """

    __slots__ = ("host", "name", "path", "port", "trust")

    def __init__(
        self, host: str, port: int, path: str = "", trust: Trust | None = None, name: str = ""
    ) -> None:
        self.host = host
        self.port = port
        self.path = path
        self.trust = trust
        self.name = name or host.partition("%")[0]

    def __str__(self) -> str:
        return self.path or f"{self.host} port {self.port}"


def open_stream(target: Target, seconds: float | None, cancel: Cancels | None) -> ByteStream:
    """Return a stream to *target* within *seconds*, for its name, the connection and TLS together.

    Silence is NoAnswer; nobody there, and a peer that speaks no TLS, are a DeviceIOError; one that
    is not trusted is Untrusted.
    """
    deadline = Deadline(seconds)
    if target.path:
        stream = ByteStream.to_path(target.path, seconds, cancel)
    else:
        stream = ByteStream.connect(target.host, target.port, seconds, cancel)
    if target.trust is None:
        return stream
    from .tls import TlsStream

    return TlsStream.over(stream, target.trust, target.name, deadline.left())
