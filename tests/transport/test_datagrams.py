"""Questions by UDP: tries, checks, others who answer; and searches on all interfaces."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from sane.cancel import Cancel
from sane.config import Environment
from sane.errors import Cancelled, DeviceIOError
from sane.testing.net import Fault, UdpEmulator
from sane.transport import broadcast, interfaces
from sane.transport.broadcast import EVERYBODY, Answer, is_group
from sane.transport.datagrams import Datagrams
from sane.transport.failures import NoAnswer
from sane.transport.network import Network
from tests import TREE
from tests.conftest import ABSENT
from tests.support.timing import soon

SHORT, LONG = 0.05, 10.0
NETWORK = Network(Environment({}), "test")


class Echo(UdpEmulator):
    def answers(self, data: bytes) -> Iterable[bytes]:
        return [b"re:" + data]


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    request = Cancel()
    yield request
    request.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    device = Echo()
    yield device
    device.close()


def ask(echo: Echo, accepts: Callable[[bytes], bool] | None = None, tries: int = 3) -> bytes:
    datagrams = Datagrams.to(*echo.address, LONG)
    try:
        return datagrams.ask(b"who", accepts, tries, SHORT)
    finally:
        datagrams.close()


def is_answer(data: bytes) -> bool:
    return data == b"re:who"


def test_datagrams_a_question_gets_its_answer(echo: Echo) -> None:
    assert ask(echo) == b"re:who"
    assert echo.received == [b"who"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop"),
        Fault("drop", times=2),
        Fault("garbage", data=b"\xff" * 9),
        Fault("garbage", data=b""),
        Fault("garbage", data=bytes(60_000)),
        Fault("cut", size=2),
        Fault("stale"),
        Fault("repeat"),
        Fault("surplus", data=b"more"),
        Fault("slow", seconds=SHORT / 2),
    ],
    ids=str,
)
def test_datagrams_a_fault_of_the_network_is_asked_past(echo: Echo, fault: Fault) -> None:
    echo.faults.add(fault)
    assert ask(echo, is_answer) == b"re:who"
    assert len(echo.received) <= 3


def test_datagrams_silence_ends_after_the_tries(echo: Echo) -> None:
    echo.faults.add(Fault("silence", times=9))
    with pytest.raises(NoAnswer, match=rf"^127.0.0.1 port {echo.address[1]}: no answer to 3 quest"):
        ask(echo)
    assert len(echo.received) == 3


def test_datagrams_nothing_but_garbage_is_no_answer(echo: Echo) -> None:
    with pytest.raises(NoAnswer, match="only 3 other datagrams"):
        ask(echo, lambda _data: False)


def test_datagrams_a_flood_does_not_outlast_the_limit(cancel: Cancel) -> None:
    """Somebody who sends without end keeps neither the limit nor cancel from being seen."""
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        datagrams = Datagrams.to("127.0.0.1", sock.getsockname()[1], LONG, cancel)
        with socket.socket(fileno=socket.dup(datagrams.fileno())) as twin:
            port = twin.getsockname()[1]

        def flood() -> None:
            while not stop.is_set():
                sock.sendto(b"x" * 1000, ("127.0.0.1", port))

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            begin = time.monotonic()
            with pytest.raises(NoAnswer):
                datagrams.ask(b"who", lambda _data: False, 2, SHORT)
            with soon(cancel.set), pytest.raises(Cancelled):
                datagrams.ask(b"who", lambda _data: False, 1, 60.0)
            assert time.monotonic() - begin < LONG
        finally:
            stop.set()
            thread.join()
            datagrams.close()


def test_datagrams_a_port_where_nobody_listens() -> None:
    with Echo() as echo:
        pass
    begin = time.monotonic()
    datagrams = Datagrams.to(*echo.address)
    with pytest.raises(DeviceIOError, match=rf"127.0.0.1 port {echo.address[1]}: .*refused"):
        datagrams.ask(b"x", seconds=60.0)
    assert time.monotonic() - begin < LONG
    datagrams.close()


def test_datagrams_of_others_are_dropped(echo: Echo) -> None:
    """From another address, and from another port unless that is allowed."""
    for any_port in (False, True):
        datagrams = Datagrams.to(*echo.address, LONG, any_port=any_port)
        echo.received.clear()
        datagrams.send(b"")
        assert datagrams.receive(LONG) == b"re:"
        with socket.socket(fileno=socket.dup(datagrams.fileno())) as twin:
            port = twin.getsockname()[1]
        for source in ("127.0.0.1", "127.0.0.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.bind((source, 0))
                other.sendto(source.encode(), ("127.0.0.1", port))
        if any_port:
            assert datagrams.receive(LONG) == b"127.0.0.1"
        with pytest.raises(NoAnswer):
            datagrams.receive(SHORT)
        datagrams.close()


def test_datagrams_cancel_ends_the_wait(echo: Echo, cancel: Cancel) -> None:
    echo.faults.add(Fault("silence", times=9))
    datagrams = Datagrams.to(*echo.address, LONG, cancel)
    begin = time.monotonic()
    with soon(cancel.set), pytest.raises(Cancelled):
        datagrams.ask(b"x", seconds=60.0)
    assert time.monotonic() - begin < LONG
    datagrams.close()
    datagrams.close()


def test_datagrams_over_ipv6() -> None:
    with Echo("::1") as echo:
        datagrams = Datagrams.to("::1", echo.address[1], LONG)
        assert datagrams.ask(b"x") == b"re:x"
        datagrams.close()


# Searches


def found(echo: Echo, cancel: Cancel, seconds: float = LONG, **how: object) -> list[Answer]:
    questions = [(b"who", echo.address[1])]
    settings: dict[str, Any] = {"quiet_seconds": 0.3, **how}
    return list(NETWORK.search(questions, cancel.wait, seconds, **settings))


def test_search_one_host(echo: Echo, cancel: Cancel) -> None:
    answers = found(echo, cancel, to=["127.0.0.1"], rounds=2)
    assert {(a.data, a.host, a.port) for a in answers} == {(b"re:who", *echo.address)}
    assert echo.received == [b"who", b"who"]


def test_search_a_group_on_all_interfaces_and_this_machine(cancel: Cancel) -> None:
    with Echo("0.0.0.0", 0, ["239.255.17.3"]) as echo:
        assert found(echo, cancel, to=["239.255.17.3"], rounds=1) == []
        (answer,) = found(echo, cancel, to=["239.255.17.3"], rounds=1, with_loopback=True)
        assert (answer.data, answer.interface) == (b"re:who", "lo")


def test_search_everybody(cancel: Cancel) -> None:
    """Our own machine hears what it sends to everybody on a network that it has."""
    if not any(a.broadcast and not a.is_loopback for a in interfaces.addresses()):
        pytest.skip("no network with a broadcast address")
    with Echo("0.0.0.0") as echo:
        answers = found(echo, cancel, to=[EVERYBODY], rounds=1)
        assert {a.data for a in answers} == {b"re:who"}


def test_search_answers_are_limited(
    echo: Echo, cancel: Cancel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "MOST_ANSWERS", 2)
    echo.faults.add(Fault("repeat", times=9))
    assert len(found(echo, cancel, to=["127.0.0.1"])) == 2


def test_search_silence_and_its_end(echo: Echo, cancel: Cancel) -> None:
    echo.faults.add(Fault("silence", times=9))
    assert found(echo, cancel, SHORT, to=["127.0.0.1"], quiet_seconds=None) == []
    cancel.set()
    with pytest.raises(Cancelled):
        found(echo, cancel, to=["127.0.0.1"])


def test_search_may_be_left_early(echo: Echo, cancel: Cancel) -> None:
    questions = [(b"who", echo.address[1])]
    answers: Any = NETWORK.search(questions, cancel.wait, LONG, to=["127.0.0.1"])
    next(answers)
    answers.close()


def test_search_from_a_port_that_somebody_has(echo: Echo, cancel: Cancel) -> None:
    with Echo("0.0.0.0", 0, ["239.255.17.3"]) as device:
        port = device.address[1]
        (answer,) = found(
            device, cancel, to=["239.255.17.3"], rounds=1, with_loopback=True, from_port=port
        )
        assert answer.data == b"re:who"


def test_search_without_a_network(
    echo: Echo, cancel: Cancel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise DeviceIOError("the network interfaces cannot be listed")

    monkeypatch.setattr(interfaces, "addresses", fail)
    assert found(echo, cancel, SHORT, to=["ff02::1", "239.255.17.3"]) == []


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("239.255.255.250", True),
        ("255.255.255.255", True),
        ("ff02::1", True),
        ("192.0.2.255", False),
        ("fe80::1", False),
    ],
)
def test_search_what_is_a_group(host: str, is_it: bool) -> None:
    assert is_group(host) == is_it


IN_NAMESPACE = """
ip link set lo up && ip addr add 10.98.0.1/24 brd 10.98.0.255 dev lo &&
ip addr add 10.99.0.1/24 brd 10.99.0.255 dev lo && ip addr add 10.97.0.1/24 dev lo || exit 77
exec "$@"
"""
SEARCH = """
import sys
sys.path.insert(0, sys.argv[1])
from sane.cancel import Cancel
from sane.config import Environment
from sane.testing.net import UdpEmulator
from sane.transport.network import Network
from tests import TREE
from tests.conftest import ABSENT

