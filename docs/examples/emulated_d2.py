"""An emulated Acme D2: pictures of its own, a sensor that is not even, sheets, a lamp, buttons."""

import struct
from array import array

from sane.testing.usb import UsbDevice

IN, OUT = 0x81, 0x02
OK, EMPTY = b"\x06", b"\x08"
WINDOW = struct.Struct("<BBHHHHH")
LAMP_READY, PAPER = 1, 2


class EmulatedD2(UsbDevice):
    vendor, product = 0x1234, 0x0002
    strings = ("Acme", "D2")
    sheets = 2  # in the tray
    buttons = 0  # bits of the answer to ?, until they are told
    polls = 2  # until the lamp is ready
    status = b""  # of the next S, in place of OK
    stuck_after = 0  # lines, if the carriage does not come further

    def __init__(self, **changes):
        super().__init__(**changes)
        self.is_lit = self.is_loaded = False
        self.expected = b""  # the command whose data come next
        self.tables = {}
        self.notes = []  # what became of paper and lamp

    def on_out(self, endpoint, data):
        if self.expected:
            command, self.expected = self.expected, b""
            self.tables[command] = data
            return self.send(IN, OK)
        if data[:1] in (b"O", b"M", b"G"):
            self.expected = data
            return None
        return getattr(self, f"do_{NAMES[data[:1]]}")(data)

    def do_state(self, data):
        self.polls -= self.is_lit and self.polls > 0
        is_ready = self.is_lit and not self.polls
        state = self.buttons | LAMP_READY * is_ready | PAPER * (self.sheets > 0)
        self.buttons = 0
        self.send(IN, bytes((state,)))
        self.send(IN, OK)

    def do_lamp(self, data):
        self.is_lit = data == b"L1"
        self.notes.append(data.decode())
        self.send(IN, OK)

    def do_feed(self, data):
        self.is_loaded = self.sheets > 0
        self.sheets -= self.is_loaded
        self.notes.append("F")
        self.send(IN, OK if self.is_loaded else EMPTY)

    def do_eject(self, data):
        self.is_loaded = False
        self.notes.append("E")
        self.send(IN, OK)

    def do_abort(self, data):
        self.notes.append("A")

    def do_calibrate(self, data):
        channels, dpi, lines = struct.unpack("<BHB", data[1:])
        samples = channels * (216 * dpi * 10 // 254)
        line = array("H", (self.raw(i, 0.0 if data[:1] == b"D" else 1.0) for i in range(samples)))
        self.send(IN, line.tobytes() * lines)
        self.send(IN, OK)

    def raw(self, i, light):
        """Return what sensor sample *i* makes of *light*, 0 to 1."""
        dark = 500 + i % 7 * 10
        return dark + int(light * (30_000 + i % 11 * 1000))

    def corrected(self, i, light, number):
        """Return the sample of 8 bits after the chip's tables."""
        offsets, gains = (memoryview(self.tables[letter]).cast("H") for letter in (b"O", b"M"))
        sample = min(65535, max(0, self.raw(i, light) - offsets[i]) * gains[i] >> 14)
        return self.tables[b"G%c" % number][sample >> 8]

    def do_scan(self, data):
        side, bits, dpi, left, _top, width, lines = WINDOW.unpack(data[1:])
        status, self.status = self.status or OK, b""
        self.send(IN, status)
        if status != OK or (side and not self.is_loaded):
            return
        lights = [x / width for x in range(width)]
        if side == 2:
            lights.reverse()
        if bits == 1:
            light = "".join("1" if light >= 0.5 else "0" for light in lights)
            light = light.ljust((width + 7) // 8 * 8, "0")
            row = int(light, 2).to_bytes(len(light) // 8, "big") + b"st"
            return self.send(IN, row * lines)
        channels = bits // 8
        planes = [
            bytes(
                self.corrected(channels * (left + x) + channel, light, channel)
                for x, light in enumerate(lights)
            )
            + b"st"
            for channel in range(channels)
        ]
        white = bytes([255]) * width + b"st"  # the first row, in each colour where its sensor is
        late = (dpi // 50, dpi // 100, 0) if channels == 3 else (0,)
        for number in range(self.stuck_after or lines + late[0]):
            row = (white if number == late[c] else plane for c, plane in enumerate(planes))
            self.send(IN, b"".join(row))


NAMES = {
    **{b"?": "state", b"L": "lamp", b"F": "feed", b"E": "eject", b"A": "abort", b"S": "scan"},
    **{b"D": "calibrate", b"W": "calibrate"},
}
