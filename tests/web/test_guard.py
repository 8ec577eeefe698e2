"""What the guard lets pass, and what not, each line a request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from sane.web import guard
from sane.web.config import LimitSettings, ServerSettings, ShareSettings

Pairs = Sequence[tuple[str, str]]
HOST = ("host", "192.168.7.2:8090")
HOSTED: Pairs = (HOST,)


def request(
    headers: Pairs = HOSTED,
    *,
    method: str = "GET",
    path: str = "/eSCL/ScannerStatus",
    raw: bytes | None = None,
    client: str = "192.168.7.9",
    version: str = "1.1",
) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode() if raw is None else raw,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": (client, 50000),
        "server": ("192.168.7.2", 8090),
    }


def guarded(
    app: Any, settings: ShareSettings | None = None, announced: Callable[[], str] = str
) -> guard.Guard:
    """Return a guard of *app* on a machine that Avahi calls *announced*."""
    log = logging.getLogger("pysane.test")
    return guard.Guard(app, settings or ShareSettings(), log, announced)


def answer(
    scope: dict[str, Any], settings: ShareSettings | None = None, body: bytes = b""
) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
    """Return the status, the headers, and the scope that the application saw, {} if it did not."""
    seen: dict[str, Any] = {}
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guarded(app, settings)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), seen


def refusal(scope: dict[str, Any]) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return the status, the headers and the body for a request that the guard refuses."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        pytest.fail("its body was read")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pytest.fail("it got through")

    asyncio.run(guarded(app)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def status(scope: dict[str, Any], settings: ShareSettings | None = None, body: bytes = b"") -> int:
    return answer(scope, settings, body)[0]


# Who


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("127.0.0.9", 200),
        ("::1", 200),
        ("10.1.2.3", 200),
        ("172.31.0.1", 200),
        ("::ffff:192.168.1.1", 200),
        ("fe80::1%eth0", 200),
        ("fd12::1", 200),
        ("172.32.0.1", 403),
        ("8.8.8.8", 403),
        ("2001:db8::1", 403),
        ("::ffff:8.8.8.8", 403),
        ("", 403),
    ],
)
def test_only_near_networks_are_answered(client: str, expected: int) -> None:
    assert status(request(client=client)) == expected


def test_networks_of_the_configuration_replace_the_near_ones() -> None:
    settings = ShareSettings(server=ServerSettings(networks=(ip_network("192.168.7.0/24"),)))
    assert status(request(client="192.168.7.9"), settings) == 200
    assert status(request(client="127.0.0.1"), settings) == 200
    assert status(request(client="192.168.8.9"), settings) == 403


@pytest.mark.parametrize(
    ("forwarded", "expected", "client"),
    [
        ("192.168.7.77", 200, "192.168.7.77"),
        ("8.8.8.8", 403, ""),
        ("192.168.7.77, 8.8.8.8", 403, ""),  # what stands left of the last hop anybody may write
        ("8.8.8.8, 192.168.7.77, 10.9.0.1", 200, "192.168.7.77"),
        ("nonsense", 400, ""),
    ],
)
def test_a_trusted_proxy_says_who_asks(forwarded: str, expected: int, client: str) -> None:
    settings = ShareSettings(server=ServerSettings(trusted_proxies=(ip_network("10.9.0.0/24"),)))
    pairs = (HOST, ("x-forwarded-for", forwarded), ("x-forwarded-proto", "https"))
    found = answer(request(pairs, client="10.9.0.1"), settings)
    assert found[0] == expected
    if client:
        assert (found[2]["client"][0], found[2]["scheme"]) == (client, "https")


def test_nobody_else_is_believed_about_who_asks() -> None:
    pairs = (HOST, ("x-forwarded-for", "192.168.7.1"))
    assert status(request(pairs, client="8.8.8.8")) == 403
    seen = answer(request(pairs, client="192.168.7.9"))[2]
    assert seen["client"][0] == "192.168.7.9"


# By which name


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.168.7.2", 200),
        ("192.168.7.2:80", 200),
        ("localhost:8090", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8090", 200),
        ("[::1]:8090", 200),
        ("scan.example.org", 200),
        ("192.0.2.1", 200),
        ("192.168.7.3", 403),
        ("evil.example", 403),
        ("scan.example.org.evil.example", 403),
        ("a b", 400),
        ("localhost@evil.example", 400),
        ("localhost:99999999", 400),
        (".", 403),
        ("", 400),
    ],
)
def test_host_is_a_name_of_this_server(host: str, expected: int) -> None:
    names = ("scan.example.org", "192.0.2.1")
    settings = ShareSettings(server=ServerSettings(names=names))
    assert status(request((("host", host),)), settings) == expected


def test_the_name_that_is_announced_is_a_name_of_this_server() -> None:
    """It is another than the kernel's: that was taken in the network, or one is configured."""
    names, asked, statuses = ["host-2.local", "Host-3.local"], [0], []
    now = [0.0]

    def announced() -> str:
        asked[0] += 1
        return names[0]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def no_body() -> Any:
        pytest.fail("it was read")

    async def send(message: Any) -> None:
        if "status" in message:
            statuses.append(message["status"])

    async def run() -> None:
        log = logging.getLogger("pysane.test")
        one = guard.Guard(app, ShareSettings(), log, announced, lambda: now[0])
        for host in ("host-2.local:8090", "HOST-2.local.", "host-3.local", "evil.local", "x.test"):
            await one(request((("host", host),)), no_body, send)
        assert (statuses, asked) == ([200, 200, 403, 403, 403], [1])  # it is not asked each time
        names.pop(0)
        now[0] += guard.ANNOUNCED_SECONDS
        for host in ("host-3.local", "host-2.local"):
            await one(request((("host", host),)), no_body, send)
        assert (statuses[5:], asked) == ([200, 403], [2])

    asyncio.run(run())


