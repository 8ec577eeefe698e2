"""Acme C1: a flatbed whose chip does nothing by itself. Source: data sheet of the chip, rev. 2.

LEDs light red, green and blue in turn; each makes a line of its own, with two bytes of status.
"""

from array import array

from ..backend import FRAME_GRAY, FRAME_RGB, BulkPort, Device, Field, Parameters, Registers
from ..backend import UsbBackend, errors, image, option
from ..chips.calibration import CalibrationFile
from ..chips.steps import Profile

# Registers: address, bits, and the bit that a field begins with; high bytes come first.
IMAGE, SELECT, DATA = 0x00, Field(0x03), 0x06  # SELECT: which table DATA fills
COMMAND, IS_HOME = Field(0x07), Field(0x02, 1)
IDLE, SCAN, HOME, FORWARD = 0, 3, 2, 5
IS_COLOR, LAMP = Field(0x26, 1), Field(0x29, 1)
LEFT, WIDTH, LINES, STEPS = Field(0x20, 16), Field(0x22, 16), Field(0x24, 16), Field(0x4A, 16)
OFFSETS, GAINS, GAMMA, SLOPE = 0, 1, 2, 3  # tables
DPI, STEPS_PER_INCH, MM = 300, 1200, 25.4
WIDTH_MM, HEIGHT_MM, STRIP_MM, PAGE_MM = 216, 297, 3.8, 9.3  # the latter two from home on
PROFILE = Profile(start=20000, top=900, count=200)  # how fast the motor gets fast
PAGE_TIME, MOVE_TIME = 4000, 1000  # of a step
CALIBRATION_LINES, STATUS_BYTES, PIECE_LINES = 16, 2, 32
MOVE_SECONDS = 60.0


