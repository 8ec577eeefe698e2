"""Acme N1: a flatbed on the network. Source: captures of its own program.

UDP: who sends ACME? gets ACME N1 SERIAL. TCP: lines of text each way, an answer begins with OK,
BUSY or FAIL; the image follows in pieces, each with its length in four bytes, and ends with an
empty one. As JPEG it is sent undecoded, to those who want it so.
"""

import struct
from types import SimpleNamespace

from ..backend import FRAME_GRAY, FRAME_RGB, CancelOf, Device, NetworkBackend, Parameters, Place
from ..backend import Target, errors, image, option

PORT = 9871
QUESTION, ANSWER = b"ACME?", b"ACME N1 "
LINE_BYTES, MOST_PIECE, SEARCH_SECONDS = 200, 1 << 20, 1.0
CONNECT_SECONDS, ANSWER_SECONDS, STALL_SECONDS, BUSY_SECONDS = 5.0, 10.0, 30.0, 60.0
FAILURES = {"OPEN": errors.CoverOpen, "LOCKED": errors.AccessDenied}


class N1(Device):
    """One open N1; it owns *stream*. pin: what the panel asks for, "" for nothing."""

    encoded = ("image/jpeg",)
    may_raise_sigpipe = False  # the streams of sane.transport cannot

    mode = option.mode("Color", "Gray")
    resolution = option.resolution(75, 150, 300, 600)
    area = option.scan_area(width=216, height=297)

    def __init__(self, stream, pin, cancel):
        self.stream = stream
        stream.cancel = CancelOf(self, cancel)  # from now on a cancel of the scan ends its waits
        self.left = 0  # bytes of the piece that are still to come
        self.is_scanning = self.is_lost = False  # lost: nobody knows what it still says
        self.piece = memoryview(bytearray(1 << 16))
        words = self.ask("HELLO", pin or "-").split()[1:]
        if len(words) != 3:
            raise errors.DeviceIOError(f"{stream.peer}: no N1, it says {words}")
        self.vendor, self.model, self.serial = words

    def ask(self, *words):
        """Send a line; return the answer, without its OK. A busy scanner is asked again."""
        return self.until(lambda: self.ask_once(*words), BUSY_SECONDS, 1.0, busy=errors.DeviceBusy)

    def ask_once(self, *words):
        self.is_lost = True
        self.stream.send(" ".join(map(str, words)).encode() + b"\n", ANSWER_SECONDS)
        line = self.line()
        self.is_lost = False
        kind, _, rest = line.partition(" ")
        if kind == "BUSY":
            raise errors.DeviceBusy("the scanner is busy")
        if kind != "OK":
            raise FAILURES.get(rest, errors.DeviceIOError)(f"the scanner answers {line!r}")
        return line

    def line(self):
        """Return one line, without its end; raises DeviceIOError for garbage."""
        line, one = bytearray(), memoryview(bytearray(1))
        while len(line) < LINE_BYTES:
            self.stream.receive_exactly(one, ANSWER_SECONDS)
            if one == b"\n":
                return line.decode("ascii", "replace")
            line += one
        raise errors.DeviceIOError(f"{self.stream.peer}: no end in {bytes(line[:40])!r}")

    def parameters(self):
        frame = FRAME_RGB if self.mode == "Color" else FRAME_GRAY
        return Parameters.for_area(frame, self.area, self.resolution)

    def start(self):
        if self.is_lost:
            raise errors.DeviceIOError("the connection broke; open the scanner anew")
        self.drop_rest()
        format = "JPEG" if self.wanted_mime else "RAW"
        box = self.area.pixels(self.resolution)
        sizes = self.resolution, box.left, box.top, box.width_px, box.lines
        self.ask("SCAN", self.mode, format, *sizes)
        self.is_scanning, self.left = True, 0
        layout = image.Layout(box.width_px, 3 if self.mode == "Color" else 1)
        self.image = image.Lines(layout, box.lines)

    def receive(self, view):
        """Write the next bytes of the image into *view*; return how many, 0 at its end."""
        if self.is_scanning and not self.left:
            head = memoryview(bytearray(4))
            self.stream.receive_exactly(head, STALL_SECONDS)
            (self.left,) = struct.unpack(">I", head)
            if self.left > MOST_PIECE:
                self.is_lost = True
                raise errors.DeviceIOError(f"a piece of {self.left} bytes")
            self.is_scanning = self.left > 0
        if not self.is_scanning:
            return 0
        n = self.stream.receive_into(view[: self.left], STALL_SECONDS)
        if not n:
            self.is_lost = True
            raise errors.DeviceIOError(f"{self.stream.peer}: closed within the image")
        self.left -= n
        return n

    def read_into(self, view):
        n = self.image.read_into(view)
        while not n and not self.image.is_done:
            got = self.receive(self.piece)
            if got:
                self.image.feed(self.piece[:got])
            else:
                self.image.end()
            n = self.image.read_into(view)
        return n

    def document(self, mime):
        return SimpleNamespace(read_into=self.receive)

    def finish(self, aborted):
        if aborted and self.is_scanning and not self.is_lost:
            self.stream.send(b"STOP\n", ANSWER_SECONDS)  # it then sends the empty piece
        self.drop_rest()

    def drop_rest(self):
        """Receive what is still to come of an image, to its end."""
        while self.is_scanning and not self.is_lost and self.receive(self.piece):
            pass

    def close(self):
        self.stream.close()


class Backend(NetworkBackend):
    """``acme://HOST[:PORT] [pin=1234]`` for one scanner, ``discovery on`` for all that answer."""

    methods = {"acme": PORT}
    settings = {"pin": (str, "")}

    def connect(self, place, cancel):
        stream = self.network.open(Target(place.host, place.port), CONNECT_SECONDS, cancel)
        try:
            return N1(stream, place.settings["pin"], cancel)
        except BaseException:
            stream.close()
            raise

    def broadcast(self, wait):
        for answer in self.network.search([(QUESTION, PORT)], wait, SEARCH_SECONDS):
            if answer.data.startswith(ANSWER):
                place = Place("acme", answer.host, PORT)
                place.serial = answer.data.removeprefix(ANSWER).decode("ascii", "replace")
                yield place
