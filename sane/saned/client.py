"""What the process of one client does: who is it, may it connect, then its session."""

from __future__ import annotations

import _socket
import signal

from ..cancel import above_stdio
from ..sessions import CLIENT, MESSAGE, access
from ..sessions.conversation import Conversation, Site
from ..sessions.dataport import DataPorts, uid_of
from ..transport.streams import ByteStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ..config import Environment
    from ..sessions.access import SanedConf
    from .log import Log


class Service:
    """What all clients are served with; settings change when the configuration is read again."""

    def __init__(
        self,
        environment: Environment,
        settings: SanedConf,
        record_bytes: int,
        log: Log,
        allow_network: bool = False,
    ) -> None:
        self.environment = environment
        self.settings = settings
        self.record_bytes = record_bytes
        self.log = log
        self.allow_network = allow_network

    def serve_alone(self, fd: int) -> None:
        """Serve the client of a process that nobody forked for it, until SIGTERM at most."""
        signal.signal(signal.SIGTERM, leave)
        try:
            self.serve(fd)
        except SystemExit:
            self.log(MESSAGE, "told to end")

    def serve(self, fd: int) -> None:
        """Serve the client on descriptor *fd* until it leaves; nothing is read if it may not."""
        sock = _socket.socket(fileno=above_stdio(fd))
        peer = peer_of(sock)
        if peer is None or not self._admits(peer):
            sock.close()
            return
        settings = self.settings
        site = Site(self.environment, settings, self.record_bytes, self.log, self.allow_network)
        ports = DataPorts(sock, *settings.data_portrange)
        Conversation(ByteStream(sock, peer.text), ports, site).run()

    def _admits(self, peer: access.Peer) -> bool:
        """Tell whether *peer* may connect, by the access list as it is now."""
        reason = "this machine"  # which no line of the file has to name
        if not peer.is_local:
            found = access.Access.read(self.environment)
            reason = access.reason_to_admit(peer, found, access.resolve_name, host_name)
        if reason:
            self.log(CLIENT, f"{peer.text}: access granted: {reason}")
        else:
            self.log(CLIENT, f"{peer.text}: access denied: no line of {access.FILE} lets it in")
        return bool(reason)


def leave(number: int, frame: FrameType | None) -> None:
    """End the session as if the client had left: a handler for SIGTERM."""
    raise SystemExit


def host_name() -> str:
    """Return this machine's name, "" if it has none."""
    try:
        return _socket.gethostname()
    except OSError:
        return ""


def peer_of(sock: _socket.socket) -> access.Peer | None:
    """Return who is at the other end, None if the kernel cannot tell."""
    try:
        if sock.family == _socket.AF_UNIX:
            return access.Peer(f"local user {uid_of(sock)}", (), is_local=True)
        return access.Peer.at(sock.getpeername())
    except OSError:
        return None
