"""Connections in this process: whoever takes their time, or their place, is ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.share import needs_web

needs_web()

from uvicorn import Config  # noqa: E402 - it may be absent, and so below
from uvicorn.server import ServerState  # noqa: E402

from sane.web import certificate  # noqa: E402
from sane.web.protocol import ShareProtocol, Times  # noqa: E402
from sane.web.server import TAKES_STATE  # noqa: E402

SECONDS = 20.0  # for anything that takes one
SHORT = 0.2
REST = 0.5
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
KERNEL_BYTES = 4096  # of its buffers, so that asyncio's has the rest
REPLY_BYTES = 40_000  # asyncio has its word of more than 64 KiB
QUICK = Times(head=SHORT, body=SHORT, idle=SHORT, stall=SHORT)


class Served:
    """A server of *size* zeros on every path, which reads what a request has; not at /unread."""

    def __init__(self, times: Times, size: int) -> None:
        self.ended = asyncio.Event()
        self._times = times
        self._size = size

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        while scope["path"] != "/unread" and (await receive()).get("more_body"):
            continue
        length = str(self._size).encode()
        head = {"status": 200, "headers": [(b"content-length", length)]}
        await send({"type": "http.response.start", **head})
        await send({"type": "http.response.body", "body": bytes(self._size)})

    def protocol(self) -> ShareProtocol:
        config = Config(self.app, interface="asgi3", lifespan="off", ws="none", log_config=None)
        config.load()
        more: dict[str, Any] = {"app_state": {}} if TAKES_STATE else {}
        state = ServerState()
        return ShareProtocol(
            times=self._times, ended=self.ended.set, config=config, server_state=state, **more
        )


Job = Callable[[socket.socket, Served], Awaitable[None]]


def serve(job: Job, times: Times, size: int = 10, tls: ssl.SSLContext | None = None) -> None:
    """Run job(client, served) with a connection whose kernel buffers are small."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        served = Served(times, size)
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
            client.setblocking(False)
            server = await loop.create_server(served.protocol, sock=listener, ssl=tls)
            await loop.sock_connect(client, listener.getsockname())
            try:
                await asyncio.wait_for(job(client, served), SECONDS)
            finally:
                server.close()

    asyncio.run(run())


async def replies(client: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    loop, data = asyncio.get_running_loop(), b""
    with contextlib.suppress(ConnectionError):
        while got := await loop.sock_recv(client, 1 << 16):
            data += got
    return data


# Who does not read


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(GET + b"\r\n", id="no more comes"),
        pytest.param(GET + b"Connection: close\r\n\r\n", id="closed"),
        pytest.param(GET + b"\r\nnonsense\r\n\r\n", id="then nonsense"),
        pytest.param(GET + b"\r\nGET / HT", id="then half a head"),
        pytest.param(GET + b"\r\n" + POST + b"Content-Length: 9\r\n\r\n", id="then no body"),
        pytest.param(GET + b"\r\n" + GET + b"\r\n" + GET + b"\r\n", id="much"),
    ],
)
@pytest.mark.parametrize("sends_on", [True, False], ids=["", "half-closed"])
def test_a_client_that_does_not_read_gives_its_place_back(request_: bytes, sends_on: bool) -> None:
    async def job(client: socket.socket, served: Served) -> None:
        await asyncio.get_running_loop().sock_sendall(client, request_)
        await asyncio.sleep(0.05)  # it is answered: what is unsent waits
        if not sends_on:
            client.shutdown(socket.SHUT_WR)
        await served.ended.wait()

    serve(job, QUICK, REPLY_BYTES)


def test_a_client_that_does_not_read_https_gives_its_place_back(tmp_path: Path) -> None:
    context = certificate.server_context(*certificate.own_files(tmp_path, ["localhost"]))

    async def job(client: socket.socket, served: Served) -> None:
        loop = asyncio.get_running_loop()
        mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        mine.check_hostname, mine.verify_mode = False, ssl.CERT_NONE
        coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = mine.wrap_bio(coming, going)
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                await loop.sock_sendall(client, going.read())
                coming.write(await loop.sock_recv(client, 1 << 16))
        session.write(GET + b"\r\n")
        await loop.sock_sendall(client, going.read())
        await served.ended.wait()

    serve(job, QUICK, REPLY_BYTES, context)


@pytest.mark.parametrize("head", [GET + b"\r\n", GET + b"Connection: close\r\n\r\n"])
def test_who_reads_all_too_slowly_is_ended(head: bytes) -> None:
    """It reads some 20 KB a second, and has to read 10 MB."""

    async def job(client: socket.socket, served: Served) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, head)
        with contextlib.suppress(ConnectionError):
            while not served.ended.is_set():
                await loop.sock_recv(client, 2000)
                await asyncio.sleep(0.1)

    serve(job, Times(stall=REST, rate=10e6), 1_000_000)


@pytest.mark.parametrize("head", [GET + b"\r\n", GET + b"Connection: close\r\n\r\n"])
def test_who_reads_slowly_gets_all(head: bytes) -> None:
    """It takes many times what a client may stall."""

    async def job(client: socket.socket, served: Served) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, head)
        data = b""
        while not data.endswith(bytes(200_000)):
            got = await loop.sock_recv(client, 10_000)
            assert got, len(data)
            data += got
            await asyncio.sleep(0.05)

    serve(job, Times(stall=SHORT, rate=2_000), 200_000)


# What is pipelined


@pytest.mark.parametrize("coding", [b"Content-Length: 60000", b"Transfer-Encoding: chunked"])
def test_the_body_of_a_second_request_has_its_time_too(coding: bytes) -> None:
    async def job(client: socket.socket, served: Served) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, GET + b"\r\n" + POST + coding + b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not served.ended.is_set():
                await loop.sock_sendall(client, b"1\r\n \r\n")
                await asyncio.sleep(0.05)
        assert b"HTTP/1.1 408 " in await replies(client)

    serve(job, Times(body=REST))


def test_the_next_body_begins_anew() -> None:
    """The first one is refused unread, and its rest comes together with the next head."""

    async def job(client: socket.socket, served: Served) -> None:
        loop = asyncio.get_running_loop()
        first, second = (POST.replace(b"/", path, 1) for path in (b"/unread", b"/"))
        length = b"Content-Length: 2\r\n"
        await loop.sock_sendall(client, first + length + b"\r\na")
        await asyncio.sleep(REST * 0.7)
        await loop.sock_sendall(client, b"b" + second + length + b"Connection: close\r\n\r\na")
        await asyncio.sleep(REST * 0.7)
        await loop.sock_sendall(client, b"b")
        assert (await replies(client)).count(b"HTTP/1.1 200 ") == 2

    serve(job, Times(body=REST, head=REST, idle=REST))