def test_an_old_client_may_leave_the_host_away() -> None:
    assert status(request((), version="1.0")) == 200
    assert status(request(())) == 400


# For what


@pytest.mark.parametrize(
    ("path", "raw", "expected"),
    [
        ("/", b"/", 200),
        ("/api/v1/profiles/a b", b"/api/v1/profiles/a%20b", 200),
        ("/eSCL//x", b"/eSCL//x", 400),
        ("/a/../b", b"/a/../b", 400),
        ("/a/../b", b"/a/%2e%2e/b", 400),
        ("/a/./b", b"/a/./b", 400),
        ("/a\0b", b"/a%00b", 400),
        ("/a/b", b"/a%2Fb", 400),
        ("/a\\b", b"/a%5cb", 400),
        ("x", b"x", 400),
        ("*", b"*", 405),
        ("http://192.168.7.2/eSCL", b"http://192.168.7.2/eSCL", 200),
        ("http://evil.example/eSCL", b"http://evil.example/eSCL", 403),
        ("http://192.168.7.2/../x", b"http://192.168.7.2/../x", 400),
    ],
)
def test_paths(path: str, raw: bytes, expected: int) -> None:
    assert status(request(path=path, raw=raw)) == expected


def test_an_absolute_form_becomes_a_path() -> None:
    raw = b"http://192.168.7.2:8090/eSCL/a%20b"
    seen = answer(request(path=raw.decode(), raw=raw))[2]
    assert (seen["path"], seen["raw_path"]) == ("/eSCL/a b", b"/eSCL/a%20b")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("HEAD", "/eSCL", 200),
        ("DELETE", "/eSCL/x", 200),
        ("PATCH", "/eSCL/x", 405),
        ("PATCH", "/api/v1/x", 200),
        ("TRACE", "/", 405),
        ("CONNECT", "/", 405),
        ("OPTIONS", "/api/v1/x", 200),  # it says itself what it does
        ("BREW", "/", 405),
    ],
)
def test_methods(method: str, path: str, expected: int) -> None:
    found = answer(request(method=method, path=path))
    assert found[0] == expected
    assert (b"allow" in found[1]) == (expected == 405)


@pytest.mark.parametrize(
    ("wrong", "expected", "code"),
    [
        ({"raw": b"/api/v1/a%2fb"}, 400, "invalid"),
        ({"headers": [("host", "evil.example")]}, 403, "forbidden"),
        ({"headers": [*HOSTED, ("content-length", "1")]}, 413, "too-large"),
    ],
)
def test_programs_are_told_in_their_own_form(
    wrong: dict[str, Any], expected: int, code: str
) -> None:
    for path in ("/api/v1/jobs", "/eSCL/ScannerStatus"):
        found, headers, body = refusal(request(path=path, **wrong))
        assert found == expected
        if path.startswith("/api/"):
            assert headers[b"content-type"] == b"application/json"
            assert json.loads(body)["error"]["code"] == code
        else:
            assert headers[b"content-type"].startswith(b"text/plain")


