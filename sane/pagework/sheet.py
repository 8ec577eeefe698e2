"""A page under page work: its pixels, and what is known about them.

It knows how pixels lie in memory, and neither devices nor files. NumPy is imported when somebody
asks for the array. Source: specification python-api-and-cli 10.3.
"""

from __future__ import annotations

from .libraries import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, Protocol

    import numpy as np

    Array = np.ndarray[Any, Any]
    Mode = Literal["lineart", "gray", "color"]
    Side = Literal["front", "back"] | None

    class PageLike(Protocol):
        """What page work reads of a page of the Python API."""

        @property
        def array(self) -> Any: ...
        @property
        def bits(self) -> memoryview | None: ...
        @property
        def width(self) -> int: ...
        @property
        def height(self) -> int: ...
        @property
        def mode(self) -> Mode: ...
        @property
        def depth(self) -> int: ...
        @property
        def dpi(self) -> tuple[float, float] | None: ...
        @property
        def number(self) -> int: ...
        @property
        def side(self) -> Side: ...
        @property
        def encoded(self) -> dict[str, bytes]: ...
        def rows(self) -> memoryview: ...


DEFAULT_DPI = 300.0  # where nobody knows it


class Sheet:
    """One page: what a step takes and gives; has the names of the Python API's Page.

    array: (height, width) for gray and line art, (height, width, 3) for colour; uint8, or uint16
    in native order; line art is 0 (black) or 255. It is read only by agreement: a step makes a new
    one. bits: line art as packed rows, 1 is black. dpi: across and down, None if unknown. number:
    of the page in its scan, from 1. encoded: the page as the device sent it, by MIME type; a step
    that changes pixels drops it. facts: what steps found out: "skew" (degrees, see deskew),
    "is_blank", "ink" (percent), "turned" (degrees clockwise), "cropped" (mm), "notes" (sentences).
    """

    __slots__ = (
        *("_array", "_bits", "_page", "depth", "dpi", "encoded", "facts", "height", "mode"),
        *("number", "side", "width"),
    )

    def __init__(
        self,
        array: Array | None,
        *,
        mode: Mode,
        bits: bytes | bytearray | memoryview | None = None,
        size: tuple[int, int] | None = None,
        dpi: tuple[float, float] | None = None,
        number: int = 1,
        side: Side = None,
        encoded: dict[str, bytes] | None = None,
        page: PageLike | None = None,
    ) -> None:
        """Make a sheet of an array, or of line art's *bits* and its width and height, *size*.

        page: has the pixels of a sheet of that size, until somebody asks for the array: a page that
        goes into a PNG as it is takes no NumPy.
        """
        if array is None and ((bits is None and page is None) or size is None):
            raise ValueError("a sheet needs an array, or bits and a size")
        self._array = array
        self._page = page
        self._bits = None if bits is None else memoryview(bits)
        self.mode = mode
        if array is not None:
            self.height, self.width = array.shape[:2]
            self.depth = 1 if mode == "lineart" else 8 * array.itemsize
        else:
            assert size is not None
            self.width, self.height = size
            self.depth = 1 if page is None else page.depth
        if not self.width or not self.height:
            raise ValueError(f"a sheet of {self.width} x {self.height} pixels")
        self.dpi = dpi
        self.number = number
        self.side = side
        self.encoded = dict(encoded or {})
        self.facts: dict[str, Any] = {}

    @classmethod
    def of(cls, page: PageLike | Sheet) -> Sheet:
        """Return *page* as a sheet, itself if it is one; its pixels are shared, not copied."""
        if isinstance(page, Sheet):
            return page
        bits = page.bits if page.mode == "lineart" else None
        has_samples = bits is None and page.depth > 1  # colours of one bit are made bytes
        return cls(
            page.array if bits is None and not has_samples else None,
            mode=page.mode,
            bits=bits,
            size=(page.width, page.height),
            dpi=page.dpi,
            number=page.number,
            side=page.side,
            encoded=page.encoded,
            page=page if has_samples else None,
        )

    @property
    def array(self) -> Array:
        if self._array is None and self._page is not None:
            require("numpy", "page work")
            self._array = self._page.array
        elif self._array is None:
            np = require("numpy", "page work on line art")
            rows = np.frombuffer(self.bits, np.uint8).reshape(self.height, -1)
            black = np.unpackbits(rows, axis=1)[:, : self.width]
            self._array = (black ^ 1) * np.uint8(255)
        array: Array = self._array
        return array

    @property
    def bits(self) -> memoryview | None:
        if self._bits is None and self.mode == "lineart":
            np = require("numpy", "page work on line art")
            self._bits = memoryview(np.packbits(self.array < 128, axis=1).tobytes())
        return self._bits

    @property
    def dots(self) -> tuple[float, float]:
        """The resolution across and down, DEFAULT_DPI where it is unknown."""
        across, down = self.dpi or (0, 0)
        return (across, down) if across > 0 and down > 0 else (DEFAULT_DPI, DEFAULT_DPI)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        across, down = self.dots
        return self.width / across * 25.4, self.height / down * 25.4

    def rows(self) -> memoryview:
        """Return the rows as the encoders of sane.image take them: bits for line art."""
        if self.mode == "lineart":
            bits = self.bits
            assert bits is not None
            return bits
        if self._array is None and self._page is not None:
            return self._page.rows()
        np = require("numpy", "page work")
        return memoryview(np.ascontiguousarray(self.array)).cast("B")

    def replaced(
        self,
        array: Array,
        *,
        mode: Mode | None = None,
        dpi: tuple[float, float] | None = None,
        **facts: object,
    ) -> Sheet:
        """Return this page with other pixels; facts: what else is known of it now."""
        sheet = Sheet(
            array,
            mode=mode or self.mode,
            dpi=dpi or self.dpi,
            number=self.number,
            side=self.side,
        )
        sheet.facts = {**self.facts, **facts}
        return sheet

    def noted(self, **facts: object) -> Sheet:
        """Return this page with more facts; its pixels and what the device sent stay."""
        sheet = Sheet(
            self._array,
            mode=self.mode,
            bits=self._bits,
            size=(self.width, self.height),
            dpi=self.dpi,
            number=self.number,
            side=self.side,
            encoded=self.encoded,
            page=self._page,
        )
        sheet.facts = {**self.facts, **facts}
        return sheet

    def __repr__(self) -> str:
        return f"<Sheet {self.number}: {self.width} x {self.height} pixels, {self.mode}>"
