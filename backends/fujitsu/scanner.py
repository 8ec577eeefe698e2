"""The scanner at the other end: one method for each thing that it is told or asked.

It knows commands and which of their failures matter; it knows neither options nor pictures.
Source: specification fujitsu 1, 2 and 3.1.
"""

from __future__ import annotations

from ...backend import UsbError, errors
from ...usb.scsi import Begun
from . import commands, models, modepages, replies, window
from .capabilities import COLOR, PAGE_BYTES, STANDARD_BYTES, Capabilities, Identity
from .sense import FujitsuRules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...debug import Debug
    from ...usb.handle import Usb
    from ...usb.scsi import Answer
    from .replies import PixelSize
    from .settings import Settings
    from .steps import Step

READY_TRIES = 3
LAMP_TRIES, PAUSE_SECONDS = 120, 0.5
PATIENCE_SECONDS = 60.0  # until the first data of a side are there
ENDS_READ = (errors.Cancelled, errors.Jammed, errors.NoDocs, errors.CoverOpen, UsbError)
ORDERS = (models.PIXELS, models.SWAPPED, models.PLANES)


class Scanner:
    """One open scanner; it owns *usb*."""

    def __init__(self, usb: Usb, debug: Debug) -> None:
        self.usb = usb
        self.debug = debug
        self.tells_sizes = True  # until it refuses to
        self._begun: Begun | None = None  # a feed that is under way
        self._fed: Exception | bool | None = None  # how it ended, if it did before its time
        usb.scsi_rules = FujitsuRules()

    def command(self, cdb: bytes, out: bytes = b"", patience: float = 0.0) -> Answer:
        """Carry out one command; see usb.scsi."""
        self._settle()
        return self.usb.scsi(cdb, out=out, patience=patience)

    def ask(self, cdb: bytes, size: int) -> bytes:
        """Carry out one command that is answered by up to *size* bytes; return them."""
        self._settle()
        return bytes(self.usb.scsi(cdb, want=size).data)

    def attempt(self, cdb: bytes, out: bytes = b"") -> bool:
        """Carry out a command that may fail; only a cancel and a dead bus are raised."""
        try:
            self.command(cdb, out)
        except (errors.Cancelled, UsbError):
            raise
        except errors.SaneError as exc:
            self.debug(2, "%s", exc)
            return False
        return True

    # Getting to know it

    def await_ready(self) -> None:
        """Raise unless it answers; the first commands after a crashed session may be lost."""
        for tries in range(READY_TRIES, 0, -1):
            try:
                self.command(commands.READY)
                return
            except (errors.DeviceBusy, errors.DeviceIOError):
                if tries == 1:
                    raise

    def identify(self, preset: Callable[[Capabilities], Settings]) -> Capabilities:
        """Return what it is and can do; preset: the settings with which colour orders are tried."""
        identity = Identity(self.ask(commands.inquiry(STANDARD_BYTES), STANDARD_BYTES))
        found = Capabilities(identity, self.ask(commands.capability_page(PAGE_BYTES), PAGE_BYTES))
        if found.tells_pages:
            skipped = found.quirks.skipped_pages
            asked = (page for page in modepages.PROBED if page not in skipped)
            found.usable = frozenset(page for page in asked if self._has_page(page))
        if COLOR in found.modes and not found.quirks.color_order:
            self._find_order(found, preset)
        if found.can_diagnose and found.quirks.has_serial:
            found.serial = self._serial()
        return found

    def _has_page(self, page: int) -> bool:
        size = commands.MODE_PAGE_BYTES
        try:
            return len(self.ask(commands.mode_sense(page), size)) == size
        except (errors.Cancelled, UsbError):
            raise
        except errors.SaneError:
            return False

    def _find_order(self, found: Capabilities, preset: Callable[[Capabilities], Settings]) -> None:
        """Find out in which order it can send colours."""
        for order in ORDERS:
            found.color_order = order
            data = window.windows(preset(found))
            if self.attempt(commands.set_window(len(data)), data):
                return
        raise errors.DeviceIOError(f"{self.usb.name}: {found.product} refuses all colour orders")

    def _serial(self) -> str:
        size = commands.SERIAL_BYTES
        if not self.attempt(commands.send_diagnostic(len(commands.DEVICE_ID)), commands.DEVICE_ID):
            return ""
        try:
            return replies.serial_number(self.ask(commands.read_diagnostic(size), size))
        except (errors.Cancelled, UsbError):
            raise
        except errors.SaneError as exc:
            self.debug(2, "%s", exc)
            return ""

    # A batch

    def set_up(self, steps: list[Step]) -> None:
        """Tell it what comes before the first sheet."""
        for step in steps:
            if step.is_vital:
                self.command(step.cdb, step.out)
            else:
                self.attempt(step.cdb, step.out)

    def light_lamp(self) -> None:
        """Switch the lamp on, as soon as it lets us, for a minute."""
        for _ in range(LAMP_TRIES):
            if self.attempt(commands.scanner_control(commands.LAMP_ON)):
                return
            self.usb.wait(PAUSE_SECONDS)

    def status(self, *, is_m3091: bool) -> dict[str, int]:
        """Return what sensors and buttons say, by option."""
        if is_m3091:
            size = commands.SENSE_BYTES
            return replies.sense_status(self.ask(commands.request_sense(), size))
        size = commands.STATUS_BYTES
        return replies.hardware_status(self.ask(commands.hardware_status(), size))

    # Sheets

    def begin_feed(self) -> None:
        """Let it draw in the next sheet while what was scanned is delivered; feed() ends that."""
        self._settle()
        self._begun = Begun(self.usb, commands.object_position(commands.FEED))

    def feed(self, *, waits: bool) -> None:
        """Draw in a sheet, unless one is on its way; raises what is wrong with the paper.

        waits: ask whether it is ready after that.
        """
        self._settle()
        outcome, self._fed = self._fed, None
        if outcome is None:
            answer = self.command(commands.object_position(commands.FEED))
            if answer.is_end:
                raise errors.EndOfFrame("the paper ended while it was drawn in")
        elif isinstance(outcome, Exception):
            raise outcome
        if waits:
            self._ask_ready()

    def _settle(self) -> None:
        """Wait until a feed that is under way has ended, and keep how: nothing else may be said."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        try:
            begun.finish()
            self._fed = True
        except errors.SaneError as exc:
            if isinstance(exc, errors.Cancelled) and self.usb.is_out_of_step:
                self._begun = begun  # the wait was cancelled, not the feed
                raise
            self._fed = exc

    def _ask_ready(self) -> None:
        for _ in range(READY_TRIES):
            if self.attempt(commands.READY):
                return

    def scan(self, windows: bytes) -> None:
        """Begin to scan the sheet."""
        self.command(commands.scan(windows), windows)

    def pixel_size(self, window: int) -> PixelSize | None:
        """Return what it makes of a window; None if it does not tell, and is not asked again."""
        if not self.tells_sizes:
            return None
        size = commands.SIZE_BYTES
        try:
            raw = self.ask(commands.read(commands.PIXEL_SIZE, window, size), size)
            return replies.PixelSize(raw)
        except (errors.Cancelled, UsbError):
            raise
        except errors.SaneError as exc:
            self.debug(2, "%s", exc)
            self.tells_sizes = False
            return None

    def await_data(self, window: int, size: int) -> None:
        """Wait until the first *size* bytes of a side are there; raises what is wrong with it."""
        try:
            self.command(commands.ready_for_read(window, size), patience=PATIENCE_SECONDS)
        except ENDS_READ:
            raise
        except errors.SaneError as exc:
            self.debug(2, "%s", exc)

    def read(self, window: int, view: memoryview) -> Answer:
        """Read as much of a side as *view* takes, or less, into it."""
        size = len(view)
        self._settle()
        return self.usb.scsi(commands.read(commands.IMAGE, window, size), want=size, into=view)

    # The end

    def cancel(self, *, halts: bool, can_control: bool) -> None:
        """End a batch: the paper goes out, or with *halts* stays where it is."""
        self._settle()
        self._fed = None
        if halts:
            self.attempt(commands.object_position(commands.HALT))
            self._ask_ready()
        elif can_control:
            self.attempt(commands.scanner_control(commands.CANCEL))

    def close(self, buffer_page: bytes) -> None:
        """Let go of it; buffer_page: what it is told last, b"" for nothing."""
        try:
            if buffer_page:
                self.attempt(commands.mode_select(len(buffer_page)), buffer_page)
        finally:
            self.usb.close()