class C1(Device):
    mode = option.mode("Color", "Gray")
    area = option.scan_area(width=WIDTH_MM, height=HEIGHT_MM)
    resolution = option.resolution(DPI)
    gamma = option.gamma_tables(entries=4096, most=255, is_separate=True)

    def __init__(self, usb, kept=None):
        self.usb = usb
        self.chip = Registers(BulkPort(usb), size=0x80, fickle=[COMMAND.address, SELECT.address])
        self.kept = kept  # a CalibrationFile
        self.calibrated_for = None
        self.park()

    def parameters(self):
        frame = FRAME_RGB if self.mode == "Color" else FRAME_GRAY
        return Parameters.for_area(frame, self.area, DPI)

    # The motor

    def park(self):
        if not self.chip.read(IS_HOME):
            self.chip.command(COMMAND, HOME)  # it stops by itself, also when nobody waits

    def wait_for_motor(self):
        try:
            self.chip.poll(COMMAND, IDLE, MOVE_SECONDS)
        except errors.DeviceIOError:
            self.chip.command(COMMAND, IDLE)  # whatever is in its way: no current
            raise

    def go_to(self, mm):
        self.park()
        self.wait_for_motor()
        self.load(SLOPE, image.shading.packed(PROFILE.table(MOVE_TIME), "big"))
        self.chip[STEPS] = int(mm / MM * STEPS_PER_INCH)
        self.chip.flush()
        self.chip.command(COMMAND, FORWARD)
        self.wait_for_motor()

    def load(self, table, data):
        self.chip.write(SELECT, table)
        self.chip.port.upload(DATA, data)

    # Lines

    def begin(self, width, lines, left=0, steps=0):
        for field, value in ((LEFT, left), (WIDTH, width), (LINES, lines), (STEPS, steps)):
            self.chip[field] = value
        self.chip[IS_COLOR] = self.channels == 3
        self.load(SLOPE, image.shading.packed(PROFILE.table(PAGE_TIME), "big"))
        self.chip.flush()  # writes what has changed, neighbours together
        self.chip.command(COMMAND, SCAN)

    def layout(self, width, depth):
        form = {"plane_lines": int(self.channels == 3), "padding": STATUS_BYTES}
        return image.Layout(width, self.channels, depth, byteorder="big", **form)

    def receive(self, lines):
        """Feed some lines to *lines*."""
        data = memoryview(bytearray(PIECE_LINES * lines.layout.pitch * lines.layout.planes))
        data = data[: lines.layout.stream_bytes(lines.lines) - lines.fed]
        self.chip.port.read_into(IMAGE, data)
        lines.feed(data)

    # Calibration

    @property
    def channels(self):
        return 3 if self.mode == "Color" else 1

    def measure(self, width):
        """Return the medians of some lines of 16 bits where the head is."""
        self.load(GAINS, b"")  # none: what the sensor sees
        self.begin(width, CALIBRATION_LINES)
        lines = image.Lines(self.layout(width, 16), CALIBRATION_LINES)
        self.receive(lines)
        samples = memoryview(bytearray(lines.row_bytes * CALIBRATION_LINES))
        lines.read_into(samples)
        self.chip.command(COMMAND, IDLE)
        return image.shading.medians(samples, width * self.channels)

    def calibrate(self, width):
        """Return offset and gain of each pixel of the bed, measured at the white strip."""
        self.go_to(STRIP_MM)
        white = self.measure(width)
        self.chip.write(LAMP, 0)
        dark = self.measure(width)
        self.chip.write(LAMP, 1)
        if max(white) < 2 * max(dark) + 1000:
            raise errors.DeviceIOError("the white strip is dark: does the lamp light?")
        limits = image.shading.Limits(reach=8, percent=25)  # dust takes its neighbours' values
        return image.shading.measured(dark, white, channels=self.channels, limits=limits)

    def shading(self, width):
        """Return what is kept of this mode, or measured now."""
        key = f"{self.mode.lower()}-{width}"
        text = self.kept.get(key) if self.kept is not None else None
        words = array("H", map(int, text.split(","))) if text else ()
        size = width * self.channels
        if len(words) == 2 * size:
            return image.shading.Shading(words[:size], words[size:], self.channels)
        found = self.calibrate(width)
        if self.kept is not None:
            self.kept.put({key: ",".join(map(str, found.offsets + found.gains))})
        return found

    # A page

    def start(self):
        p = self.parameters()
        left = int(self.area.tl_x / MM * DPI)
        self.chip.write(LAMP, 1)
        bed = int(WIDTH_MM / MM * DPI)
        if self.calibrated_for != self.mode:
            self.tables = self.shading(bed)
            self.calibrated_for = self.mode
        part = self.tables.part(left, p.pixels_per_line)
        self.park()
        self.wait_for_motor()
        for table, words in ((OFFSETS, part.offsets), (GAINS, part.gains)):
            self.load(table, image.shading.packed(words, "big"))
        self.load(GAMMA, b"".join(map(bytes, self.gamma)))
        steps = int((PAGE_MM + self.area.tl_y) / MM * STEPS_PER_INCH)
        self.begin(p.pixels_per_line, p.lines, left, steps)
        self.lines = image.Lines(self.layout(p.pixels_per_line, 8), p.lines)

    def read_into(self, view):
        while not (n := self.lines.read_into(view)) and not self.lines.is_done:
            self.receive(self.lines)
        return n

    def frame_ended(self):
        self.finish(aborted=False)  # the head goes home while the frontend has its page

    def finish(self, aborted):
        self.chip.command(COMMAND, IDLE)
        self.park()

    def close(self):
        self.chip.write(LAMP, 0)
        self.usb.close()


class Backend(UsbBackend):
    usb_ids = ((0x1234, 0x000C, "Acme", "C1"),)
    device = C1

    def open_usb(self, bus_device):
        device = super().open_usb(bus_device)
        home = self.context.environment.get("HOME")
        if home:
            unit = bus_device.text("serial") or bus_device.name
            path = f"{home}/.sane/Acme_C1.cal"
            device.kept = CalibrationFile(path, "acme 1", unit, self.debug, most_days=90)
        return device
