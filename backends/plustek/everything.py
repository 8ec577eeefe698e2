"""Calibrating for all modes and resolutions at once, beside the frontend.

It knows for which pages the cache gets entries; a frontend goes on meanwhile, and may end it.
Source: specification plustek 5.2 (calibrate), 7.
"""

from __future__ import annotations

import _thread

from ...backend import errors
from ...param import fix
from ...threads import start_thread
from .plan import COLOR, DIVIDERS, GRAY, LINEART, Request, page_scan
from .registers import clock_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backend import Debug
    from .calibration import Wanted
    from .scanner import Scanner

PASSES = ((LINEART, 1), (GRAY, 8), (GRAY, 16), (COLOR, 8), (COLOR, 16))
LEAST_DPI, MOST_MM = 50, 20.0  # of the pages that are calibrated for; any width will do
WAIT_SECONDS = 300.0


class Calibrating:
    """It runs from the beginning on. turn: whoever talks to the unit has it."""

    def __init__(
        self, scanner: Scanner, wanted: Wanted, turn: _thread.LockType, debug: Debug
    ) -> None:
        self._scanner = scanner
        self._wanted = wanted
        self._turn = turn
        self._debug = debug
        self._ended = _thread.allocate_lock()
        self._is_wanted = True
        self._ended.acquire()
        start_thread(self._run)

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self._ended.locked()

    def stop(self) -> None:
        """End it with the page that is calibrated for now."""
        self._is_wanted = False
        if self._ended.acquire(True, WAIT_SECONDS):
            self._ended.release()

    def _run(self) -> None:
        try:
            for request in self._requests():
                if not self._is_wanted:
                    break
                with self._turn:
                    self._calibrate(request)
        except (errors.SaneError, OSError) as exc:
            self._debug(1, "calibrating: %s", exc)
        finally:
            self._ended.release()

    def _requests(self) -> Iterator[Request]:
        """Yield a page for each mode, depth and divider that gets an entry."""
        unit = self._scanner.unit
        for mode, bits in PASSES:
            if (bits == 16 and unit.has("D8")) or (mode != COLOR and unit.has("GFC")):
                continue
            dividers = [divider for divider, _ in DIVIDERS]
            for divider in dividers if bits == 8 else dividers[:1]:
                dpi = int(unit.optical_dpi / divider)
                if dpi >= LEAST_DPI:
                    corners = (0, 0, fix(MOST_MM), fix(MOST_MM))
                    yield Request(unit, mode, max(bits, 8), dpi, corners)

    def _calibrate(self, request: Request) -> None:
        """Calibrate for one page; what the cache has already is left as it is."""
        scanner = self._scanner
        scan = page_scan(request, scanner.settings)
        scan.clock = clock_of(scan)
        scanner.lamp.set_mode(is_color=scan.is_color, off=self._wanted.lamp_off)
        scanner.lamp.start(request.source)
        scanner.carriage.position()
        scanner.calibrate(scan, self._wanted)
        scanner.forget()
