"""A server of the SANE protocol that passes everything on to another, and may change it.

It notes the traffic, and can make its peer look like a big-endian machine. What passes is decoded
by both halves of the protocol, so that the places of messages and data ports are known.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
import time
from pathlib import Path

from sane.wire import messages as m
from sane.wire.protocol import Client, Server, frame_end, record_head
from sane.wire.records import Record

SECONDS = 15.0
ODD = (7, 9, 8187, 1, 4)  # bytes of the records that a big-endian frame is sent in


def listener(address: str, port: int) -> socket.socket:
    """Listen as soon as nobody else does: a server of another test may have all addresses."""
    ends_by = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_server((address, port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE or time.monotonic() > ends_by:
                raise
        time.sleep(0.1)


class Proxy:
    """Listens on *address*, on *port*; connects to *upstream* for each client, one at a time.

    log: lines "> bytes" of the client, "< bytes" of the server and "= bytes" of a frame, in hex.
    """

    def __init__(
        self, upstream: tuple[str, int], address: str, port: int, big_endian: bool = False
    ) -> None:
        self._upstream = upstream
        self._address = address
        self._big_endian = big_endian
        self.log: list[str] = []
        self._depth = 0
        self._asked = threading.Event()  # for the parameters of this frame
        self._listener = listener(address, port)
        self._sockets: list[socket.socket] = []
        self._frame: threading.Thread | None = None
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self) -> None:
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._thread.join(SECONDS)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream, SECONDS)
            except OSError:
                return
            self._sockets = [client, server]
            with client, server, contextlib.suppress(OSError):
                self._pass_on(client, server)
            if self._frame is not None:
                self._frame.join(SECONDS)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        asked, answered = Server(), Client()
        while data := client.recv(65536):
            asked.receive(data)
            while (request := asked.request()) is not None:
                wire = request.encode()
                self.log.append(f"> {wire.hex()}")
                server.sendall(wire)
                if isinstance(request, m.Authorize):
                    raise NotImplementedError("passwords are not passed on")
                answered.send(request)
                if request.reply is None:
                    return
                client.sendall(asked.reply(self._reply(server, answered)))

    def _reply(self, server: socket.socket, answered: Client) -> Record:
        received = b""
        reply = None
        while reply is None:
            data = server.recv(65536)
            if not data:
                raise OSError("the server has closed")
            received += data
            reply = answered.receive(data)
        self.log.append(f"< {received.hex()}")
        if isinstance(reply, m.ParametersReply):
            self._depth = reply.parameters.depth
            self._asked.set()
        if isinstance(reply, m.StartReply) and reply.status == 0:
            self._asked.clear()
            listener = socket.create_server((self._address, 0))
            self._frame = threading.Thread(target=self._relay, args=(listener, reply.port))
            reply.port = listener.getsockname()[1]
            if self._big_endian:
                reply.byte_order = m.BIG_ENDIAN
            self._frame.start()
        return reply

    def _relay(self, listener: socket.socket, port: int) -> None:
        listener.settimeout(SECONDS)
        with listener, contextlib.suppress(OSError):
            client, _ = listener.accept()
            with client, socket.create_connection((self._upstream[0], port), SECONDS) as server:
                data, status = frame(server, self.log)
                if self._big_endian and self._asked.wait(SECONDS) and self._depth == 16:
                    swapped = bytearray(data)
                    swapped[::2], swapped[1::2] = data[1::2], data[::2]
                    data = bytes(swapped)
                client.sendall(records(data) + frame_end(status))


def frame(sock: socket.socket, log: list[str]) -> tuple[bytes, int]:
    """Return the bytes of a frame and its status; note the stream as it was sent."""
    wire = b""
    while piece := sock.recv(65536):
        wire += piece
    log.append(f"= {wire.hex()}")
    data, place = b"", 0
    while (size := int.from_bytes(wire[place : place + 4], "big")) != 0xFFFFFFFF:
        data += wire[place + 4 : place + 4 + size]
        place += 4 + size
    return data, wire[place + 4]


def records(data: bytes) -> bytes:
    """Return *data* in records of odd lengths, in turn."""
    out, start, turn = bytearray(), 0, 0
    while start < len(data):
        piece = data[start : start + ODD[turn % len(ODD)]]
        out += record_head(len(piece)) + piece
        start += len(piece)
        turn += 1
    return bytes(out)


def main() -> None:
    """Record one session: python -m tests.peers.proxy UPSTREAM ADDRESS FILE."""
    upstream, address, file = sys.argv[1:]
    with Proxy((upstream, 6566), address, 6566) as proxy:
        input("Enter ends the recording\n")
    Path(file).write_text("\n".join(proxy.log) + "\n")


if __name__ == "__main__":
    main()
