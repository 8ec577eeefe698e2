"""One scanned page: what the driver sent, and the pixels in it.

It knows frames and pixels; it knows neither devices nor how frames are read. NumPy and PIL are
imported when somebody asks for an array or an image.
"""

from __future__ import annotations

from ..const import FRAME_GRAY, FRAME_RGB, MM_PER_INCH
from ..errors import DeviceIOError
from ..pages import COLORS, joined_planes, whole_rows
from ..param import Parameters, line_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any, Literal

    import numpy as np
    from PIL.Image import Image

    from ..backend import DeviceInfo

    Array = np.ndarray[Any, Any]
    Frame = tuple[Parameters, bytearray | memoryview]
    Mode = Literal["lineart", "gray", "color"]
    Side = Literal["front", "back"]

SHOWN_PX = 1000  # the longer side of a page in a notebook


class Page:
    """One scanned page.

    array: the pixels, (height, width) in gray and (height, width, 3) in colour: uint8, uint16 in
    native order, or 0 and 255 for bits. It is writable, and what is written to it is in the files
    and images made afterwards. With 8 or 16 bits and without padding it is the very memory that
    the driver filled. bits: of line art, the packed rows, 1 is black; else None.

    number: from 1 in its job. truncated: the driver promised more rows. encoded: by MIME type, the
    page as the device itself sent it, where that was kept. dpi, side, device, settings: None or
    empty where nobody knows.
    """

    __slots__ = (
        *("__weakref__", "_array", "_extra", "_frames", "_rows", "channels", "depth", "device"),
        *("dpi", "encoded", "height", "number", "parameters", "row_bytes", "scanned_at"),
        *("settings", "side", "truncated", "width"),
    )

    def __init__(
        self,
        frames: Sequence[Frame],
        *,
        number: int = 1,
        side: Side | None = None,
        dpi: tuple[float, float] | None = None,
        device: DeviceInfo | None = None,
        settings: Mapping[str, Any] | None = None,
        scanned_at: datetime | None = None,
        encoded: Mapping[str, bytes] | None = None,
    ) -> None:
        """Make a page of *frames* as they came: one, or red, green and blue, then further ones.

        Raises DeviceIOError for frames that make no page.
        """
        params = frames[0][0]
        own = 3 if params.format in COLORS else 1
        self._frames, self._extra = list(frames[:own]), list(frames[own:])
        self.parameters = self._frames[-1][0]
        self.width: int = params.pixels_per_line
        self.channels: int = 3 if own == 3 else params.channels
        self.depth: Literal[1, 8, 16] = params.depth  # type: ignore[assignment]  # checked below
        if self.depth not in (1, 8, 16):
            raise DeviceIOError(f"a frame that cannot be: {params}")
        self.row_bytes: int = line_bytes(self.width, self.channels, self.depth)
        self._rows: bytearray | memoryview = self._joined()
        self.height: int = len(self._rows) // self.row_bytes if self.row_bytes else 0
        if not self.height:
            raise DeviceIOError("the scanner has sent no whole row")
        self._array: Array | None = None
        self.truncated: bool = self.height < params.lines
        self.number = number
        self.side: Side | None = side
        self.dpi = dpi
        self.device = device
        self.settings: dict[str, Any] = dict(settings or {})
        self.scanned_at: datetime = scanned_at or _now()
        self.encoded: dict[str, bytes] = dict(encoded or {})

    @classmethod
    def from_array(
        cls,
        array: Array,
        *,
        mode: Mode | None = None,
        dpi: tuple[float, float] | None = None,
        like: Page | None = None,
    ) -> Page:
        """Return a page of these pixels, uint8 or uint16, (h, w) or (h, w, 3).

        mode: "lineart" for gray of 0 and 255 that is to become one bit; "gray" and "color" are what
        the array is. like: the page whose number, side, resolution, device, settings and time are
        those of this one, too. The array's memory is used where its pixels lie one after the other.
        Raises ValueError for an array, or a mode, that makes no page.
        """
        from .pixels import native, rows_of

        array = native(array)
        is_gray = array.ndim == 2
        is_shaped = is_gray or array.shape[2:] == (3,)
        if array.dtype.kind != "u" or array.itemsize > 2 or not is_shaped or not array.size:
            raise ValueError(f"no page: {array.dtype} of shape {array.shape}")
        if mode not in (None, "lineart", "gray" if is_gray else "color"):
            raise ValueError(f"no page: mode {mode!r} for {array.dtype} of shape {array.shape}")
        depth = 1 if mode == "lineart" else 8 * array.itemsize
        if depth == 1 and not (is_gray and array.itemsize == 1):
            raise ValueError(f"no line art: {array.dtype} of shape {array.shape}")
        lines, width_px = array.shape[:2]
        params = Parameters(FRAME_GRAY if is_gray else FRAME_RGB, width_px, lines, depth)
        kept: dict[str, Any] = {}
        if like is not None:
            names = ("number", "side", "dpi", "device", "settings", "scanned_at")
            kept = {name: getattr(like, name) for name in names}
        if dpi is not None:
            kept["dpi"] = dpi
        return cls([(params, rows_of(array, depth))], **kept)

    def _joined(self) -> bytearray | memoryview:
        """Return the rows without padding, three frames as one."""
        planes: dict[int, Any] = {
            params.format: whole_rows(params, data) for params, data in self._frames
        }
        if len(planes) == 1:
            return next(iter(planes.values()))  # type: ignore[no-any-return]
        if set(planes) != set(COLORS):
            raise DeviceIOError(f"{len(planes)} of three colour frames")
        size = min(len(plane) for plane in planes.values())
        return joined_planes([planes[color][:size] for color in COLORS], 2 if self.depth > 8 else 1)

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        """Return the page in memory of its own: what frames, rows and array share is kept once."""
        state = {name: getattr(self, name) for name in self.__slots__ if name != "__weakref__"}
        for name in ("_frames", "_extra"):
            state[name] = [(params, bytearray(data)) for params, data in state[name]]
        lies_over = memoryview(self._rows).obj is memoryview(self._frames[0][1]).obj
        state["_rows"] = None if lies_over else bytearray(self._rows)
        if self.depth > 1:
            state["_array"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        if state["_rows"] is None:
            self._rows = self._joined()

    def __copy__(self) -> Page:
        """Return a page with the same pixels: what is written to one is in the other."""
        again = Page.__new__(type(self))
        for name in self.__slots__:
            if name != "__weakref__":
                setattr(again, name, getattr(self, name))
        return again

    # What it looks like

    @property
    def mode(self) -> Mode:
        """Return "color", "gray", or "lineart" for gray of one bit."""
        if self.channels == 3:
            return "color"
        return "lineart" if self.depth == 1 else "gray"

    @property
    def size_mm(self) -> tuple[float, float] | None:
        """Width and height in mm; None if the resolution is unknown."""
        if self.dpi is None:
            return None
        x, y = self.dpi
        return self.width * MM_PER_INCH / x, self.height * MM_PER_INCH / y

    def __repr__(self) -> str:
        size = f"{self.width} x {self.height}"
        dpi = f", {self.dpi[0]:g} dpi" if self.dpi else ""
        side = f", {self.side}" if self.side else ""
        return f"<sane.Page {self.number}: {size} pixels, {self.mode} {self.depth} bit{dpi}{side}>"

    # Its pixels

    @property
    def array(self) -> Array:
        """The pixels, see the class."""
        if self._array is None:
            from .pixels import array_of

            size = self.width, self.height, self.channels, self.depth
            self._array = array_of(self._rows, *size)
        return self._array

    def rows(self) -> memoryview:
        """Return the packed rows without padding, as the encoders of sane.image take them.

        They are those of ``array`` if that was asked for, and perhaps changed, before.
        """
        if self.depth == 1 and self._array is not None:
            from .pixels import rows_of

            return rows_of(self._array, 1)
        return memoryview(self._rows).cast("B")

    @property
    def bits(self) -> memoryview | None:
        """Line art as packed rows, 1 is black; None for other pages."""
        return self.rows() if self.mode == "lineart" else None

    @property
    def raw(self) -> bytes:
        """What the driver sent, frame after frame, with padding; the shape is in parameters."""
        return b"".join(data for _, data in self._frames)

    @property
    def extra(self) -> list[Array]:
        """Further frames of the page, as a film scanner sends them, behind the infrared one."""
        return self._further()[1 if self.channels == 3 else 0 :]

    @property
    def infrared(self) -> Array | None:
        """The gray frame that followed a page in colour, None without one."""
        found = self._further()
        return found[0] if self.channels == 3 and found else None

    def _further(self) -> list[Array]:
        return [Page([frame]).array for frame in self._extra]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return ``array``, or a copy; raises ValueError if copy is False and one is needed."""
        import numpy as np

        array = self.array
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError(f"{array.dtype} as {np.dtype(dtype)} needs a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.array.__array_interface__

    def __buffer__(self, flags: int) -> memoryview:
        view: Any = self.array  # NumPy's type does not say that it is a buffer
        return memoryview(view)

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    # As images and files

    def to_image(self) -> Image:
        """Return a PIL image: L, RGB, 1 or I;16 (gray of 16 bits); info["dpi"] is set.

        It lies over the page's memory where PIL can do that, and is copied when it is changed.
        Colour of 16 bits, which PIL does not have, keeps the high bytes.
        """
        from .images import image_of

        return image_of(self)

    def to_bytes(self, format: str = "png", **options: Any) -> bytes:
        """Return the page as a file of *format*: "png", "pnm", "jpeg", or what PIL can write.

        options: of the encoder: level (png), quality (jpeg), dpi; for the others those of PIL.
        Raises ValueError for a format that nobody knows.
        """
        from .files import encoded

        return encoded(self, format, options)

    def save(self, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> Path:
        """Write the page to *path* and return it; see to_bytes. format: by default its ending.

        The file appears, or changes, when it is whole. Raises OSError.
        """
        from .files import save

        return save(self, path, format, options)

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows: a thinned-out page."""
        from .pixels import thinned

        small = thinned(self.array, SHOWN_PX)
        if small.itemsize == 2:
            small = (small >> 8).astype("uint8")
        return Page.from_array(small).to_bytes("png")


def _now() -> datetime:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).astimezone()
