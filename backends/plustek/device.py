"""A unit as a device: options become pages, pages become frames.

It knows when a page begins and ends, when the lamp goes off, and what runs beside a frontend; how a
unit is driven is scanner.py's. Source: specification plustek 3.1 and 5.
"""

from __future__ import annotations

import _thread

from ...backend import FRAME_GRAY, FRAME_RGB, Parameters, errors
from . import tables
from .idle import LampTimer
from .models import NEGATIVE
from .options import PlustekOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cache import Cache
    from .everything import Calibrating
    from .scanner import Page, Scanner

CALIBRATING_SECONDS = 0.1  # between two looks whether it has ended


class Plustek(PlustekOptions):
    """One open unit. cache: where calibrations are kept, None where there is no home."""

    def __init__(self, scanner: Scanner, cache: Cache | None) -> None:
        self.scanner = scanner
        self._cache = cache
        self._page: Page | None = None
        self._timer = LampTimer(self._time_is_up)
        self._turn = _thread.allocate_lock()  # of the timer, and of who else talks to the unit
        self._calibrating: Calibrating | None = None
        self._held: set[int] = set()  # buttons that were down when the unit was asked last
        scanner.usb.belongs_to(self)
        if scanner.unit.buttons:
            self._take_buttons()

    def parameters(self) -> Parameters:
        page = self._page
        request = self.request() if page is None else page.request
        frame = FRAME_RGB if request.channels == 3 else FRAME_GRAY
        width, lines = request.estimate() if page is None else request.size()
        return Parameters(frame, max(1, width), max(1, lines), request.bits)

    # Scanning

    def start(self) -> None:
        self._page = None
        self._await_calibrating()
        self._timer.stop()
        request = self.request()
        scanner = self.scanner
        scanner.carriage.is_speeding = self.speedup_switch
        scanner.cache = self._cache if self.calibration_cache else None
        curves = tables.page_tables(
            *(self.mode, self.gamma, int(self.brightness), int(self.contrast)),
            is_negative=self.source == NEGATIVE and self.settings.has("invertNegatives"),
        )
        with self._turn:
            self._page = scanner.begin(request, self.wanted(), curves, self.warmup_time)

    def read_into(self, view: memoryview) -> int:
        page = self._page
        if page is None:
            return 0
        while not (n := page.picture.read_into(view)) and not page.is_done:
            self.scanner.read(page)
        return n

    def frame_ended(self) -> None:
        """Let the head go home while the frontend works on the page."""
        try:
            self._end()
        except errors.Cancelled:
            return  # finish() does the rest
        except (errors.SaneError, OSError) as exc:
            self.debug(1, "after the last line: %s", exc)

    def finish(self, aborted: bool) -> None:
        self._page = None
        self._end()

    def _end(self) -> None:
        """Bring the unit home; the lamp's time begins to run."""
        with self._turn:
            self.scanner.end()
        if not self.lamp_switch:
            self._timer.begin(self.lampoff_time)

    def close(self) -> None:
        self._timer.stop()
        if self._calibrating is not None:
            self._calibrating.stop()
        try:
            if self.lamp_off_at_exit:
                self.scanner.lamp_off()
        except (errors.SaneError, OSError) as exc:
            self.debug(1, "at the end: %s", exc)
        finally:
            self.scanner.usb.close()

    # The lamp

    def _time_is_up(self) -> None:
        """Switch the lamp off: nothing was scanned for a while."""
        with self._turn:
            try:
                self.scanner.lamp_off()
            except (errors.SaneError, OSError) as exc:
                self.debug(1, "the lamp cannot be switched off: %s", exc)

    def switch_lamp(self, *, is_on: bool) -> None:
        self._refuse_while_calibrating()
        with self._turn:
            self.scanner.switch_lamp(self.source, is_on=is_on)

    def lamp_time_changed(self) -> None:
        self._timer.stop()
        if not self.lamp_switch:
            self._timer.begin(self.lampoff_time)

    # Calibrating for all modes

    def toggle_calibrating(self) -> None:
        from .everything import Calibrating

        running, self._calibrating = self._calibrating, None
        if running is not None and running.is_running:
            running.stop()
            return
        if self._cache is None:
            raise errors.Unsupported("there is no home directory to keep calibrations in")
        self._timer.stop()
        self.scanner.cache = self._cache
        self._calibrating = Calibrating(self.scanner, self.wanted(), self._turn, self.debug)

    def _refuse_while_calibrating(self) -> None:
        if self._calibrating is not None and self._calibrating.is_running:
            raise errors.DeviceBusy(f"{self.scanner.usb.name} is calibrating")

    def _await_calibrating(self) -> None:
        while self._calibrating is not None and self._calibrating.is_running:
            self.cancel_request.wait(CALIBRATING_SECONDS)
        self._calibrating = None

    # Buttons

    def _take_buttons(self) -> None:
        """Take note of what is pressed when the unit is opened."""
        try:
            self.latched.update(self.pressed_buttons())
        except (errors.SaneError, OSError) as exc:
            self.debug(1, "buttons: %s", exc)

    def pressed_buttons(self) -> Iterable[str]:
        self._refuse_while_calibrating()
        with self._turn:
            now = self.scanner.buttons()
        before, self._held = self._held, now
        return [f"button_{number}" for number in now - before]