# From which page


@pytest.mark.parametrize(
    ("method", "pairs", "expected"),
    [
        ("POST", [("origin", "http://192.168.7.2:8090")], 200),
        ("POST", [("origin", "http://evil.example")], 403),
        ("POST", [("origin", "null")], 403),
        ("POST", [("origin", "https://192.168.7.2:8090")], 403),
        ("DELETE", [("origin", "http://evil.example")], 403),
        ("PUT", [("origin", "http://evil.example")], 403),
        ("POST", [("sec-fetch-site", "cross-site")], 403),
        ("POST", [("sec-fetch-site", "same-origin")], 200),
        ("GET", [("origin", "http://evil.example")], 200),
        ("GET", [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], 403),
        ("GET", [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], 200),
        ("POST", [("content-type", "application/x-www-form-urlencoded")], 200),
        ("POST", [("content-type", "text/plain"), ("referer", "http://x/")], 403),
        ("POST", [("content-type", "text/plain; a=b"), ("sec-fetch-mode", "cors")], 403),
        ("POST", [("content-type", "text/xml"), ("referer", "http://x/")], 200),
    ],
)
def test_no_page_of_another_site_gets_through(
    method: str, pairs: list[tuple[str, str]], expected: int
) -> None:
    assert status(request((HOST, *pairs), method=method)) == expected


def test_the_page_behind_a_proxy_is_this_server() -> None:
    server = ServerSettings(base_url="https://scan.example.org/x")
    pairs = (("host", "scan.example.org"), ("origin", "https://scan.example.org"))
    assert status(request(pairs, method="POST"), ShareSettings(server=server)) == 200


# How much


@pytest.mark.parametrize(
    ("method", "path", "size", "expected"),
    [
        ("POST", "/eSCL/ScanJobs", 65536, 200),
        ("POST", "/eSCL/ScanJobs", 65537, 413),
        ("POST", "/api/v1/jobs", 70000, 200),
        ("POST", "/api/v1/jobs", 100001, 413),
        ("GET", "/", 1, 413),
        ("DELETE", "/eSCL/x", 1, 413),
    ],
)
def test_bodies(method: str, path: str, size: int, expected: int) -> None:
    settings = ShareSettings(limits=LimitSettings(upload_bytes=100_000))
    pairs = (HOST, ("content-length", str(size)))
    assert status(request(pairs, method=method, path=path), settings, bytes(size)) == expected
    if method == "POST":  # and without a length
        assert status(request(method=method, path=path), settings, bytes(size)) == expected


def test_replies_have_the_headers_that_browsers_need() -> None:
    for scope in (request(), request(client="8.8.8.8")):
        headers = answer(scope)[1]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"cache-control"] == b"no-store"
        assert b"default-src 'self'" in headers[b"content-security-policy"]
        assert b"access-control-allow-origin" not in headers


# Through Starlette, which answers 500 to what it does not know


def through_starlette(*messages: dict[str, Any]) -> list[Any]:
    """Return what is sent of an application that reads its body, which comes as *messages*."""
    pytest.importorskip("starlette", reason="peer absent: the Python package starlette")
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def endpoint(request: Request) -> Response:
        return Response(str(len(await request.body())))

    coming, sent = iter(messages), []

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        sent.append(message)

    app = Starlette(routes=[Route("/eSCL/ScanJobs", endpoint, methods=["POST"])])
    scope = request((HOST,), method="POST", path="/eSCL/ScanJobs")
    asyncio.run(guarded(app)(scope, receive, send))
    return sent


def piece(size: int) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": True}


def test_a_body_in_chunks_that_grows_too_large_is_413() -> None:
    start, body = through_starlette(piece(60_000), piece(6_000))
    assert start["status"] == 413
    assert body["body"] == b"the request is too large\n"


def test_a_client_that_goes_away_while_it_sends_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        through_starlette(piece(10), {"type": "http.disconnect"})
    assert not caplog.records
