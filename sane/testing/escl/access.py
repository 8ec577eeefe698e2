"""Who gets at an emulated eSCL scanner: Host rules, passwords, how many at once.

Source: specification escl, 1.6 (ipp-usb) and 6.5; RFC 7616 (Digest), RFC 7617 (Basic).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator

from .http import Reply, Request
from .scanner import Scanner

REALM, NONCE = "scanner", "dcd98b7102dd2f0e8b11d0f600bfb0c0"
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]+))')


class Gate:
    """Refuses requests as scanner.access says, and lets so many in at once as it says."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._change = threading.Condition()
        self._inside = 0

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Wait until a request may be handled, and count it."""
        with self._change:
            self._change.wait_for(lambda: self._inside < (self._scanner.access.at_once or 1 << 30))
            self._inside += 1
        try:
            yield
        finally:
            with self._change:
                self._inside -= 1
                self._change.notify_all()

    def refusal(self, request: Request, port: int) -> Reply | None:
        """Return the reply to a request that does not get in, else None."""
        knobs = self._scanner.access
        if knobs.host == "proxy":
            refused = _by_proxy(request, port)
            if refused is not None:
                return refused
        if knobs.initialising > 0:
            knobs.initialising -= 1
            return Reply(503, b"the device is initializing", "text/plain")
        is_local = request.header("host").rpartition(":")[0] == "localhost"
        is_local = is_local or request.header("host") == "localhost"
        wanted = {"localhost": True, "proxy": True, "not-localhost": False}.get(knobs.host)
        if knobs.host == "localhost-post" and request.method == "POST":
            wanted = True
        if wanted is not None and is_local != wanted and request.has("host"):
            return Reply(400)
        if knobs.scheme and not self._is_known(request):
            return Reply(401, headers={"WWW-Authenticate": self._challenge()})
        return None

    def _challenge(self) -> str:
        knobs = self._scanner.access
        if knobs.scheme == "basic":
            return f'Basic realm="{REALM}"'
        return (
            f'Digest realm="{REALM}", qop="auth", algorithm={knobs.algorithm}, nonce="{NONCE}", '
            'opaque="0001"'
        )

    def _is_known(self, request: Request) -> bool:
        knobs = self._scanner.access
        scheme, _, rest = request.header("authorization").partition(" ")
        if scheme.lower() != knobs.scheme:
            return False
        if knobs.scheme == "basic":
            return rest == base64.b64encode(f"{knobs.user}:{knobs.password}".encode()).decode()
        said = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        given = (said.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        secret = self._hash(f"{knobs.user}:{REALM}:{knobs.password}")
        asked = self._hash(f"{request.method}:{request.target}")
        expected = self._hash(":".join((secret, *given, asked)))
        known = (said.get("username"), said.get("nonce"), said.get("uri"), said.get("response"))
        return known == (knobs.user, NONCE, request.target, expected)

    def _hash(self, text: str) -> str:
        kind = self._scanner.access.algorithm.replace("-", "").lower()
        return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


def _by_proxy(request: Request, port: int) -> Reply | None:
    """Return what ipp-usb answers by itself on a loopback address."""
    if request.method == "CONNECT":
        return Reply(405)
    if not request.target.startswith("/") or request.has("upgrade"):
        return Reply(503, b"not served", "text/plain")
    host = request.header("host")
    is_local = host.partition(":")[0] == "localhost"
    if host and not is_local and request.method in ("GET", "HEAD"):
        return Reply(302, headers={"Location": f"http://localhost:{port}{request.target}"})
    return None
