"""Bodies of HTTP answers (sane.transport.http) beside the socket alone.

Run on its own, with a kind of body and a number of rounds, it prints both figures. The server is a
process of its own, so that only our CPU time counts.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

from .measure import MISSED
from .report import Section
from .setting import STAGE

if TYPE_CHECKING:
    from .setting import Bench

BODY_BYTES = 64 << 20
PIECE_BYTES = 1 << 16  # of the server's writes, and of our reads
SECONDS = 30.0
GOAL = 0.15
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"

# What the server says of the length of its body -> the head, and the bytes of each chunk, if any.
KINDS = {
    "its length is told": (HEAD + b"Content-Length: %d\r\n\r\n" % BODY_BYTES, 0),
    "chunks of 32 KiB": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 1 << 15),
    "chunks of 4 KiB": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 1 << 12),
    "it ends with the connection": (HEAD + b"Connection: close\r\n\r\n", 0),
}


def body(chunk_bytes: int) -> bytes:
    """Return what follows the head."""
    if not chunk_bytes:
        return bytes(BODY_BYTES)
    chunk = b"%x\r\n%s\r\n" % (chunk_bytes, bytes(chunk_bytes))
    return chunk * (BODY_BYTES // chunk_bytes) + b"0\r\n\r\n"


def serve(listener: socket.socket, kind: str) -> None:
    """Answer every request with the body, for ever."""
    head, chunk_bytes = KINDS[kind]
    data = head + body(chunk_bytes)
    while True:
        connection, _ = listener.accept()
        with connection:
            asked = b""
            while not asked.endswith(b"\r\n\r\n") and (more := connection.recv(PIECE_BYTES)):
                asked += more
            connection.sendall(data)


def ours(port: int) -> float:
    """Return the CPU seconds of a body that is read piece by piece."""
    from sane.transport.http import Http
    from sane.transport.url import Url

    view = memoryview(bytearray(PIECE_BYTES))
    done = 0
    begin = time.process_time()
    client = Http(Url.parse(f"http://127.0.0.1:{port}/"))
    response = client.request("GET", "page")
    while n := response.read_into(view):
        done += n
    client.close()
    seconds = time.process_time() - begin
    assert done == BODY_BYTES, f"{done} bytes came"
    return seconds


def bare(port: int) -> float:
    """Return the CPU seconds of the same bytes received from the socket and left there."""
    view = memoryview(bytearray(PIECE_BYTES))
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
        begin = time.process_time()
        while sock.recv_into(view):
            pass
        return time.process_time() - begin


def samples(kind: str, rounds: int) -> tuple[float, float]:
    """Return bytes per CPU second of ours and of the socket alone, in turn, medians."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = os.fork()
        if not server:
            serve(listener, kind)
        try:
            ours(port)
            found = [(ours(port), bare(port)) for _ in range(rounds)]
        finally:
            os.kill(server, 9)
            os.waitpid(server, 0)
    http, socket_alone = zip(*found, strict=True)
    return BODY_BYTES / median(http), BODY_BYTES / median(socket_alone)


def measure_http(bench: Bench, rounds: int, quick: bool) -> Section:
    """Measure each kind of body in a Python of its own, on the compiled package."""
    section = Section(
        "HTTP bodies",
        f"A body of {BODY_BYTES >> 20} MiB over the loopback, read {PIECE_BYTES >> 10} KiB at a "
        "time as the drivers for scanners with HTTP do it; GB per CPU second of the reading "
        "process, system time included. The socket alone receives the same bytes and looks at "
        f"none. {rounds} rounds.",
        ("the body", "ours", "socket alone", "ours / socket", "goal", "verdict"),
    )
    for number, kind in enumerate(KINDS):
        sample = bench.program(sys.executable, "-m", "bench.http", kind, str(rounds))
        http, alone = sample["http"], sample["socket"]
        section.add(
            kind,
            f"{http / 1e9:.2f}",
            f"{alone / 1e9:.2f}",
            f"{http / alone:.2f}",
            f">= {GOAL}" if not number else "",
            ("met" if http / alone >= GOAL else MISSED) if not number else "",
        )
    return section


if __name__ == "__main__":
    sys.path.insert(0, str(STAGE / "lib" / "pysane"))
    http, alone = samples(sys.argv[1], int(sys.argv[2]))
    print(f"http {http}\nsocket {alone}")
