"""An open device for Python programs: options as attributes, pages as arrays.

It knows the methods of Handle and what a frame is; NumPy is imported when a page is scanned.
"""

from __future__ import annotations

from . import const
from .errors import DeviceIOError, EndOfFrame, Invalid, NoDocs
from .param import line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np

    from .handle import Handle
    from .option import Option
    from .param import Parameters

    Page = np.ndarray[Any, Any]

READ_BYTES = 1 << 18
CHANNEL = {const.FRAME_RED: 0, const.FRAME_GREEN: 1, const.FRAME_BLUE: 2}


class Scanner:
    """An open device; a context manager that closes it.

    Every option is an attribute, with hyphens as underscores: scanner.resolution = 300 sets it
    (rounded to its constraint), scanner.tl_x reads it. options lists them. One call at a time
    runs; cancel may come from any thread.
    """

    def __init__(self, handle: Handle, name: str) -> None:
        import _thread

        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_lock", _thread.allocate_lock())
        object.__setattr__(self, "_closed", False)
        for index in range(len(handle.options)):
            handle.descriptor(index)

    _handle: Handle
    name: str
    _lock: Any
    _closed: bool

    def __enter__(self) -> Scanner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<sane.Scanner {self.name!r}>"

    def _open_lock(self) -> Any:
        if self._closed:
            raise Invalid(f"{self!r} is closed")
        return self._lock

    # Options

    @property
    def options(self) -> dict[str, Option]:
        """The options by name, with title, desc, unit and constraint; groups are left out."""
        return {option.name: option for option in self._handle.options.declared if option.name}

    def _option(self, attribute: str) -> Option:
        option = self.options.get(attribute.replace("_", "-"))
        if option is None:
            raise AttributeError(f"{self!r} has no option {attribute.replace('_', '-')!r}")
        return option

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        option = self._option(attribute)
        with self._open_lock():
            return option.decode(self._padded(option, self._handle.get(option.index)))

    @staticmethod
    def _padded(option: Option, data: bytes) -> bytes:
        return data.ljust(option.size, b"\0")

    def __setattr__(self, attribute: str, value: Any) -> None:
        option = self._option(attribute)
        with self._open_lock():
            _, info = self._handle.set(option.index, option.encode(value))
            if info & const.INFO_RELOAD_OPTIONS:
                for index in range(len(self._handle.options)):
                    self._handle.descriptor(index)

    # Scanning

    def get_parameters(self) -> Parameters:
        """Return what the next frame will look like, or exactly the one being read."""
        with self._open_lock():
            return self._handle.parameters()

    def scan(self) -> Page:
        """Scan one page and end the job.

        Returns (height, width) for gray and (height, width, 3) for colour: uint8, or uint16 at
        depth 16. Depth 1 becomes 0 (black) and 255, as every other gray. Raises SaneError.
        """
        try:
            return self._page()
        finally:
            self.cancel()

    def scan_frame(self) -> tuple[Parameters, bytearray]:
        """Scan one frame and end the job; return its parameters and bytes as they come."""
        try:
            return self._frame()
        finally:
            self.cancel()

    def scan_pages(self) -> Iterator[Page]:
        """Yield pages until the feeder is empty; end the job then, or when the loop is left."""
        try:
            while True:
                try:
                    page = self._page()
                except NoDocs:
                    return
                yield page
        finally:
            self.cancel()

    def _page(self) -> Page:
        import numpy as np

        planes: dict[int, Page] = {}
        while True:
            params, data = self._frame()
            plane = to_array(params, data)
            if params.format not in CHANNEL:
                return plane
            planes[CHANNEL[params.format]] = plane
            if params.last_frame:
                break
        if len(planes) != len(CHANNEL):
            raise DeviceIOError(f"only {len(planes)} of three colour frames arrived")
        height = min(plane.shape[0] for plane in planes.values())
        return np.stack([planes[channel][:height] for channel in range(len(CHANNEL))], axis=-1)

    def _frame(self) -> tuple[Parameters, bytearray]:
        with self._open_lock():
            self._handle.start()
        params = self.get_parameters()
        expected = max(params.frame_bytes, 0)
        data = bytearray(expected or READ_BYTES)
        used = 0
        while True:
            if used == len(data):
                data += bytes(READ_BYTES)
            try:
                with self._lock, memoryview(data) as view:
                    used += self._handle.read(view[used : used + READ_BYTES])
            except EndOfFrame:
                return params, data if used == len(data) else data[:used]

    def cancel(self) -> None:
        """End the job: a read in another thread raises Cancelled. Nothing happens when idle."""
        if not self._lock.acquire(False):
            self._handle.cancel_request.set()
            self._lock.acquire()
        try:
            if not self._closed:
                self._handle.cancelled()
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the job and close the device; may be called again."""
        self.cancel()
        with self._lock:
            if not self._closed:
                object.__setattr__(self, "_closed", True)
                self._handle.close()


def to_array(params: Parameters, data: bytes | bytearray) -> Page:
    """Return the frame *data* as an array of whole lines, padding cut off."""
    import numpy as np

    lines = len(data) // params.bytes_per_line if params.bytes_per_line else 0
    if not lines:
        raise Invalid("the frame has no complete line")
    rows = np.frombuffer(data, np.uint8, lines * params.bytes_per_line).reshape(lines, -1)
    channels = params.channels
    width = params.pixels_per_line
    used = line_bytes(width, channels, params.depth)
    rows = np.ascontiguousarray(rows[:, :used])
    if params.depth == 1:
        pixels: Page = _bits(rows, channels)[:, :width] * np.uint8(255)
        if params.format == const.FRAME_GRAY:
            pixels = 255 - pixels
    else:
        samples = rows.view(np.uint16) if params.depth > 8 else rows
        pixels = samples.reshape(lines, -1, channels)[:, :width]
    return pixels[:, :, 0] if channels == 1 else pixels


def _bits(rows: Page, channels: int) -> Page:
    """Return packed rows as (lines, pixels, channels) of 0 and 1 (standard 3.2.1)."""
    import numpy as np

    groups = rows.reshape(rows.shape[0], -1, channels)
    bits: Page = np.unpackbits(groups.transpose(0, 2, 1), axis=2).transpose(0, 2, 1)
    return bits