class Echo(UdpEmulator):
    def answers(self, data):
        return [data]

with Echo("0.0.0.0") as echo:
    questions = [(b"who", echo.address[1])]
    network = Network(Environment({}), "tst")
    for answer in network.search(questions, Cancel().wait, 0.5, to=["255.255.255.255"], rounds=1):
        print(answer.host, answer.interface)
"""


def test_search_asks_every_network_by_its_own_broadcast_address() -> None:
    """In a network namespace: two with one, one without; 127.0.0.1 is no network to search."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux) or ip (iproute2)")
    script = ["sh", "-c", IN_NAMESPACE, "sh", sys.executable, "-c", SEARCH, str(TREE)]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", *script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"{ABSENT}a network namespace ({done.stderr.strip()})")
    assert done.stderr == ""
    asked = {"10.97.0.1 lo", "10.98.0.1 lo", "10.99.0.1 lo"}
    assert set(done.stdout.splitlines()) == asked


def test_interfaces_this_machine_has_itself() -> None:
    own = next(a for a in interfaces.addresses() if a.text == "127.0.0.1")
    assert (own.name, own.prefix, own.is_loopback, own.is_point_to_point) == ("lo", 8, True, False)
    assert own.is_on_link(socket.inet_aton("127.9.9.9"))
    assert not own.is_on_link(socket.inet_aton("128.0.0.1"))
    assert not own.is_on_link(bytes(16))
    assert "127.0.0.1/8" in repr(own)


@pytest.mark.parametrize("data", [b"\x04\0\0\0", b"\x08\0", b"\xff\xff\x03\0", b"\0\0\0\0\0"])
def test_interfaces_attributes_of_garbage(data: bytes) -> None:
    try:
        assert len(list(interfaces._attributes(data))) <= 1
    except ValueError as exc:
        assert "netlink attribute" in str(exc)
