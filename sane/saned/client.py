"""What the process of one client does: who is it, may it connect, then its session."""

from __future__ import annotations

import _socket
import signal

from ..cancel import above_stdio
from ..sessions import CLIENT, MESSAGE, access
from ..sessions.conversation import Conversation
from ..sessions.dataport import DataPorts, uid_of
from ..sessions.leaving import Leaving
from ..sessions.site import Site
from ..transport.streams import ByteStream
from .listeners import has_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Environment
    from ..sessions.access import SanedConf
    from ..sessions.listing import SharedLists
    from .log import Log

GUESSED_SECONDS = 5.0  # a host with 32 places tries some six passwords in a second


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

        self.lists: SharedLists | None = None

    def serve(self, fd: int, reason: str = "", admitted: Callable[[], None] | None = None) -> None:
        """Serve the client on *fd* until it leaves or SIGTERM; nothing is read if it may not.

        reason: why it may, "" if that is to be found out; admitted: called when it was. Until
        then SIGTERM ends the process at once: it has no device, and a look-up does not stop.
        """
        sock = _socket.socket(fileno=above_stdio(fd))
        try:
            peer = peer_of(sock)
        except Nobody as exc:
            self.log(CLIENT, f"access denied: {exc}")
            sock.close()
            return
        reason = reason or self.reason_to_admit(peer)
        if not reason:
            self.log(CLIENT, f"{peer.text}: access denied: no line of {access.FILE} lets it in")
            sock.close()
            return
        leaving = Leaving()
        try:
            self.log(CLIENT, f"{peer.text}: access granted: {reason}")
            if admitted is not None:
                admitted()
            self._converse(sock, peer, leaving)
        except SystemExit:
            self.log(MESSAGE, "told to end")

    def _converse(self, sock: _socket.socket, peer: access.Peer, leaving: Leaving) -> None:
        settings = self.settings
        site = Site(
            self.environment,
            settings,
            self.record_bytes,
            self.log,
            allow_network=self.allow_network,
            lists=self.lists,
        )
        ports = DataPorts(sock, peer, *settings.data_portrange)
        conversation = Conversation(ByteStream(sock, peer.text), ports, site)
        try:
            conversation.run()
        finally:
            leaving.is_over = True  # from here on, devices are put to rest
            conversation.release()
            if conversation.wrong_passwords:
                keep_place(leaving)

    def reason_to_admit(self, peer: access.Peer) -> str:
        """Return why *peer* may connect by the access list as it is now, "" if it may not."""
        if peer.is_local:
            return access.reason_by_address(peer, access.Access(()))  # no file need be there
        found = access.Access.read(self.environment)
        return access.reason_to_admit(peer, found, access.resolve_name, host_name)


class Nobody(Exception):
    """Nobody who can be admitted is at the other end; the text says why."""


def keep_place(leaving: Leaving) -> None:
    """Stay in the place of a client that guessed a password, for a while or until SIGTERM.

    Else a new connection for each guess would be faster than one that is slowed down.
    """
    ends = {signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # one that came before has been handled now
    if not leaving.was_told:
        signal.sigtimedwait(ends, GUESSED_SECONDS)


def host_name() -> str:
    """Return this machine's name, "" if it has none."""
    try:
        return _socket.gethostname()
    except OSError:
        return ""


def peer_of(sock: _socket.socket) -> access.Peer:
    """Return who is at the other end; raises Nobody if that cannot be told.

    Whoever may open the path of a Unix socket is a local user. A socket without one belongs to
    a program that connected its other end to somebody whom it alone knows (socat, inetd over ssh).
    """
    try:
        if sock.family == _socket.AF_UNIX:
            if not has_path(sock.getsockname()):
                raise Nobody(
                    "the connection is a Unix socket without a path, so it is not known who is at "
                    "its other end: pass the client's own connection"
                )
            return access.Peer(f"local user {uid_of(sock)}", (), is_local=True)
        peer = access.Peer.at(sock.getpeername())
    except OSError as exc:
        raise Nobody(f"the client has left ({exc.strerror})") from None
    if peer is None:
        raise Nobody("the connection is neither by IPv4 or IPv6 nor by a Unix socket")
    return peer
