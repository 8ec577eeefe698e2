"""The backend net on a server of the tests: authorization, frames, cancel."""

from __future__ import annotations

import select
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sane.errors import (
    AccessDenied,
    Cancelled,
    EndOfFrame,
    Invalid,
)
from sane.net.client import Backend
from sane.wire import messages as m
from sane.wire import protocol
from sane.wire.protocol import frame_end, record_head
from tests.fakes.saned import PAUSE, FakeSaned
from tests.net.opening import LONG, backend, frame, handle, rest

RESOURCE = "test$MD5$6a196b005b511d218cd9"
DIGEST = "$MD5$8bb416c3398301c91c70eb750dfc735e"


# Authorization


def challenging(times: int, wanted: str = DIGEST) -> Any:
    """Return an answer with *times* auth challenges, that judges the last credentials."""

    def answer(fake: FakeSaned, server: protocol.Server, request: Any) -> Any:
        asked = fake.requests(m.Authorize)
        if not isinstance(request, m.Authorize):
            fake.log[:] = [r for r in fake.log if not isinstance(r, m.Authorize)]
            return server.challenge(RESOURCE)
        if len(asked) < times:
            return [server.acknowledge(), server.challenge(RESOURCE)]
        if request.password != wanted:
            return [server.acknowledge(), server.reply(server.refusal(11))]
        original = server._request
        assert original is not None
        return [server.acknowledge(), FakeSaned.answer(fake, server, original)]

    return answer


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("given", ["secret", DIGEST], ids=["password", "digest"])
def test_client_answers_challenges_with_md5(tmp_path: Path, times: int, given: str) -> None:
    asked = []

    def authorize(resource: str) -> tuple[str, str]:
        asked.append(resource)
        return "joe", given

    answer = challenging(times)
    with FakeSaned(answers={m.Open: answer, m.Authorize: answer}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n", authorize)
        handle(made, "127.0.0.1:test:0").close()
        assert asked == [f"net:127.0.0.1:{RESOURCE}"] * times
        assert server.requests(m.Authorize) == [m.Authorize(RESOURCE, "joe", DIGEST)] * times
        made.exit()


def test_client_the_host_of_a_resource_has_no_brackets(tmp_path: Path) -> None:
    asked = []

    def authorize(resource: str) -> tuple[str, str]:
        asked.append(resource)
        return "joe", "secret"

    answer = challenging(1)
    with FakeSaned("::1", answers={m.Open: answer, m.Authorize: answer}) as server:
        made = backend(tmp_path, f"[::1] port = {server.port}\n", authorize)
        handle(made, "[::1]:test:0").close()
        assert asked == [f"net:::1:{RESOURCE}"]
        made.exit()


def test_client_wrong_credentials_are_denied_and_the_connection_lives(tmp_path: Path) -> None:
    answer = challenging(1)
    passwords = iter(["wrong", "secret"])
    with FakeSaned(answers={m.Open: answer, m.Authorize: answer}) as server:
        made = backend(
            tmp_path,
            f"127.0.0.1 port = {server.port}\n",
            lambda resource: ("joe", next(passwords)),
        )
        with pytest.raises(AccessDenied):
            made.open("127.0.0.1:test:0")
        handle(made, "127.0.0.1:test:0").close()
        assert server.connections == 1
        made.exit()


def test_client_without_a_callback_nothing_is_sent_as_credentials(tmp_path: Path) -> None:
    answer = challenging(1)
    with FakeSaned(answers={m.Open: answer, m.Authorize: answer}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        with pytest.raises(AccessDenied):
            made.open("127.0.0.1:test:0")
        assert server.requests(m.Authorize) == [m.Authorize(RESOURCE, "", "")]
        made.exit()


def test_client_a_resource_without_md5_gets_the_plain_password(tmp_path: Path) -> None:
    answer = challenging(1, "secret")

    def plain(fake: FakeSaned, server: protocol.Server, request: Any) -> Any:
        if isinstance(request, m.Open):
            return server.challenge("old")
        return answer(fake, server, request)

    with FakeSaned(answers={m.Open: plain, m.Authorize: plain}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n", lambda _: ("a", "secret"))
        handle(made, "127.0.0.1:test:0").close()
        made.exit()


def test_client_endless_challenges_end(tmp_path: Path) -> None:
    answer = challenging(1_000_000)
    with FakeSaned(answers={m.Open: answer, m.Authorize: answer}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n", lambda _: ("joe", "secret"))
        with pytest.raises(AccessDenied, match="a password again and again"):
            made.open("127.0.0.1:test:0")
        made.exit()


@pytest.mark.parametrize("kind", [m.ControlOption, m.Start])
@pytest.mark.parametrize("together", [False, True])
def test_client_options_and_start_may_challenge_too(
    tmp_path: Path, kind: type[m.Request], together: bool
) -> None:
    separate = challenging(1)

    def answer(fake: FakeSaned, server: protocol.Server, request: Any) -> Any:
        pieces = separate(fake, server, request)
        return b"".join(pieces) if together and isinstance(pieces, list) else pieces

    with FakeSaned(answers={kind: answer, m.Authorize: answer}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n", lambda _: ("joe", "secret"))
        opened = handle(made, "127.0.0.1:test:0")
        if kind is m.Start:
            assert frame(opened) == b"abcdefgh"
        else:
            assert opened.get(2) == b"Gray\0"
        opened.close()
        made.exit()


# Frames


def test_client_scans_a_frame(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    assert frame(opened) == b"abcdefgh"
    with pytest.raises(EndOfFrame):
        opened.read(memoryview(bytearray(1)))
    assert frame(opened, 3) == b"abcdefgh"
    assert server.requests(m.Cancel) == []
    opened.cancelled()
    assert server.requests(m.Cancel) == [m.Cancel(7)]
    opened.cancelled()
    assert len(server.requests(m.Cancel)) == 1
    opened.close()


def test_client_parameters_are_asked_once_a_frame(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    opened.parameters()
    assert opened.parameters().bytes_per_line == 4
    assert len(server.requests(m.GetParameters)) == 2
    opened.start()
    opened.parameters()
    assert len(server.requests(m.GetParameters)) == 3
    rest(opened)
    opened.close()


def test_client_calls_in_the_wrong_state(net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    view = memoryview(bytearray(8))
    for call in (lambda: opened.set_io_mode(True), opened.select_fd):
        with pytest.raises(Invalid):
            call()
    with pytest.raises(Cancelled):
        opened.read(view)
    opened.start()
    with pytest.raises(Invalid, match="already"):
        opened.start()
    for change in (lambda: opened.set(2, b"Gray\0"), lambda: opened.set_auto(1)):
        with pytest.raises(Invalid, match="during a scan"):
            change()
    assert opened.get(2) == b"Gray\0"
    assert opened.read(view) == 8
    opened.close()


@pytest.mark.parametrize("order", [m.BIG_ENDIAN, 0, 77])
@pytest.mark.parametrize("rooms", [1, 2, 3, 100])
def test_client_deep_samples_of_a_big_endian_server_are_exchanged(
    tmp_path: Path, order: int, rooms: int
) -> None:
    parameters = m.Parameters(0, True, 8, 4, 1, 16)
    wire = [record_head(3) + b"abc", record_head(5) + b"defgh" + frame_end(5)]
    with FakeSaned(byte_order=order, parameters=parameters, frame=wire) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        assert frame(opened, rooms) == b"badcfehg"
        server.parameters = m.Parameters(0, True, 8, 8, 1, 8)
        assert frame(opened, rooms) == b"abcdefgh"
        server.byte_order, server.parameters = m.LITTLE_ENDIAN, parameters
        assert frame(opened, rooms) == b"abcdefgh"
        opened.close()
        made.exit()


def test_client_non_blocking_and_select_without_a_thread(tmp_path: Path) -> None:
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE, b"efgh" + frame_end(5)]
    with FakeSaned(frame=wire) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        opened.start()
        opened.set_io_mode(True)
        threads = threading.active_count()
        view = memoryview(bytearray(100))
        fd = opened.select_fd()
        assert select.select([fd], [], [], LONG)[0]
        assert opened.read(view) == 4
        assert opened.read(view) == 0
        assert select.select([fd], [], [], 0)[0] == []
        assert threading.active_count() == threads
        server.release.set()
        data = b""
        with pytest.raises(EndOfFrame):
            while True:
                assert select.select([fd], [], [], LONG)[0]
                data += view[: opened.read(view)]
        assert data == b"efgh"
        opened.start()
        assert rest(opened) == b"abcdefgh", "a new frame begins blocking"
        opened.close()
        made.exit()


def test_client_cancel_in_mid_frame(tmp_path: Path) -> None:
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE]
    with FakeSaned(frame=wire) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        opened.start()
        view = memoryview(bytearray(100))
        assert opened.read(view) == 4
        timer = threading.Timer(0.05, opened.cancel_request.set)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(Cancelled):
            opened.read(view)
        timer.join()
        opened.cancelled()
        assert time.monotonic() - begin < 1
        assert server.requests(m.Cancel) == [m.Cancel(7)]
        server.frame = [record_head(1) + b"x" + frame_end(5)]
        assert frame(opened) == b"x"
        opened.close()
        made.exit()


def test_client_cancel_while_start_is_not_answered(tmp_path: Path) -> None:
    """The answer comes late and is waited for when the job ends; the connection lives on."""
    gate = threading.Event()

    def late(fake: FakeSaned, server: protocol.Server, request: Any) -> bytes:
        gate.wait(LONG)
        return fake.start(server)

    with FakeSaned(answers={m.Start: late}) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        timer = threading.Timer(0.05, opened.cancel_request.set)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(Cancelled):
            opened.start()
        assert time.monotonic() - begin < 1
        timer.join()
        gate.set()
        opened.cancelled()
        assert server.requests(m.Cancel) == [m.Cancel(7)]
        server.answers = {}
        assert frame(opened) == b"abcdefgh"
        assert server.connections == 1
        opened.close()
        made.exit()


def test_client_a_server_that_is_blocked_by_a_full_data_connection_hears_cancel(
    tmp_path: Path,
) -> None:
    """It answers only after its data was taken: it is, and thrown away."""
    sent = threading.Event()
    flood = record_head(1 << 24) + bytes(1 << 24)

    def start(fake: FakeSaned, server: protocol.Server, request: Any) -> bytes:
        return fake.start(server)

    def cancel(fake: FakeSaned, server: protocol.Server, request: Any) -> bytes:
        assert sent.wait(LONG)
        return server.reply(m.Acknowledgement(0))

    class Noting(bytes):
        pass

    with FakeSaned(answers={m.Start: start, m.Cancel: cancel}) as server:
        server.frame = [flood, PAUSE]
        release = server.release

        class Sent(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                sent.set()
                return release.wait(timeout)

        server.release = Sent()
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        opened.start()
        opened.cancelled()
        assert sent.is_set()
        server.release = release
        opened.close()
        made.exit()


def test_client_two_devices_share_a_connection(tmp_path: Path) -> None:
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE, b"efgh" + frame_end(5)]
    with FakeSaned(frame=wire) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        one, two = (handle(made, "127.0.0.1:test:0") for _ in range(2))
        one.start()
        two.start()
        server.release.set()
        assert (rest(one), rest(two)) == (b"abcdefgh", b"abcdefgh")
        assert server.connections == 1
        one.close()
        two.close()
        made.exit()
