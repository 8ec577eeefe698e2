"""Buttons of a scanner on the network: it is asked for events, since it cannot send them.

    stopped -- STOP, START --> started -- ASK: an event --> taken -- TAKEN: restart --> stopped

Source: specification pixma 1.5.
"""

from __future__ import annotations

from ...errors import DeviceIOError
from . import bjnp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...cancel import Cancels
    from ...debug import Debug
    from .netlink import Peer

SECONDS, TRIES = 1.0, 2  # for one answer: buttons are not worth a longer wait
NOBODY = "sane_pixma"
STOPPED, STARTED = 0, 1


class Polling:
    """The dialogue about buttons with one unit; it never raises for a unit that does not answer.

    names: of this host and of the user, as units are told. process: our number.
    """

    def __init__(self, peer: Peer, debug: Debug) -> None:
        import os

        self._peer = peer
        self._debug = debug
        self.process = os.getpid()
        self.names = os.uname().nodename, _user(os.geteuid())
        self._state = STOPPED
        self._dialog = 0
        self._is_answered = True

    def event(self, cancel: Cancels | None) -> bytes:
        """Return an event of the scanner, b"" for none.

        A unit that did not answer once is not asked any more: each try would cost seconds.
        """
        if not self._is_answered:
            return b""
        try:
            return self._event(cancel)
        except DeviceIOError as exc:
            self._debug(1, "%s: no buttons: %s", self._peer.name, exc)
            self._is_answered = False
            return b""

    def _event(self, cancel: Cancels | None) -> bytes:
        if self._state == STOPPED:
            for kind in (bjnp.STOP, bjnp.START):
                if self._ask(kind, cancel).restarts:
                    return b""
            self._state = STARTED
        answer = self._ask(bjnp.ASK, cancel)
        if answer.event:
            taken = self._ask(bjnp.TAKEN, cancel, answer.key)
            self._state = STOPPED if taken.restarts else self._state
        elif answer.restarts:
            self._state = STOPPED
        return answer.event

    def _ask(self, kind: int, cancel: Cancels | None, key: int = 0) -> bjnp.PollAnswer:
        from time import strftime

        payload = bjnp.poll(kind, self.names, self._dialog, key, strftime("%Y%m%d%H%M%S"))
        _, data = self._peer.ask(
            *(bjnp.POLL, payload, cancel), seconds=SECONDS, tries=TRIES, is_sessionless=True
        )
        answer = bjnp.PollAnswer(data)
        self._dialog = answer.dialog
        return answer


def _user(number: int) -> str:
    try:
        from pwd import getpwuid

        return getpwuid(number).pw_name
    except (ImportError, KeyError):
        return NOBODY
