"""The device: 27 options, the file, and what brightness, contrast and gamma do to its samples.

Source: specification of the test backend, 7.2 to 7.7.
"""

from __future__ import annotations

import os
import sys
from stat import S_ISREG

from ...backend import (
    CAP_ADVANCED,
    CAP_SOFT_DETECT,
    FRAME_GRAY,
    FRAME_RED,
    FRAME_RGB,
    INFO_RELOAD_OPTIONS,
    INFO_RELOAD_PARAMS,
    UNIT_PERCENT,
    Device,
    Parameters,
    Range,
    errors,
    option,
    when,
)
from ...const import ACTION_SET_AUTO, STATUS_NAMES
from ...option import Bool, Button, Fixed, Group, Int, String
from ...param import line_bytes, wrap_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

OPTIONS, PARAMS = INFO_RELOAD_OPTIONS, INFO_RELOAD_PARAMS
RESOLUTIONS = (75, 90, 100, 120, 135, 150, 165, 180, 195, 200, 210, 225, 240, 255, 270, 285, 300)
FILENAME_SIZE = 4096
PASSES = 3
LINE_BYTES = 1023  # a longer header line counts as several
LOW_BYTE = 0 if sys.byteorder == "little" else 3  # of a word: what a sample becomes
IDENTITY = tuple(range(256))
FULL_CONTRAST = 6553600  # 100 as a fixed word
STATUSES = {  # forced by the option "status-" + name
    "eof": errors.EndOfFrame,
    "jammed": errors.Jammed,
    "nodocs": errors.NoDocs,
    "coveropen": errors.CoverOpen,
    "ioerror": errors.DeviceIOError,
    "nomem": errors.NoMemory,
    "accessdenied": errors.AccessDenied,
}


class NoImage(errors.Invalid):
    """The file cannot be opened or read as PNM; *parameters* are reported all the same."""

    def __init__(self, text: str, parameters: Parameters) -> None:
        super().__init__(text)
        self.parameters = parameters


def table(title: str, active: option.When) -> Int:
    """Return one of the four gamma tables."""
    return Int(
        title,
        "A gamma table: what each sample becomes.",
        Range(0, 255),
        active=active,
        reloads=OPTIONS,
        length=256,
        default=IDENTITY,
    )


def status_option(name: str) -> Bool:
    """Return the option that forces one status."""
    return Bool(
        f"Return SANE_STATUS_{STATUS_NAMES[STATUSES[name].status]}",
        "Let every read return this status.",
        name=f"status-{name}",
        reloads=OPTIONS,
    )


class Filename(String):
    """A text that may be too long: the original then has no memory."""

    def fit(self, data: bytes, constraint: Any) -> tuple[bytes, int]:
        if len(data) > self.size:
            raise errors.NoMemory(f"filename: {len(data) - 1} bytes are too long")
        return super().fit(data, constraint)


