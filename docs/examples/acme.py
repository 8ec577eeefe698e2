"""Acme D2: a flatbed on USB with a feeder that turns sheets, calibrated by the host.

Source: captures of its own program. A command is a letter and its parameters; data follow in the
direction that the letter says, then one byte of status. An image follows the status of S.
"""

import struct
from functools import partialmethod

from ..backend import FRAME_GRAY, FRAME_RGB, Device, Feeder, Parameters, UsbBackend
from ..backend import errors, image, option

OK, BUSY, EMPTY, JAM, OPEN = 0x06, 0x15, 0x08, 0x07, 0x0C
FAILURES = {EMPTY: errors.NoDocs, JAM: errors.Jammed, OPEN: errors.CoverOpen}
FAILURES[BUSY] = errors.DeviceBusy
BEDS = {"Flatbed": (216, 297), "ADF": (216, 356), "ADF Duplex": (216, 356)}  # mm
SIDES = {"ADF": ("front",), "ADF Duplex": ("front", "back")}
SIDE_CODES = {"flatbed": 0, "front": 1, "back": 2}
CHANNELS, DEPTHS = {"Color": 3, "Gray": 1, "Lineart": 1}, {"Color": 8, "Gray": 8, "Lineart": 1}
LAMP_READY, PAPER, BUTTONS = 1, 2, {"scan": 4, "copy": 8}  # bits of the answer to ?
LAMP_SECONDS, BUSY_SECONDS = 40.0, 20.0
CALIBRATION_LINES = 16
WINDOW = struct.Struct("<BBHHHHH")  # side, bits of a pixel, dpi, left, top, width, lines
PADDING = 2  # bytes of status behind each line
PIECE_BYTES = 1 << 16


def judge(status):
    """Raise what the status of a command means."""
    if status[0] != OK:
        failure = FAILURES.get(status[0], errors.DeviceIOError)
        raise failure(f"the scanner answers with status {status.hex()}")


class D2(Device):
    """One open D2; lengths in mm from the top left corner of the glass or the sheet."""

    mode = option.mode("Color", "Gray", "Lineart")
    source = option.source("Flatbed", *SIDES)
    resolution = option.resolution(100, 200, 300, 600)
    area = option.scan_area(beds=BEDS)
    gamma = option.gamma_tables()
    scan = option.latched("Scan button", "It was pressed.")
    copy = option.latched("Copy button", "It was pressed.")

    def __init__(self, usb):
        self.usb = usb
        self.stream = None
        self.calibrated_for = None  # the lamp is on, the chip has tables for this
        self.piece = memoryview(bytearray(PIECE_BYTES))
        self.feeder = Feeder(self.load, self.eject, self.has_paper)

    def command(self, text, out=b"", want=0):
        how = {"status": 1, "judge": judge, "patience": BUSY_SECONDS}
        return self.usb.exchange(text, out=out, want=want, **how)

    def state(self):
        return self.command(b"?", want=1)[0]

    def has_paper(self):
        return self.state() & PAPER

    load = partialmethod(command, b"F")
    eject = partialmethod(command, b"E")

    def pressed_buttons(self):
        state = self.state()  # the scanner forgets what it has told
        return [name for name, bit in BUTTONS.items() if state & bit]

    def parameters(self):
        box = self.area.pixels(self.resolution)
        frame = FRAME_RGB if self.mode == "Color" else FRAME_GRAY
        return Parameters(frame, box.width_px, box.lines, DEPTHS[self.mode])

    def start(self):
        self.end_stream()
        if self.calibrated_for != (self.mode, self.resolution):
            self.calibrate()
        sides = SIDES.get(self.source)
        self.begin(self.feeder.next_page(sides) if sides else "flatbed")

    def calibrate(self):
        """Light the lamp, measure dark and white, and give the chip what makes them even."""
        self.command(b"L1")
        self.until(lambda: self.state() & LAMP_READY, LAMP_SECONDS, what="the lamp")
        channels = CHANNELS[self.mode]
        samples = channels * (216 * self.resolution * 10 // 254)  # of the whole sensor
        request = struct.pack("<BHB", channels, self.resolution, CALIBRATION_LINES)
        measured = []
        for letter in (b"D", b"W"):
            lines = self.command(letter + request, want=2 * samples * CALIBRATION_LINES)
            measured.append(image.shading.medians(memoryview(lines), samples))
        limits = image.shading.Limits(reach=8, percent=25)  # dust takes its neighbours' values
        tables = image.shading.measured(*measured, channels=channels, limits=limits)
        for letter, table in ((b"O", tables.offsets), (b"M", tables.gains)):
            self.command(letter, out=image.shading.packed(table, "little"))
        self.calibrated_for = (self.mode, self.resolution)

    def begin(self, side):
        """Tell gamma and window, and get ready for the image."""
        channels, depth, dpi = CHANNELS[self.mode], DEPTHS[self.mode], self.resolution
        for number, table in enumerate(self.gamma):
            self.command(b"G%c" % number, out=bytes(table))
        box = self.area.pixels(dpi)
        sizes = dpi, box.left, box.top, box.width_px, box.lines
        self.command(b"S" + WINDOW.pack(SIDE_CODES[side], channels * depth, *sizes))
        form = {"padding": PADDING, "invert": depth == 1}
        if channels == 3:
            form |= {"plane_lines": 1, "stagger": (dpi // 50, dpi // 100, 0)}
        layout = image.Layout(box.width_px, channels, depth, **form)
        self.lines = image.Lines(layout, box.lines)
        total = (box.lines + max(layout.stagger)) * layout.pitch * layout.planes
        self.stream = self.usb.stream(self.usb.bulk_in, total=total)

    def read_into(self, view):
        n = self.lines.read_into(view)
        while not n and not self.lines.is_done:
            got = self.stream.read_into(self.piece)
            if got:
                self.lines.feed(self.piece[:got])
            else:
                self.lines.end()
            n = self.lines.read_into(view)
        return n

    def end_stream(self):
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()

    def finish(self, aborted):
        self.end_stream()
        self.calibrated_for = None
        try:
            if aborted:
                self.usb.write(self.usb.bulk_out, b"A")
                self.usb.drain(self.usb.bulk_in)  # what was on its way is not the next answer
            self.feeder.finish()
        finally:
            self.command(b"L0")

    def close(self):
        self.usb.close()


class Backend(UsbBackend):
    """Every D2 on the bus."""

    usb_ids = ((0x1234, 0x0002, "Acme", "D2"),)
    device = D2
