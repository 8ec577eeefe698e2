"""The two requests between web server and worker do not exist for clients in the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.wire import messages, private
from sane.wire.codec import ProtocolError
from sane.wire.protocol import ADVERTISED, Server
from tests.support.saned import Saned, configure

REQUESTS = (private.Identify(0, "test:0"), private.StartPage(0, "image/jpeg"))


def begun(**how: object) -> Server:
    server = Server(**how)  # type: ignore[arg-type]
    server.receive(messages.Init(ADVERTISED, "tester").encode())
    assert isinstance(server.request(), messages.Init)
    server.reply(messages.InitReply(0, ADVERTISED))
    return server


@pytest.mark.parametrize("request_", REQUESTS, ids=["identify", "start-page"])
def test_only_a_server_that_was_given_them_understands_them(
    request_: messages.Request,
) -> None:
    server = begun(requests=private.REQUESTS)
    server.receive(request_.encode())
    assert server.request() == request_
    server = begun()
    server.receive(request_.encode())
    with pytest.raises(ProtocolError, match=f"there is no request {request_.opcode}"):
        server.request()


@pytest.mark.parametrize("request_", REQUESTS, ids=["identify", "start-page"])
def test_saned_closes_the_connection(tmp_path: Path, request_: messages.Request) -> None:
    with Saned(configure(tmp_path)) as saned, saned.client() as client:
        assert client.ask(messages.Open("test:0")).status == 0
        client.sock.sendall(request_.encode())
        assert client.sock.recv(1) == b""
        saned.wait_for(f"there is no request {request_.opcode}")