class PnmDevice(Device):
    """The file behind the option filename as a scanner.

    Its state is that of the file, open or not, and outlives a close; every second start ends the
    job. Source: specification of the test backend, 7.1, 7.2, 7.5 to 7.8.
    """

    may_raise_sigpipe = False
    keeps_state = sets_always = passes_unknown_actions = vouches_for_parameters = True

    source_group = Group("Source Selection")
    filename = Filename(
        "Filename",
        "The file to scan.",
        size=FILENAME_SIZE,
        default="/tmp/input.ppm",
        reloads=PARAMS,
    )
    resolution = option.resolution(
        *RESOLUTIONS, desc="A resolution; it has no effect.", reloads=0, auto=75
    )

    enhancement_group = Group("Image Enhancement")
    brightness = Fixed(
        "Brightness", "How bright the image is.", Range(-100, 100), unit=UNIT_PERCENT, default=0
    )
    contrast = Fixed(
        "Contrast", "How strong the contrast is.", Range(-100, 100), unit=UNIT_PERCENT, default=0
    )
    grayify = Bool("Grayify", "Deliver a colour file in gray.", reloads=OPTIONS | PARAMS)
    three_pass = Bool(
        "Three-Pass Simulation",
        "Deliver a colour file as three frames: green, blue, red.",
        reloads=PARAMS,
    )
    hand_scanner = Bool(
        "Hand-Scanner Simulation", "Do not tell the height in advance.", reloads=PARAMS
    )
    default_enhancements = Button("Defaults", "Set brightness and contrast to 0.", reloads=OPTIONS)
    read_only = Int(
        "Read only test-option",
        "A number that can only be read.",
        unit=UNIT_PERCENT,
        cap=CAP_SOFT_DETECT,
        default=0,
    )

    gamma_group = Group("Gamma Tables")
    custom_gamma = Bool("Use custom gamma table", "Apply the gamma tables below.", reloads=OPTIONS)
    gamma_table = table("Image intensity", when(custom_gamma=True, grayify=True))
    red_gamma_table = table("Red intensity", when(custom_gamma=True, grayify=False))
    green_gamma_table = table("Green intensity", when(custom_gamma=True, grayify=False))
    blue_gamma_table = table("Blue intensity", when(custom_gamma=True, grayify=False))

    status_group = Group("Status Code Simulation", cap=CAP_ADVANCED)
    status = Bool("Do not force status code", "Let reads work.", default=True, reloads=OPTIONS)
    status_eof = status_option("eof")
    status_jammed = status_option("jammed")
    status_nodocs = status_option("nodocs")
    status_coveropen = status_option("coveropen")
    status_ioerror = status_option("ioerror")
    status_nomem = status_option("nomem")
    status_accessdenied = status_option("accessdenied")

    def __init__(self) -> None:
        self.is_open = False
        self.file: BinaryIO | None = None
        self.at_end = False  # a read met the end of the file
        self.pass_number = 0
        self.cycle = 0  # which gamma table the next byte of an RGB frame uses
        self._key: tuple[Any, ...] = ()  # what the cached tables were made from
        self._cached: list[bytes] = []
        self.last = Parameters(FRAME_RGB, 0, 0, last_frame=False)

    # Options

    @default_enhancements.changed
    def _reset(self) -> None:
        self.brightness = self.contrast = 0

    @custom_gamma.changed
    def _custom_gamma_changed(self) -> None:
        self.read_only = 100 if self.custom_gamma else 0

    def force_only(self, chosen: str) -> None:
        """Clear all status options but the attribute *chosen*."""
        for name in ("status", *(f"status_{status}" for status in STATUSES)):
            if name != chosen:
                setattr(self, name, False)

    def told_info(self, option: Any, action: int, info: int) -> int:
        """AUTO, which only the resolution has, tells that the parameters are to be reloaded."""
        return PARAMS if action == ACTION_SET_AUTO else info

    def forced(self) -> type[errors.SaneError] | None:
        """Return the error that reads have to raise."""
        for name, error in STATUSES.items():
            if getattr(self, f"status_{name}"):
                return error
        return None

    # The file

    def reopen(self) -> None:
        """Begin with gamma tables that change nothing; all else stays as it is."""
        self.is_open = True
        for name in ("gamma_table", "red_gamma_table", "green_gamma_table", "blue_gamma_table"):
            setattr(self, name, IDENTITY)

    def parameters(self) -> Parameters:
        """Parse the file anew; raises NoImage."""
        file = self._open()
        if file is not None:
            with file:
                header = read_header(file)
            if header is not None:
                self.last = self._describe(*header)
                return self.last
        nothing = Parameters(
            self.last.format, 0, 0, last_frame=self.last.last_frame, bytes_per_line=0
        )
        raise NoImage(f"{self.filename!r} is not a PNM file that can be read", nothing)

    def _open(self) -> BinaryIO | None:
        try:
            fd = os.open(self.filename, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError):
            return None
        if not S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        return os.fdopen(fd, "rb")

    def _describe(self, kind: bytes, width_px: int, lines: int) -> Parameters:
        depth = 1 if kind == b"P4" else 8
        if kind != b"P6" or self.grayify:
            frame, last = FRAME_GRAY, True
        elif self.three_pass:
            frame, last = FRAME_RED + (self.pass_number + 1) % 3, self.pass_number >= 2
        else:
            frame, last = FRAME_RGB, True
        channels = 3 if frame == FRAME_RGB else 1
        return Parameters(
            frame,
            width_px,
            -1 if self.hand_scanner else lines,
            depth,
            last_frame=last,
            bytes_per_line=wrap_word(line_bytes(width_px, channels, depth)),
        )

    def is_scanning(self) -> bool:
        return self.file is not None or self.pass_number > 0

    def start(self) -> None:
        """Without cancel, a start after a start ends the job; three passes go on."""
        if self.file is not None:
            self.end_scan()
            if not self.three_pass:
                raise errors.EndOfFrame("start: cancel ends a scan, not start")
            self.pass_number += 1
            if self.pass_number >= PASSES:
                raise errors.EndOfFrame("start: all three passes are done")
        self.parameters()
        self.file = self._open()
        if self.file is None:
            raise errors.Invalid(f"{self.filename!r} has vanished")
        header = read_header(self.file)
        self.is_color = header is not None and header[0] == b"P6"
        self.at_end = False
        self.cycle = 0

    def check_io_mode(self, non_blocking: bool) -> None:
        """Only blocking reads, only while a file is open."""
        if self.file is None:
            raise errors.Invalid("set_io_mode: no file is open")
        if non_blocking:
            raise errors.Unsupported("reads from a file always block")

    def check_select_fd(self) -> None:
        raise errors.Unsupported("a file needs no select")

    def finish(self, aborted: bool) -> None:
        """Close the file and start with the first colour again."""
        self.end_scan()
        self.pass_number = 0

    def end_scan(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()
        self.file = None

    def read_into(self, view: memoryview) -> int:
        if self.file is None:
            raise errors.Cancelled("read: no file is open")
        if self.at_end:
            raise errors.EndOfFrame
        forced = self.forced()
        if forced is not None:
            raise forced("the status is forced by an option")
        n = self._read(self.file, view)
        if n == 0:
            raise errors.EndOfFrame if self.at_end else errors.DeviceIOError("nothing was read")
        return n

    def _read(self, file: BinaryIO, view: memoryview) -> int:
        if self.is_color and (self.grayify or self.three_pass):
            n = self._read_converted(file, view)
        else:
            n = file.readinto(view)  # type: ignore[attr-defined]
            self.at_end = n < len(view)
        if self.last.depth == 8:
            self._enhance(view[:n])
        return int(n)

    def _read_converted(self, file: BinaryIO, view: memoryview) -> int:
        data = file.read(3 * len(view))
        self.at_end = len(data) < 3 * len(view)
        n = len(data) // 3
        if self.grayify:
            from ...image.rows import gray_from_rgb

            gray_from_rgb(memoryview(data)[: 3 * n], view[:n])  # the mean (7.6)
        else:
            view[:n] = data[(self.pass_number + 1) % 3 : 3 * n : 3]
        return n

    def _enhance(self, view: memoryview) -> None:
        tables = self._tables()
        if not tables:
            return
        if len(tables) == 1:
            view[:] = bytes(view).translate(tables[0])
            return
        samples = bytearray(view)
        for color, table in enumerate(tables):
            first = (color - self.cycle) % 3
            samples[first::3] = samples[first::3].translate(table)
        view[:] = samples
        self.cycle = (self.cycle + len(view)) % 3

    def _tables(self) -> list[bytes]:
        """Return what each sample becomes: one table, one for each colour, or none; cached."""
        names = self._gamma_names()
        gammas = [self.options.read(getattr(PnmDevice, name)) for name in names]
        key = (self.brightness, self.contrast, *gammas)
        if key != self._key:
            self._key = key
            level = self._level_table()
            self._cached = [level.translate(data[LOW_BYTE::4]) for data in gammas] or [level]
            if self._cached == [bytes(IDENTITY)]:
                self._cached = []
        return self._cached

    def _gamma_names(self) -> tuple[str, ...]:
        if not self.custom_gamma:
            return ()
        if self.grayify:
            return ("gamma_table",)
        if self.last.format == FRAME_GRAY:
            return ()
        colors = ("red_gamma_table", "green_gamma_table", "blue_gamma_table")
        return colors if self.last.format == FRAME_RGB else (colors[self.last.format - FRAME_RED],)

    def _level_table(self) -> bytes:
        """Return what brightness and contrast make of each sample (7.7)."""
        contrast = int(self.contrast * 65536) + FULL_CONTRAST
        brightness = int(self.brightness // 1)
        table = bytearray(256)
        for sample in range(256):
            scaled = (sample - 128) * contrast
            level = abs(scaled) // FULL_CONTRAST * (1 if scaled >= 0 else -1)
            table[sample] = max(0, min(255, level + brightness + 128))
        return bytes(table)

    def close(self) -> None:
        self.is_open = False


def read_header(file: BinaryIO) -> tuple[bytes, int, int] | None:
    """Read up to the data; return kind, width in pixels and lines, None if it is no PNM (7.3)."""
    kind = _header_line(file)[:2]
    if kind not in (b"P4", b"P5", b"P6"):
        return None
    numbers = _header_line(file).split()[:2]
    try:
        width_px, lines = (wrap_word(int(number)) for number in numbers)
    except ValueError:
        return None
    if kind != b"P4":
        _header_line(file)
    return kind, width_px, lines


def _header_line(file: BinaryIO) -> bytes:
    line = file.readline(LINE_BYTES)
    while line.startswith(b"#"):
        line = file.readline(LINE_BYTES)
    return line


def exclude_each_other() -> None:
    """Let setting one of the status options clear the others."""
    for name in ("status", *(f"status_{status}" for status in STATUSES)):

        def changed(device: PnmDevice, name: str = name) -> Any:
            if getattr(device, name):
                device.force_only(name)

        getattr(PnmDevice, name).changed(changed)


exclude_each_other()
