"""The backend net on a server that takes its time: what waits for it, and what does not."""

from __future__ import annotations

import _socket
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sane.errors import Cancelled
from sane.net import connection
from sane.wire import messages as m
from sane.wire.protocol import frame_end, record_head
from tests.fakes.saned import PAUSE, FakeSaned
from tests.net.opening import LONG, backend, frame, handle, rest, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sane.handle import Handle
    from sane.net.client import Backend

SHORT = 0.05  # seconds that are over soon
SLOW = 0.4  # seconds that a server takes, far longer
DEVICE = "127.0.0.1:test:0"


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is short in earnest is over at once."""
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", SHORT)
    monkeypatch.setattr(connection, "POSTPONE_SECONDS", SHORT)


class Gate:
    """An answer that does not come before the gate is open."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, fake: FakeSaned, server: Any, request: Any) -> Any:
        self.reached.set()
        self.open.wait(LONG)
        return FakeSaned.answer(fake, server, request)


def slowly(fake: FakeSaned, server: Any, request: Any) -> Any:
    """Answer after SLOW seconds."""
    fake.stopping.wait(SLOW)
    return FakeSaned.answer(fake, server, request)


def numbered() -> Any:
    """Return an answer to OPEN that gives each device a number of its own, from 1 on."""
    last = 0

    def answer(fake: FakeSaned, server: Any, request: Any) -> Any:
        nonlocal last
        last += 1
        return server.reply(m.OpenReply(0, last, None))

    return answer


@contextmanager
def serving(folder: Path, authorize: Any = None, **settings: Any) -> Iterator[tuple[Any, Any]]:
    """Run a server that numbers its devices, and the backend that knows it."""
    settings.setdefault("answers", {})[m.Open] = numbered()
    with FakeSaned(**settings) as server:
        made = backend(folder, f"127.0.0.1 port = {server.port}\n", authorize)
        try:
            yield server, made
        finally:
            made.exit()


@contextmanager
def beside(call: Callable[[], object]) -> Iterator[list[BaseException | None]]:
    """Run *call* in a thread meanwhile; the list gets what it raised, None for nothing."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except BaseException as exc:
            outcome.append(exc)
        else:
            outcome.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield outcome
    finally:
        thread.join(LONG)


def told(server: FakeSaned) -> list[Any]:
    """Return the requests about devices, in the order in which they came."""
    kinds = (m.Open, m.Start, m.Cancel, m.Close, m.Exit)
    return [request for request in server.log if isinstance(request, kinds)]


def test_waits_for_a_carriage_that_goes_home_after_cancel(tmp_path: Path) -> None:
    with serving(tmp_path, answers={m.Cancel: slowly}) as (server, made):
        opened = handle(made, DEVICE)
        opened.start()
        opened.cancelled()
        assert frame(opened) == b"abcdefgh"
        opened.close()
        assert server.connections == 1


def test_waits_for_a_close_that_takes_long(tmp_path: Path) -> None:
    with serving(tmp_path, answers={m.Close: slowly}) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        one.close()
        assert frame(two) == b"abcdefgh"
        two.close()
        assert server.connections == 1


def test_waits_for_a_start_that_was_cancelled(tmp_path: Path) -> None:
    """The lamp warms up; neither this device nor one that scans beside it is lost."""
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE, b"efgh" + frame_end(5)]
    with serving(tmp_path, frame=wire) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        two.start()
        warm_up = server.answers[m.Start] = Gate()
        with beside(one.start) as outcome:
            assert warm_up.reached.wait(LONG)
            one.cancel_request.set()
            wait_for(lambda: outcome)
            assert isinstance(outcome[0], Cancelled)
        timer = threading.Timer(SLOW, warm_up.open.set)
        timer.start()
        one.cancelled()
        timer.join()
        server.release.set()
        assert rest(two) == b"abcdefgh"
        del server.answers[m.Start]
        assert frame(one) == b"abcdefgh"
        assert server.connections == 1
        two.close()
        one.close()


@contextmanager
def busy(server: FakeSaned, kind: type[m.Request], call: Any) -> Iterator[Gate]:
    """Keep the connection busy with *call*, which sends *kind*, until the gate is open."""
    gate = server.answers[kind] = Gate()
    with beside(call) as outcome:
        try:
            assert gate.reached.wait(LONG)
            yield gate
        finally:
            gate.open.set()
            wait_for(lambda: outcome)
    assert outcome == [None]


def getting(server: FakeSaned, opened: Handle) -> Any:
    """Keep the connection busy with the value of an option."""
    return busy(server, m.ControlOption, lambda: opened.get(1))


def test_a_close_beside_a_long_call_is_sent_after_it(tmp_path: Path) -> None:
    """By itself, though nothing else is asked."""
    with serving(tmp_path) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        with getting(server, one) as gate:
            two.close()
            assert not gate.open.is_set(), "it does not wait"
            assert server.requests(m.Close) == []
        wait_for(lambda: server.requests(m.Close))
        assert server.requests(m.Close) == [m.Close(2)]
        one.close()


def test_a_close_does_not_come_between_a_start_and_its_data_connection(tmp_path: Path) -> None:
    """The server answers nothing there, and gives the scan up when it has waited long enough."""
    with serving(tmp_path) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        with busy(server, m.Start, one.start):
            two.close()
        assert rest(one) == b"abcdefgh"
        wait_for(lambda: server.requests(m.Close))
        assert server.log[-3:] == [m.Start(1), m.GetParameters(1), m.Close(2)]
        one.close()


def test_a_cancel_beside_a_long_call_is_sent_before_what_follows(tmp_path: Path) -> None:
    wire: list[Any] = [record_head(8) + b"abcd", PAUSE]
    with serving(tmp_path, frame=wire) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        two.start()
        later: list[Handle] = []
        with getting(server, one) as gate:
            two.close()
            with beside(lambda: later.append(handle(made, DEVICE))) as outcome:
                gate.open.set()
                wait_for(lambda: outcome)
            assert outcome == [None]
        expected = [m.Start(2), m.Cancel(2), m.Close(2), m.Open("test:0")]
        assert told(server)[2:] == expected
        later[0].close()
        one.close()


def test_a_close_in_the_question_for_a_password_is_sent_after_it(tmp_path: Path) -> None:
    """The frontend's window runs on meanwhile: it would wait for itself."""
    devices: list[Handle] = []

    def authorize(resource: str) -> tuple[str, str]:
        devices.pop().close()
        return "joe", "secret"

    def challenge(fake: FakeSaned, server: Any, request: Any) -> Any:
        if isinstance(request, m.Authorize):
            original = server._request
            return [server.acknowledge(), FakeSaned.answer(fake, server, original)]
        return server.challenge("room")

    answers: Any = {m.Start: challenge, m.Authorize: challenge}
    with serving(tmp_path, authorize, answers=answers) as (server, made):
        one, two = handle(made, DEVICE), handle(made, DEVICE)
        devices.append(two)
        assert frame(one) == b"abcdefgh"
        wait_for(lambda: server.requests(m.Close))
        assert server.requests(m.Close) == [m.Close(2)]
        one.close()


