"""Recording a network session, replaying it, and what a replay says of a driver that differs."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from sane.cancel import Cancel
from sane.config import Environment
from sane.errors import Cancelled, DeviceIOError
from sane.record import BadSession
from sane.testing.net import Connection, Fault, TcpEmulator, UdpEmulator
from sane.transport import session
from sane.transport.failures import Disconnected, NoAnswer
from sane.transport.network import Network
from sane.transport.opening import Target
from sane.transport.recording import masked
from sane.transport.tls import Trust
from sane.transport.url import Url

SHORT, LONG = 0.05, 10.0
PEM = str(Path(__file__).parent.parent / "data" / "transport" / "server.pem")
KEY = "007271997ecf26fc1ae9e446b6029187d36153d9266bf8537f638bac13a006da"


class Echo(TcpEmulator):
    """Sends lines back; an empty one ends it."""

    def serve(self, connection: Connection) -> None:
        while (line := connection.receive_until(b"\n")) != b"\n":
            connection.send(line)


class Answerer(UdpEmulator):
    def answers(self, data: bytes) -> Iterable[bytes]:
        return [b"re:" + data]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.net"


@pytest.fixture
def recorded(path: Path) -> Iterator[Network]:
    network = Network(Environment({"PYSANE_NET_RECORD": str(path)}), "tst")
    yield network
    network.close()
    network.close()


def replayed(path: Path, backend: str = "tst") -> Network:
    return Network(Environment({"PYSANE_NET_REPLAY": str(path)}), backend)


def dialogue(network: Network, target: Target, *lines: bytes) -> list[bytes]:
    """Send each line; return what comes back for it, byte by byte where the line begins with b."""
    stream = network.open(target, LONG, None)
    found = []
    try:
        for line in lines:
            stream.send(line, LONG)
            size = 1 if line.startswith(b"b") else len(line)
            data = bytearray(len(line))
            with memoryview(data) as view:
                done = 0
                while done < len(line):
                    n = stream.receive_into(view[done : done + size], SHORT * 4)
                    if not n:
                        break
                    done += n
            found.append(bytes(data[:done]))
        stream.pause(0.0 if network.is_live else 60.0)
    finally:
        stream.close()
    return found


def test_network_a_recorded_stream_replays(path: Path, recorded: Network) -> None:
    with Echo() as echo:
        target = Target(*echo.address)
        assert dialogue(recorded, target, b"one\n", b"two\n") == [b"one\n", b"two\n"]
        assert dialogue(recorded, target, b"three\n") == [b"three\n"]
    recorded.close()
    assert os.stat(path).st_mode & 0o777 == 0o600
    begin = time.monotonic()
    network = replayed(path)
    assert dialogue(network, target, b"one\n", b"two\n") == [b"one\n", b"two\n"]
    assert dialogue(network, target, b"three\n") == [b"three\n"]
    assert time.monotonic() - begin < LONG
    with pytest.raises(DeviceIOError, match=r"no \(further\) tcp 127"):
        network.open(target, LONG, None)


def test_network_a_stream_may_be_cut_elsewhere(path: Path, recorded: Network) -> None:
    with Echo() as echo:
        echo.faults.add(Fault("slow", size=2))
        target = Target(*echo.address)
        assert dialogue(recorded, target, b"abcdef\n") == [b"abcdef\n"]
    stream = replayed(path).open(target, LONG, None)
    for byte in b"abcdef\n":
        stream.send(bytes((byte,)))
    data = memoryview(bytearray(7))
    stream.receive_exactly(data[:3], LONG)
    stream.receive_exactly(data[3:], LONG)
    assert bytes(data) == b"abcdef\n"
    assert stream.receive_now(data) == -1
    assert not stream.is_plain


def test_network_failures_replay_at_once(path: Path, recorded: Network) -> None:
    with Echo() as echo:
        target = Target(*echo.address)
        echo.faults.add(Fault("silence"))
        with pytest.raises(NoAnswer, match="receive: timed out"):
            dialogue(recorded, target, b"one\n")
        echo.faults.add(Fault("close"))
        assert dialogue(recorded, target, b"one\n") == [b""]
    with pytest.raises(DeviceIOError, match="refused"):
        dialogue(recorded, target, b"one\n")
    network = replayed(path)
    with pytest.raises(NoAnswer, match="receive: timed out"):
        dialogue(network, target, b"one\n")
    assert dialogue(network, target, b"one\n") == [b""]
    with pytest.raises(DeviceIOError, match="refused"):
        dialogue(network, target, b"one\n")


def send_other(network: Network, target: Target) -> None:
    dialogue(network, target, b"one\n", b"too\n")


def wait_too_early(network: Network, target: Target) -> None:
    stream = network.open(target, LONG, None)
    stream.receive_into(memoryview(bytearray(9)), LONG)


def send_too_early(network: Network, target: Target) -> None:
    stream = network.open(target, LONG, None)
    stream.send(b"one\ntwo\n")


def go_on(network: Network, target: Target) -> None:
    dialogue(network, target, b"one\n", b"two\n", b"three\n")


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (send_other, r"session\.net:\d+: byte 1 differs: the driver sends 74 6f 6f 0a where"),
        (wait_too_early, r"session\.net:\d+: the recording has out, the driver waits for bytes"),
        (send_too_early, r"session\.net:\d+: the recording has in, the driver sends 74 77 6f"),
        (go_on, r"session\.net:\d+: the recording has ended, the driver sends"),
    ],
)
def test_network_a_driver_that_differs_is_told_where(
    path: Path,
    recorded: Network,
    capfd: pytest.CaptureFixture[str],
    differ: Callable[[Network, Target], None],
    words: str,
) -> None:
    with Echo() as echo:
        target = Target(*echo.address)
        dialogue(recorded, target, b"one\n", b"two\n")
    with pytest.raises(DeviceIOError, match=words):
        differ(replayed(path), target)
    assert capfd.readouterr().err.count("[network] replay: ") == 1


def test_network_after_a_difference_everything_fails(path: Path, recorded: Network) -> None:
    with Echo() as echo:
        target = Target(*echo.address)
        dialogue(recorded, target, b"one\n")
    stream = replayed(path).open(target, LONG, None)
    for _ in range(2):
        with pytest.raises(DeviceIOError, match="byte 0 differs"):
            stream.send(b"x")
    with pytest.raises(DeviceIOError, match="byte 0 differs"):
        stream.receive_now(memoryview(bytearray(1)))
    stream.close()


def test_network_tls_is_recorded_as_it_reads(path: Path, recorded: Network) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    with Echo(tls=context) as echo:
        target = Target(*echo.address, "", Trust.anybody())
        assert dialogue(recorded, target, b"one\n") == [b"one\n"]
        with pytest.raises(Exception, match="another key") as caught:
            recorded.open(Target(*echo.address, "", Trust.pinned(["0"])), LONG, None)
    assert b"6f 6e 65 0a" in path.read_bytes()
    network = replayed(path)
    assert network.open(target, LONG, None).key == KEY
    with pytest.raises(type(caught.value), match="another key"):
        network.open(target, LONG, None)


def test_network_http_replays_without_the_password(path: Path, recorded: Network) -> None:
    class Web(TcpEmulator):
        def serve(self, connection: Connection) -> None:
            head = connection.receive_until(b"\r\n\r\n")
            status = b"200 OK" if b"Authorization" in head else b"401 Who"
            connection.send(
                b"HTTP/1.1 %s\r\nWWW-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n"
                b"Content-Length: 4\r\n\r\nbody" % status
            )

    with Web() as web:
        base = Url("http", *web.address)
        client = recorded.http(base, credentials=lambda _realm: ("me", "secret"))
        assert client.fetch("GET", "/x").body == b"body"
    assert b"response=" not in path.read_bytes()
    client = replayed(path).http(base, credentials=lambda _realm: ("you", "nothing"))
    client.pause(60.0)
    assert client.fetch("GET", "/x").body == b"body"


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"GET / HTTP/1.1\r\nAuthorization: Basic x\r\nA: b\r\n", b"Authorization: -\r\nA: b"),
        (b"GET / HTTP/1.1\r\nAUTHORIZATION: Basic x", b"AUTHORIZATION: -"),
        (b"an authorization: of another kind", b"an authorization: of another kind"),
    ],
)
def test_network_passwords_are_left_out(data: bytes, kept: bytes) -> None:
    assert kept in masked(data)
    assert (b"Basic" in masked(data)) == (b"Basic" in kept)


def test_network_datagrams_replay_with_their_tries(path: Path, recorded: Network) -> None:
    def ask(network: Network) -> list[object]:
        datagrams = network.datagrams(*answerer.address)
        found: list[object] = [datagrams.ask(b"who", lambda data: data == b"re:who", 3, SHORT)]
        try:
            datagrams.ask(b"what", seconds=SHORT)
        except NoAnswer as exc:
            found.append(str(exc))
        datagrams.close()
        return found

    with Answerer() as answerer:
        for fault in (Fault("drop"), Fault("garbage", data=b"?"), Fault("silence", 3, 9)):
            answerer.faults.add(fault)
        then = ask(recorded)
        assert then[0] == b"re:who"
    assert ask(replayed(path)) == then
    network = replayed(path)
    datagrams = network.datagrams(*answerer.address)
    with pytest.raises(DeviceIOError, match="byte 0 differs"):
        datagrams.ask(b"other")


def test_network_a_search_replays(path: Path, recorded: Network) -> None:
    cancel = Cancel()

    def search(network: Network, question: bytes = b"who") -> list[tuple[bytes, str, int, str]]:
        answers = network.search(
            [(question, answerer.address[1])],
            cancel.wait,
            SHORT * 4,
            to=["127.0.0.1"],
            pause_seconds=SHORT,
        )
        return [(a.data, a.host, a.port, a.interface) for a in answers]

    with Answerer() as answerer:
        then = search(recorded)
        assert then[0] == (b"re:who", *answerer.address, "")
    assert search(replayed(path)) == then
    with pytest.raises(DeviceIOError, match="byte 0 differs"):
        search(replayed(path), b"nobody")
    cancel.close()


def test_network_what_was_told_and_chance_replay(path: Path, recorded: Network) -> None:
    rows = [["a b", "ü"], ["c", ""]]
    assert recorded.told("_uscan._tcp", lambda: rows) == rows
    assert recorded.told("nothing", list) == []
    chance = recorded.random(16)
    assert len(chance) == 16
    network = replayed(path)
    assert network.told("_uscan._tcp", lambda: [["never asked"]]) == rows
    assert network.told("nothing", lambda: [["never asked"]]) == []
    assert network.told("other", lambda: [["never asked"]]) == []
    assert network.random(16) == chance
    assert network.random(4) == bytes(4)


def test_network_sessions_of_backends_are_apart(path: Path, recorded: Network) -> None:
    other = Network(Environment({"PYSANE_NET_RECORD": str(path)}), "other")
    with Echo() as echo:
        target = Target(*echo.address)
        dialogue(recorded, target, b"one\n")
        dialogue(other, target, b"two\n")
    other.close()
    assert dialogue(replayed(path, "other"), target, b"two\n") == [b"two\n"]
    assert dialogue(replayed(path), target, b"one\n") == [b"one\n"]
    with pytest.raises(DeviceIOError, match="further"):
        replayed(path, "third").open(target, LONG, None)


def test_network_a_cancelled_replay_ends(path: Path, recorded: Network) -> None:
    with Echo() as echo:
        target = Target(*echo.address)
        dialogue(recorded, target, b"one\n")
    cancel = Cancel()
    cancel.set()
    stream = replayed(path).open(target, LONG, cancel)
    with pytest.raises(Cancelled):
        stream.pause(60.0)
    cancel.close()


def test_network_a_file_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no" / "file")
    network = Network(Environment({"PYSANE_NET_RECORD": nowhere}), "tst")
    with pytest.raises(DeviceIOError, match=r"PYSANE_NET_RECORD=.*No such file"):
        network.open(Target("127.0.0.1", 1), LONG, None)
    with pytest.raises(DeviceIOError, match=r"PYSANE_NET_REPLAY: .*No such file"):
        replayed(Path(nowhere)).open(Target("127.0.0.1", 1), LONG, None)


HEAD = "pysane-net 1\nprocess 1 at now\n0.0 tst:1 open tcp h 1 ok\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 channels"),
        ("pysane-net 2\n", "reads only 'pysane-net 1'"),
        (f"{HEAD}soon tst:1 in ok\n", "could not convert"),
        (f"{HEAD}0.0 tst:2 in ok\n", "a word is missing or unknown"),
        (f"{HEAD}0.0 tst:1 jump ok\n", "'jump' is none of open"),
        (f"{HEAD}0.0 tst:1 in splendid\n", "'splendid' is none of ok"),
        (f"{HEAD}0.0 tst:1 in\n", "a word is missing"),
        (f"{HEAD}0.0 tst:1 open tcp h\n", "a word is missing"),
        (f"{HEAD}0.0 tst:1 open tcp %zz 1 ok\n", "invalid literal"),
        (f"{HEAD}0.0\n", "not enough values"),
        (f"{HEAD}0.0 tst:1 in ok\n  zz\n", "not hexadecimal"),
    ],
)
def test_network_a_broken_line_is_named(text: str, words: str) -> None:
    if words == "0 channels":
        assert session.parse([], "s.net") == []
        return
    with pytest.raises(BadSession, match=rf"s\.net:\d+: .*{words}"):
        session.parse(text.splitlines(), "s.net")


def test_network_the_last_run_counts_and_words_survive() -> None:
    opened = session.Record(session.OPEN, (session.UNIX, "/a b%c", "0"))
    lines = list(session.lines(1.0, "tst:1", opened))
    text = [*HEAD.splitlines(), "process 2 at now", *lines]
    (channel,) = session.parse(text, "s.net")
    assert channel.opening.words == (session.UNIX, "/a b%c", "0")
    answer = session.Record(session.ANSWER, ("fe80::1%eth0", "8612", ""), b"x")
    (channel,) = session.parse([*text, *session.lines(1.0, "tst:1", answer)], "s.net")
    assert channel.records[0].words == ("fe80::1%eth0", "8612", "")
    failed = session.Record(session.IN, outcome=session.outcome_of(Disconnected("a\nb")))
    (channel,) = session.parse([*text, *session.lines(1.0, "tst:1", failed)], "s.net")
    with pytest.raises(Disconnected, match="a b"):
        channel.records[0].check()
