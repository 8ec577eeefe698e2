"""TIFF and BMP of a device by Pillow, where the Python has it: read when they are whole.

Pillow's classes for the formats are used directly: Image.open() would print a warning of its own
about large pictures, and try formats that the document does not claim to be. Source: TIFF 6.0;
specification escl 4.4.
"""

from __future__ import annotations

import io
from struct import calcsize, error, pack_into, unpack_from

from ..errors import DeviceIOError, NoMemory, SaneError, Unsupported
from .picture import Picture
from .rows import HIGH_BYTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .picture import Limits

ORIENTATION, PLANES = 274, 284  # tags whose usual value is 1
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, JPEG_PLACE, JPEG_BYTES = 258, 259, 262, 277, 513, 514
OLD_JPEG, WHITE_IS_ZERO, IN_PLANES = 6, 0, 2
MOST_PICTURES = 4096  # of a TIFF
STRIP_BYTES = 1 << 20  # of rows that are taken from Pillow at a time
INVERT = bytes(range(255, -1, -1))
NATIVE_WORDS = "I;16" if HIGH_BYTE else "I;16B"


class WholePictures(Picture):
    """Pictures of a document that is read when all of it has come; subclasses tell how.

    open() gets the document and returns how many pictures it may have; load(i) makes the i-th,
    and returns None behind the last one.
    """

    name = ""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._data: bytearray | None = bytearray()
        self._at = 0  # which picture
        self._image: Any = None
        self._row = 0  # of it, the next one to be taken from Pillow
        self._out = memoryview(b"")

    def open(self, data: bytes) -> None:
        """Look at the document."""
        raise NotImplementedError

    def load(self, at: int) -> Any:
        """Return picture number *at* as Pillow's image, in one of MODES, or None."""
        raise NotImplementedError

    def feed(self, data: bytes | memoryview) -> None:
        if self._data is not None:
            self._data += data
            if len(self._data) > self.limits.held_bytes:
                raise NoMemory(f"{self.name}: more than {self.limits.held_bytes} bytes")

    def end(self) -> None:
        if self._data is not None:
            data, self._data = bytes(self._data), None
            self._guarded(self.open, data)
            if not self.next_picture():
                raise DeviceIOError(f"{self.name}: there is no picture in it")

    def _guarded(self, call: Any, *args: Any) -> Any:
        """Call the library: whatever it raises is the document's fault."""
        try:
            return call(*args)
        except (SaneError, MemoryError):
            raise
        except Exception as exc:
            raise DeviceIOError(f"{self.name}: {type(exc).__name__}: {exc}") from exc

    def next_picture(self) -> bool:
        image = self._guarded(self.load, self._at) if self._data is None else None
        if image is None:
            return False
        self._at += 1
        self._image, self._row, self._out = image, 0, memoryview(b"")
        self.width, self.lines = image.size
        self.channels = 3 if image.mode == "RGB" else 1
        self.depth = {"1": 1, "I;16": 16, "I;16B": 16}.get(image.mode, 8)
        return True

    def check(self, width: int, lines: int, pixel_bytes: int = 6) -> None:
        """Raise NoMemory for a picture that is too large, before it is decoded."""
        self.limits.check(self.name, width, lines, pixel_bytes)
        self.limits.check_whole(self.name, width, lines)

    def prepare(self) -> bool:
        return self.width > 0

    def read_into(self, view: memoryview) -> int:
        if not self._out and self._row < self.lines:
            self._out = self._next_rows()
        n = min(len(view), len(self._out))
        view[:n] = self._out[:n]
        self._out = self._out[n:]
        return n

    def _next_rows(self) -> memoryview:
        """Take the next rows from Pillow, in SANE's form."""
        count = min(self.lines - self._row, max(1, STRIP_BYTES // self.row_bytes))
        box = (0, self._row, self.width, self._row + count)
        self._row += count
        data = self._guarded(self._image.crop(box).tobytes)
        if self.depth == 1:
            data = data.translate(INVERT)
            unused = -self.width % 8
            if unused:
                data = _cleared(data, self.row_bytes, 256 - (1 << unused))
        return memoryview(data)

    @property
    def is_done(self) -> bool:
        return self.width > 0 and self._row >= self.lines and not self._out


def _cleared(rows: bytes, size: int, mask: int) -> bytes:
    """Return rows of bits with white behind their last pixels."""
    out = bytearray(rows)
    out[size - 1 :: size] = bytes(value & mask for value in out[size - 1 :: size])
    return bytes(out)


def plain(image: Any) -> Any:
    """Return Pillow's *image* in a mode that next_picture() knows; transparency lies on white."""
    from PIL import Image

    if image.mode in ("1", "L", "RGB", NATIVE_WORDS):
        return image
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N"):
        return _swapped(image)
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        return white.convert("L" if image.mode in ("LA", "La") else "RGB")
    if image.mode == "P":
        colours = image.getpalette() or []
        is_gray = colours[0::3] == colours[1::3] == colours[2::3]
        return image.convert("L" if is_gray else "RGB")
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        return image.convert("RGB")
    raise Unsupported(f"a picture of Pillow's mode {image.mode}")


def _swapped(image: Any) -> Any:
    """Return a picture of 16 bits in the order of this machine."""
    from PIL import Image

    data = bytearray(image.tobytes())
    data[0::2], data[1::2] = data[1::2], data[0::2]
    return Image.frombytes(NATIVE_WORDS, image.size, bytes(data))


class PillowPictures(WholePictures):
    """A TIFF, with all its pictures, or a BMP; *name* says which."""

    def __init__(self, limits: Limits, name: str) -> None:
        super().__init__(limits)
        self.name = name
        self._bytes = io.BytesIO()
        self._file: Any = None

    def open(self, data: bytes) -> None:
        if self.name == "BMP":
            from PIL.BmpImagePlugin import BmpImageFile

            self._bytes = io.BytesIO(data)
            self._file = BmpImageFile(self._bytes)
        else:
            from PIL.TiffImagePlugin import TiffImageFile

            self._bytes = io.BytesIO(usual(data))
            self._file = TiffImageFile(self._bytes)

    def load(self, at: int) -> Any:
        image = self._file
        if at:
            if self.name == "BMP" or at >= MOST_PICTURES:
                return None
            try:
                image.seek(at)
            except EOFError:
                return None
        self.check(*image.size)
        tags = {} if self.name == "BMP" else image.tag_v2
        if tags.get(COMPRESSION) == OLD_JPEG and JPEG_PLACE in tags:
            return plain(self._old_jpeg(tags))
        self._complete(image, tags)
        image.load()
        if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO and image.mode.startswith("I;16"):
            from PIL import Image

            inverted = image.tobytes().translate(INVERT)  # Pillow does so with 8 bits alone
            image = Image.frombytes(image.mode, image.size, inverted)
        return plain(image)

    def _complete(self, image: Any, tags: Any) -> None:
        """Put white behind pixels that are not compressed and were cut off.

        Of others the library keeps nothing. Raises DeviceIOError where none came.
        """
        pieces = [tile for tile in image.tile if tile[0] == "raw"]
        bits = tags.get(BITS, (1,))
        pixel_bits = bits[0] if tags.get(PLANES) == IN_PLANES else sum(bits)
        white = b"\0" if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO else b"\xff"
        ends = []
        for _, (left, top, right, bottom), place, form in pieces:
            pitch = form[1] or ((right - left) * pixel_bits + 7) // 8
            ends.append(place + pitch * (bottom - top))
        size = self._bytes.seek(0, io.SEEK_END)
        if not ends or max(ends) <= size:
            return
        if size <= min(tile[2] for tile in pieces) or max(ends) > self.limits.held_bytes:
            raise DeviceIOError(f"{self.name}: it ends before the first row")
        self._bytes.write(white * (max(ends) - size))
        self.is_cut = True

    def _old_jpeg(self, tags: Any) -> Any:
        """Return a picture of the old kind of JPEG: the whole file that lies in the TIFF.

        Source: TIFF 6.0, section 22, JPEGInterchangeFormat.
        """
        from PIL.JpegImagePlugin import JpegImageFile

        data, place = self._bytes.getvalue(), int(tags[JPEG_PLACE])
        size = int(tags.get(JPEG_BYTES, len(data)))
        picture = JpegImageFile(io.BytesIO(data[place : place + size]))
        self.check(*picture.size)
        picture.load()
        return picture


def usual(data: bytes) -> bytes:
    """Return a TIFF with the usual value of two tags, so that Pillow reads it as it should be.

    The orientation does not count: the device's rows are what was asked for. Planes that hold one
    sample each are no planes where there is one sample. Damage is left for Pillow to find. Source:
    TIFF 6.0, section 2; BigTIFF.
    """
    out = bytearray(data)
    order = "<" if out[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    count_form, entry_bytes, offset_form = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    at, seen = 8 if is_big else 4, set()
    try:
        for _ in range(MOST_PICTURES):
            (at,) = unpack_from(order + offset_form, out, at)
            if not at or at in seen:
                break
            seen.add(at)
            (count,) = unpack_from(order + count_form, out, at)
            at += calcsize(count_form)
            end = at + count * entry_bytes
            places = range(at, min(end, len(out)), entry_bytes)
            tags = {unpack_from(order + "H", out, place)[0]: place for place in places}
            values = {tag: place + (12 if is_big else 8) for tag, place in tags.items()}
            wrong = [ORIENTATION]
            if SAMPLES not in values or unpack_from(order + "H", out, values[SAMPLES]) == (1,):
                wrong.append(PLANES)
            for tag in wrong:
                if tag in values:
                    pack_into(order + "H", out, values[tag], 1)
            at = end
    except error:
        pass
    return bytes(out)