@contextmanager
def closing(server: FakeSaned, made: Backend) -> Iterator[Gate]:
    """Let a thread of ours close a device, which takes until the gate is open."""
    one, two = handle(made, DEVICE), handle(made, DEVICE)
    with getting(server, one):
        two.close()
        gate = server.answers[m.Close] = Gate()
    assert gate.reached.wait(LONG)
    try:
        yield gate
    finally:
        gate.open.set()
        one.close()


def test_exit_waits_for_what_was_postponed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", LONG)
    with (
        serving(tmp_path) as (server, made),
        closing(server, made) as gate,
        beside(made.exit) as outcome,
    ):
        gate.open.set()
        wait_for(lambda: outcome)
        wait_for(lambda: server.requests(m.Exit))
        assert told(server)[-2:] == [m.Close(2), m.Exit()]


def test_exit_does_not_wait_long_for_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, made), closing(server, made) as gate:
        made.exit()
        assert not gate.open.is_set()


# Lists


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is over at once."""
    monkeypatch.setattr("sane.net.client.LIST_SECONDS", SHORT)


def listed(made: Backend) -> list[str]:
    """Return the names in a list."""
    return [device.name for device in made.list_devices(False)]


@pytest.mark.usefixtures("impatient")
def test_a_list_does_not_wait_for_a_server_that_is_silent(tmp_path: Path) -> None:
    """Nor is a device lost that is open there; the answer is that of a later list."""
    gate = Gate()
    with serving(tmp_path, answers={m.GetDevices: gate}) as (server, made):
        opened = handle(made, DEVICE)
        assert listed(made) == []
        assert listed(made) == []
        assert not gate.open.is_set()
        gate.open.set()
        wait_for(lambda: listed(made) == [DEVICE])
        assert frame(opened) == b"abcdefgh"
        opened.close()
        assert server.connections == 1


@pytest.mark.usefixtures("impatient")
def test_a_list_does_not_wait_for_a_call_of_a_device(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, made):
        opened = handle(made, DEVICE)
        with getting(server, opened) as gate:
            assert listed(made) == []
            assert not gate.open.is_set()
        assert listed(made) == [DEVICE]
        opened.close()


@pytest.mark.usefixtures("impatient")
def test_a_list_does_not_wait_for_the_resolver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering = threading.Event()
    asked, over = threading.Event(), threading.Event()
    before = len(os.listdir("/proc/self/fd"))
    look_up = _socket.getaddrinfo

    def silent(host: Any, port: Any, family: int, kind: int, protocol: int, flags: int) -> Any:
        if not flags & _socket.AI_NUMERICHOST:
            asked.set()
            answering.wait(LONG)
            over.set()
        return look_up(host, port, family, kind, protocol, flags)

    monkeypatch.setattr(_socket, "getaddrinfo", silent)
    made = backend(tmp_path, "localhost port = 9\n")
    assert listed(made) == []
    assert asked.is_set()
    assert not over.is_set()
    answering.set()
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)  # the thread is on its way out
    made.exit()
