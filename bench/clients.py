"""Rows about many clients of one server: how soon each is served, what it costs, 200 at once."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .calls import HEADS, milliseconds
from .measure import ABSENT, FAILED, MISSED, UNMEASURED, at_most, quotient, times
from .net import PORT, Server, servers
from .report import Section
from .setting import BenchError

if TYPE_CHECKING:
    from .setting import Bench

SECONDS = 30.0
MANY, SCANNING = 200, 8
SERVED_SECONDS = 0.010
IDLE_BYTES = 8e6
INIT = bytes.fromhex("00000000 01000003 00000000")
OPEN = bytes.fromhex("00000002 00000007 746573743a3000")
DESCRIPTORS = bytes.fromhex("00000004 00000000")
DESCRIPTORS_BYTES = 4096  # there are more: how many depends on the texts
QUIET_SECONDS = 0.1  # after which the list is over
START = bytes.fromhex("00000007 00000000")
END = bytes.fromhex("ffffffff05")


class Client:
    """Says what a session needs, in the bytes of the protocol."""

    def __init__(self, server: Server) -> None:
        self._address = server.address
        self._sock = socket.create_connection((server.address, PORT), SECONDS)

    def ask(self, request: bytes, size: int) -> bytes:
        """Send a request; return its reply of *size* bytes."""
        self._sock.sendall(request)
        return self._receive(size)

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._sock.recv(size - len(data))
            if not more:
                raise BenchError("the server closed the connection")
            data += more
        return data

    def init(self) -> None:
        """Be let in."""
        if self.ask(INIT, 8)[:4] != bytes(4):
            raise BenchError("INIT was refused")

    def open(self) -> None:
        """Open the first device, and fetch its options."""
        if self.ask(OPEN, 12)[:4] != bytes(4):
            raise BenchError("OPEN was refused")
        self._sock.sendall(DESCRIPTORS)
        self._receive(DESCRIPTORS_BYTES)
        self._sock.settimeout(QUIET_SECONDS)
        with contextlib.suppress(TimeoutError):
            while self._sock.recv(1 << 16):
                pass
        self._sock.settimeout(SECONDS)

    def scan(self) -> int:
        """Scan a frame; return how many bytes came with it."""
        reply = self.ask(START, 16)
        if reply[:4] != bytes(4):
            raise BenchError("START was refused")
        port = int.from_bytes(reply[4:8], "big")
        with socket.create_connection((self._address, port), SECONDS) as stream:
            count, tail = 0, b""
            while data := stream.recv(1 << 18):
                count += len(data)
                tail = (tail + data)[-16:]
        if END not in tail:
            raise BenchError("a frame has no end")
        return count

    def close(self) -> None:
        """Leave."""
        self._sock.close()


def private_bytes(server: Server) -> float:
    """Return the memory that the process of the only client shares with nobody."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    text = Path(f"/proc/{children[-1]}/smaps_rollup").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return sum(1024.0 * int(fields[name].split()[0]) for name in ("Private_Clean", "Private_Dirty"))


def served_seconds(server: Server) -> float:
    """Return the time from connect to the answer of INIT."""
    begin = time.perf_counter()
    client = Client(server)
    client.init()
    seconds = time.perf_counter() - begin
    client.close()
    return seconds


def idle_bytes(server: Server, opened: bool) -> float:
    """Return the private memory of a client that was let in, or has a device open."""
    client = Client(server)
    client.init()
    if opened:
        client.open()
    found = private_bytes(server)
    client.close()
    return found


def crowd_seconds(server: Server) -> float:
    """Let MANY clients in; return how long SCANNING of them take to scan at once."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(MANY):
            client = Client(server)
            stack.callback(client.close)
            client.init()
            clients.append(client)
        chosen = clients[:: MANY // SCANNING]
        for client in chosen:
            client.open()
        failures: list[BaseException] = []

        def scan(client: Client) -> None:
            try:
                client.scan()
            except BaseException as exc:
                failures.append(exc)

        threads = [threading.Thread(target=scan, args=(client,)) for client in chosen]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        if failures:
            raise BenchError(f"{len(failures)} of {SCANNING} scans: {failures[0]}")
        for client in clients:  # all are still served
            client.ask(bytes.fromhex("00000001"), 4)
        return seconds


def measure_clients(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure both servers with clients that do no more than they have to."""
    section = Section(
        "Clients of saned",
        f"A client that speaks the protocol itself, on the loopback interface. {rounds} rounds, "
        "each server in turn. Memory: what a client's process shares with no other. "
        f"{MANY} clients: all are connected, {SCANNING} scan the default page at once.",
        HEADS,
    )
    with servers(bench) as found:
        ours = found[0]
        if ours is not None:
            limits = f"max_clients = {MANY + 10}\nmax_clients_per_host = {MANY + 10}\n"
            (bench.folder / "server-0" / "saned.conf").write_text(limits)
            ours.process.send_signal(signal.SIGHUP)
        rows: tuple[tuple[str, Callable[[Server], float], Callable[[float], str], str, float], ...]
        rows = (
            ("connect to the answer of INIT", served_seconds, milliseconds, "<= 10 ms", 0.010),
            ("idle client", lambda s: idle_bytes(s, False), mega, "<= 8 MB", IDLE_BYTES),
            (
                "idle client, a device open",
                lambda s: idle_bytes(s, True),
                mega,
                "<= 8 MB",
                IDLE_BYTES,
            ),
            (f"{MANY} clients, {SCANNING} scan", crowd_seconds, milliseconds, "no error", SECONDS),
        )
        for label, run, text, goal, limit in rows:
            add(section, found, rounds, label, run, text, goal, limit)
    return section


def mega(value: float) -> str:
    """Return bytes as text in MB."""
    return f"{value / 1e6:.1f} MB"


def add(
    section: Section,
    found: list[Server | None],
    rounds: int,
    label: str,
    run: Callable[[Server], float],
    text: Callable[[float], str],
    goal: str,
    limit: float,
) -> None:
    """Add the row of one measurement; ours must stay within *limit*."""
    samples: list[list[float]] = [[], []]
    cells = [ABSENT, ABSENT]
    for _ in range(rounds):
        for index, server in enumerate(found):
            if server is None or cells[index] == FAILED:
                continue
            try:
                samples[index].append(run(server))
            except (BenchError, OSError, IndexError) as exc:
                cells[index] = FAILED
                section.failures.append(f"{('ours', 'original')[index]}: {label}: {exc}")
    values = [median(taken) if taken else None for taken in samples]
    for index, value in enumerate(values):
        if value is not None and cells[index] != FAILED:
            cells[index] = text(value)
    met = at_most(values[0], limit)
    verdict = (
        MISSED if cells[0] == FAILED else UNMEASURED if met is None else "met" if met else MISSED
    )
    gain = times(quotient(values[1], values[0]))
    section.add(label, *cells, gain, goal, verdict)
