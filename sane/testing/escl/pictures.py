"""Makes the documents of an emulated eSCL scanner, and keeps those that are asked for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from . import images
from .job import Job, Side
from .knobs import PageKnobs
from .model import PNG
from .pixels import FORMS, Window, rows_of
from .raster import Pixels

KEPT = 4  # documents


class Pictures:
    """Documents by what they show; making a large one takes a second, so the last ones are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def make(self, job: Job, sides: Sequence[Side], knobs: PageKnobs) -> bytes:
        """Return the document with *sides*; notes the last one's size in *job*."""
        mime, form = knobs.mime or job.settings.mime, knobs.form
        settings = job.settings
        width, lines = self._size(job, sides[-1], knobs)
        channels, depth = FORMS[settings.mode]
        job.last_size = width, lines, (width * channels * depth + 7) // 8
        key = (
            *(mime, form, knobs.quality, settings.mode, settings.x_dpi, settings.y_dpi),
            *(settings.left, settings.top, width, lines, knobs.scale),
            *((side.page, side.number, side.height) for side in sides),
        )
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                pages = [self._pixels(job, side, knobs) for side in sides]
                found = images.encode(pages, mime, form, knobs.quality)
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    @staticmethod
    def _size(job: Job, side: Side, knobs: PageKnobs) -> tuple[int, int]:
        width, lines = job.settings.size_px()
        if side.height is not None:
            rest = (side.height - job.settings.top) * job.settings.y_dpi // 300
            lines = max(1, min(lines, rest))
        width, lines = (max(1, round(value * knobs.scale)) for value in (width, lines))
        return max(1, width + knobs.more_px), max(1, lines + knobs.more_lines)

    def _pixels(self, job: Job, side: Side, knobs: PageKnobs) -> Pixels:
        settings = job.settings
        width, lines = self._size(job, side, knobs)
        x_dpi, y_dpi = (round(dpi * knobs.scale) for dpi in (settings.x_dpi, settings.y_dpi))
        left, top = settings.left * x_dpi // 300, settings.top * y_dpi // 300
        channels, depth = FORMS[settings.mode]
        window = Window((x_dpi, y_dpi), (left, top, width, lines), channels)
        window.side = side.number
        data = b"".join(rows_of(side.page, window, settings.mode))
        return Pixels(data, width, lines, channels, depth, x_dpi)


def icon() -> bytes:
    """Return the picture of a scanner, 128 pixels square."""
    size = 128
    row = b"\x40\x60\x90" * size
    return images.encode([Pixels(row * size, size, size, 3, 8, 72)], PNG)
