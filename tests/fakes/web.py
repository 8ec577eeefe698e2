"""An HTTP server that answers as it is told."""

from __future__ import annotations

from sane.testing.net import Connection, TcpEmulator
from sane.transport.url import Url


class Web(TcpEmulator):
    """Answers each request with the next of *answers*, the last one again and again."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[bytes] = []
        self.answers = list(answers)
        super().__init__()

    def serve(self, connection: Connection) -> None:
        while True:
            head = connection.receive_until(b"\r\n\r\n")
            size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.requests.append(head + connection.receive(int(size or b"0")))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            connection.send(answer)
            if b"connection: close" in head.lower() or b"onnection: close" in answer:
                return

    @property
    def base(self) -> Url:
        return Url("http", *self.address, "/eSCL/")


def sized(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """Return an answer that tells how long it is."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
