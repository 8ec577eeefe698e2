"""What every request must pass before a part of the server sees it.

Who asks (networks, trusted proxies), by which name (DNS rebinding), from which page (cross-site
requests), for which path, by which method, with how much of a body. Source: specification escl 6.4;
RFC 9110 and 9112; Fetch metadata request headers.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any

from ..discovery.hostname import announced_host
from .addresses import Address, LocalNetworks, host_names, is_in, plain
from .api.problem import ApiError

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, MutableMapping

    from .config import ShareSettings

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = ("GET", "HEAD")
CHANGING = ("POST", "PUT", "DELETE")
API = "/api/"
ANNOUNCED_SECONDS = 30.0  # until the machine's name in the network is asked for again
SMALL_BODY = 64 << 10  # a ScanSettings document has 2 KiB
SIMPLE_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
BROWSER_HEADERS = ("origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[\w.~-]+)?\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?")
CODES = {400: "invalid", 403: "forbidden", 405: "not-allowed", 413: "too-large"}  # of Denied
HEADERS = {  # of every reply that does not say otherwise
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"content-security-policy": b"default-src 'self'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}


class Denied(Exception):
    """A request is not let in. status: HTTP's. headers: more of the reply's."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}


class Guard:
    """An ASGI application around *app* that hands on what may pass.

    announced: returns the name under which this machine is announced, "" for none; it may block.
    """

    def __init__(
        self,
        app: App,
        settings: ShareSettings,
        log: logging.Logger,
        announced: Callable[[], str] = announced_host,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._log = log
        self._near = LocalNetworks()
        self._ask, self._clock = announced, clock
        self._asking = asyncio.Lock()
        self._announced: tuple[str, float] | None = None  # the name, and until when it holds
        self.adopt(settings)

    def adopt(self, settings: ShareSettings) -> None:
        """Take over settings."""
        self._settings = settings
        self._names = frozenset((*host_names(), *settings.server.names, *_base_host(settings)))
        self._addresses = frozenset(filter(None, map(plain, settings.server.names)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            limit = await self._check(scope)
        except Denied as exc:
            client = (scope.get("client") or ("?",))[0]
            self._log.info("%s: %s %s: %s", client, scope["method"], scope["path"][:200], exc)
            await refuse(send, exc, scope)
            return
        body = Body(receive, limit)
        try:
            await self._app(scope, body.receive, dressed(body.answering(send)))
        except Exception as exc:
            if not (body.is_refused or body.is_left_by(exc)):
                raise
            self._log.debug("%s: %s", scope["path"][:200], exc or "the client went away")
        if body.is_refused:
            await refuse(send, Denied(413, "the request is too large"), scope)

    async def _check(self, scope: Scope) -> int:
        """Raise Denied for what may not pass; return how many bytes the body may have."""
        headers = Headers(scope["headers"])
        self._find_client(scope, headers)
        client = plain(str((scope.get("client") or ("",))[0]))
        if client is None or not self._may_connect(client):
            raise Denied(403, "this server answers to its own networks only")
        await self._check_target(scope)
        await self._check_host(scope, headers.one("host"))
        method, path = scope["method"], scope["path"]
        allowed = (*SAFE, *CHANGING)
        if method not in allowed and not path.startswith(API):  # which knows its own
            raise Denied(405, f"{method} is not allowed", {"allow": ", ".join(allowed)})
        self._check_site(scope, headers)
        return self._body_limit(method, path, headers)

    # Who

    def _find_client(self, scope: Scope, headers: Headers) -> None:
        """Believe a trusted proxy about who asks, and how."""
        proxies = self._settings.server.trusted_proxies
        client = plain(str((scope.get("client") or ("",))[0]))
        if client is None or not is_in(client, proxies):
            return
        scope["pysane.proxy"] = True
        for hop in reversed([each.strip() for each in headers.all("x-forwarded-for")]):
            address = plain(hop.strip("[]"))
            if address is None:
                raise Denied(400, "X-Forwarded-For is no list of addresses")
            scope["client"] = (str(address), 0)
            if not is_in(address, proxies):
                break
        if headers.one("x-forwarded-proto").lower() in ("http", "https"):
            scope["scheme"] = headers.one("x-forwarded-proto").lower()

    def _may_connect(self, client: Address) -> bool:
        networks = self._settings.server.networks
        if networks:
            return client.is_loopback or is_in(client, networks)
        return client in self._near

    # What for

    async def _check_target(self, scope: Scope) -> None:
        """Take an absolute form apart; refuse paths that mean something else to somebody."""
        raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
        if re.match(rb"https?://", raw, re.IGNORECASE):
            authority, slash, rest = raw.partition(b"://")[2].partition(b"/")
            await self._check_authority(scope, authority.decode("latin-1"))
            raw = slash + rest or b"/"
            from urllib.parse import unquote

            scope["raw_path"], scope["path"] = raw, unquote(raw.decode("latin-1"))
        if not raw.startswith(b"/"):
            if raw == b"*":
                raise Denied(405, "OPTIONS is not allowed", {"allow": ", ".join(SAFE)})
            raise Denied(400, "the target is no path")
        path = scope["path"]
        hidden = re.search(rb"%(00|2f|5c)", raw, re.IGNORECASE)
        parts = path.split("/")
        if hidden or "\0" in path or "\\" in path or "//" in path or ".." in parts or "." in parts:
            raise Denied(400, "the path is not in its plain form")

    async def _check_host(self, scope: Scope, host: str) -> None:
        if not host:
            if scope["http_version"] != "1.0":
                raise Denied(400, "the Host header is missing")
            return
        await self._check_authority(scope, host)

    async def _check_authority(self, scope: Scope, authority: str) -> None:
        """Raise Denied unless *authority* is one of this server's names or addresses."""
        found = AUTHORITY.fullmatch(authority)
        if found is None:
            raise Denied(400, "the Host header is no host")
        host = found.group(1).lower().rstrip(".")
        address = plain(host.strip("[]"))
        if address is None:
            if host in self._names or (host and host == await self._announced_name()):
                return
        else:
            own = plain(str((scope.get("server") or ("",))[0]))
            if address == own or address in self._addresses or address.is_loopback:
                return
        raise Denied(403, f"{host[:100]} is not a name of this server (server.names)")

    async def _announced_name(self) -> str:
        """Return the name under which this machine is announced, as asked a short while ago.

        It is another than the kernel's where that is taken in the network, or Avahi has its own.
        Names that others announce for this machine's addresses do not count: they may rebind.
        """
        async with self._asking:
            if self._announced is None or self._clock() >= self._announced[1]:
                name = (await asyncio.to_thread(self._ask)).lower().rstrip(".")
                self._announced = name, self._clock() + ANNOUNCED_SECONDS
            return self._announced[0]

    def _check_site(self, scope: Scope, headers: Headers) -> None:
        """Refuse what a page of another site has a browser send."""
        site = headers.one("sec-fetch-site").lower()
        is_foreign = site in ("cross-site", "same-site")
        if scope["method"] in SAFE:
            if is_foreign and headers.one("sec-fetch-mode").lower() != "navigate":
                raise Denied(403, "another site's page asks")
            return
        origin = headers.one("origin")
        if is_foreign or (origin and not self._is_same(scope, origin, headers.one("host"))):
            raise Denied(403, "another site's page asks")
        kind = headers.one("content-type").partition(";")[0].strip().lower()
        from_browser = any(headers.one(name) for name in BROWSER_HEADERS)
        if scope["method"] == "POST" and kind in SIMPLE_TYPES and from_browser:
            raise Denied(403, f"{kind} is not taken from browsers")

    def _is_same(self, scope: Scope, origin: str, host: str) -> bool:
        """Tell whether *origin* is this server as the browser sees it."""
        base = self._settings.server.base_url
        if base and origin.lower() == "/".join(base.split("/")[:3]).lower():
            return True
        return origin.lower() == f"{scope['scheme']}://{host}".lower()

    def _body_limit(self, method: str, path: str, headers: Headers) -> int:
        limit = 0
        if method not in SAFE:
            limit = self._settings.limits.upload_bytes if path.startswith(API) else SMALL_BODY
            limit = 0 if method == "DELETE" and not path.startswith(API) else limit
        length = headers.one("content-length")
        if length and int(length) > limit:
            raise Denied(413, f"a body of {length} bytes; at most {limit}")
        if not limit and headers.one("transfer-encoding"):
            raise Denied(400, f"{method} has no body")
        return limit


class Headers:
    """A request's headers by their names in small letters."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._found: dict[str, str] = {}
        for name, value in pairs:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._found[key] = f"{self._found[key]},{text}" if key in self._found else text

    def one(self, name: str) -> str:
        """Return a header's value, "" without one."""
        return self._found.get(name, "").strip()

    def all(self, name: str) -> list[str]:
        """Return the elements of a list."""
        return [each for each in self.one(name).split(",") if each.strip()]


class TooLarge(Exception):
    """A body has more bytes than it may."""


class Body:
    """Counts a body's bytes; raises TooLarge beyond *limit*, and no answer to it gets out."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._has_answered = self._is_gone = False

    @property
    def is_refused(self) -> bool:
        """It was too large, which the client is still to be told."""
        return self._left < 0 and not self._has_answered

    def is_left_by(self, exc: Exception) -> bool:
        """Tell whether *exc* says that the client went away: no fault of the server's."""
        from starlette.requests import ClientDisconnect

        return self._is_gone and isinstance(exc, ClientDisconnect)

    async def receive(self) -> Message:
        """Return the next message."""
        message = await self._receive()
        self._is_gone = message["type"] == "http.disconnect"
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise TooLarge
        return message

    def answering(self, send: Send) -> Send:
        """Return *send* that lets nothing out once the body is too large."""

        async def sending(message: Message) -> None:
            if not self.is_refused:
                self._has_answered = True
                await send(message)

        return sending


def dressed(send: Send) -> Send:
    """Return *send* that adds the headers of HEADERS where the application gives none."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {bytes(name).lower() for name, _ in given}
            given += [item for item in HEADERS.items() if item[0] not in names]
            message = {**message, "headers": given}
        await send(message)

    return sending


async def refuse(send: Send, denied: Denied, scope: Scope) -> None:
    """Say why, to programs in REST's form, and close: what follows is not wanted either."""
    body, kind = f"{denied}\n".encode(), b"text/plain; charset=utf-8"
    if scope["path"].startswith(API):
        error = ApiError(CODES[denied.status], str(denied))
        body, kind = json.dumps({"error": error.to_dict()}).encode(), b"application/json"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *((name.encode(), value.encode()) for name, value in denied.headers.items()),
        *HEADERS.items(),
    ]
    await send({"type": "http.response.start", "status": denied.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _base_host(settings: ShareSettings) -> list[str]:
    found = AUTHORITY.match(settings.server.base_url.partition("://")[2])
    return [found.group(1).lower()] if found else []
