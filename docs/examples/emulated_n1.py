"""An emulated Acme N1: it speaks over TCP, and tells on UDP that it is there."""

import struct

from sane.testing.net import TcpEmulator, UdpEmulator

JPEG = b"\xff\xd8 as the scanner made it \xff\xd9"
PIECE = 1000


class EmulatedN1(TcpEmulator):
    serial = "S4711"
    pin = "-"
    failure = b""  # the answer to SCAN, in place of OK
    busy = 0  # how often SCAN is answered with BUSY first
    stuck_after = 0  # bytes of the image, if no more comes

    def serve(self, connection):
        while True:
            words = connection.receive_until(b"\n").decode().split()
            if words[0] == "HELLO":
                greeting = f"OK Acme N1 {self.serial}\n".encode()
                connection.send(greeting if words[1] == self.pin else b"FAIL LOCKED\n")
            elif words[0] == "SCAN":
                self.scan(connection, *words[1:])
            elif words[0] == "STOP" and self.stuck_after:
                connection.send(struct.pack(">I", 0))

    def scan(self, connection, mode, format, dpi, left, top, width, lines):
        if self.busy:
            self.busy -= 1
            return connection.send(b"BUSY\n")
        if self.failure:
            return connection.send(self.failure)
        connection.send(b"OK\n")
        width, lines = int(width), int(lines)
        channels = 3 if mode == "Color" else 1
        row = bytes(x * 255 // width for x in range(width) for _ in range(channels))
        data = JPEG if format == "JPEG" else row * lines
        for at in range(0, self.stuck_after or len(data), PIECE):
            piece = data[at : at + PIECE]
            connection.send(struct.pack(">I", len(piece)) + piece)
        if not self.stuck_after:
            connection.send(struct.pack(">I", 0))


class Announcer(UdpEmulator):
    """Answers who asks for scanners."""

    def answers(self, data):
        return [b"ACME N1 S4711"] if data == b"ACME?" else []
