"""Pages of a PDF that are nothing but scanned images, by pikepdf and Pillow where they are there.

No page is rendered: it has one image, or strips of one from top to bottom, and at most invisible
text. Anything else is Unsupported. Source: ISO 32000-1, 7.4, 8.3, 8.9; specification escl 4.5.
"""

from __future__ import annotations

import io
import zlib

from ..errors import DeviceIOError, NoMemory, Unsupported
from .pillow_document import INVERT, NATIVE_WORDS, WholePictures, plain
from .png_rows import unfilter
from .rows import HIGH_BYTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Matrix = tuple[float, ...]

CONTENT_BYTES = 1 << 16  # of a page's instructions, compressed
MOST_STRIPS = 1024  # of a page
MOST_SIDE = 65535
# Operators that paint nothing: graphics and text state, colours, paths that only clip, marks.
HARMLESS = (
    *("gs", "w", "J", "j", "M", "d", "ri", "i", "re", "m", "l", "c", "v", "y", "h", "W", "W*", "n"),
    *("CS", "cs", "SC", "sc", "SCN", "scn", "G", "g", "RG", "rg", "K", "k", "BT", "ET", "Tc", "Tw"),
    *("Tz", "TL", "Tf", "Ts", "Td", "TD", "Tm", "T*", "BMC", "BDC", "EMC", "MP", "DP", "BX", "EX"),
)
TEXT, INVISIBLE = ("Tj", "TJ", "'", '"'), 3
ONE: Matrix = (1, 0, 0, 1, 0, 0)
COMPONENTS = {"/DeviceGray": 1, "/CalGray": 1, "/G": 1, "/DeviceRGB": 3, "/CalRGB": 3, "/RGB": 3}


class PdfPictures(WholePictures):
    """The pages of a PDF."""

    name = "PDF"

    def open(self, data: bytes) -> None:
        import pikepdf

        self._pdf = pikepdf.open(io.BytesIO(data), suppress_warnings=True)

    def load(self, at: int) -> Any:
        if at >= len(self._pdf.pages):
            return None
        strips = placed(self._pdf.pages[at])
        sizes = [(number(image, "/Width"), number(image, "/Height")) for image in strips]
        width, lines = sizes[0][0], sum(size[1] for size in sizes)
        if any(size[0] != width for size in sizes):
            raise Unsupported(f"PDF: a page of images that are no strips of one: {sizes}")
        self.check(width, lines)
        images = [plain(self._decoded(strip)) for strip in strips]
        return stacked(images)

    # One image

    def _decoded(self, image: Any) -> Any:
        """Return an image of the PDF as Pillow's."""
        if image.get("/ImageMask", False) or "/SMask" in image:
            raise Unsupported("PDF: an image with a mask")
        filters, parameters = listed(image, "/Filter"), listed(image, "/DecodeParms")
        data = image.read_raw_bytes()
        for at, name in enumerate(str(name) for name in filters):
            is_last = at == len(filters) - 1
            if name in ("/FlateDecode", "/Fl"):
                more = parameters[at] if at < len(parameters) else {}
                data = self._inflated(image, data, more) if is_last else self._bounded(data)
            elif name in ("/DCTDecode", "/DCT") and is_last:
                return self._jpeg(image, data)
            elif name in ("/CCITTFaxDecode", "/CCF") and len(filters) == 1:
                from pikepdf import PdfImage

                return PdfImage(image).as_pil_image()
            else:
                raise Unsupported(f"PDF: an image with the filter {name[1:]}")
        return self._pixels(image, data)

    def _bounded(self, data: bytes, most: int = 0) -> bytes:
        """Decompress *data*; raises NoMemory for more than *most* bytes."""
        most = most or self.limits.held_bytes
        out = zlib.decompressobj().decompress(data, most + 1)
        if len(out) > most:
            raise NoMemory(f"PDF: an image of more than {most} bytes")
        return out

    def _jpeg(self, image: Any, data: bytes) -> Any:
        from PIL.JpegImagePlugin import JpegImageFile

        picture = JpegImageFile(io.BytesIO(data))
        self.check(*picture.size)
        if picture.size != (number(image, "/Width"), number(image, "/Height")):
            raise DeviceIOError(f"PDF: an image that is really of {picture.size} pixels")
        picture.load()
        if is_inverted(image):
            from PIL import ImageChops

            return ImageChops.invert(picture)
        return picture

    def _inflated(self, image: Any, data: bytes, parameters: Any) -> bytes:
        """Return the rows of an image that zlib has packed, without its predictor."""
        size, step = row_form(image)
        lines = number(image, "/Height")
        predictor = int(parameters.get("/Predictor", 1))
        if predictor < 10:
            rows = zlib.decompressobj().decompress(data, size * lines)
            if predictor == 1:
                return rows
            if predictor != 2 or number(image, "/BitsPerComponent") != 8:
                raise Unsupported(f"PDF: the predictor {predictor}")
            whole = len(rows) // size * size  # what TIFF does is PNG's filter 1
            starts = range(0, whole, size)
            filtered = b"".join(b"\1" + rows[start : start + size] for start in starts)
        else:
            filtered = zlib.decompressobj().decompress(data, (size + 1) * lines)
        count = len(filtered) // (size + 1)
        out = memoryview(bytearray((count + 1) * size))
        unfilter(memoryview(filtered[: count * (size + 1)]), out, size, step)
        return bytes(out[size:])

    def _pixels(self, image: Any, data: bytes) -> Any:
        """Return rows of samples as Pillow's image."""
        from PIL import Image

        size, _ = row_form(image)
        width, lines = number(image, "/Width"), number(image, "/Height")
        data = data[: size * lines].ljust(size * lines, b"\xff")
        data = data.translate(INVERT) if is_inverted(image) else data
        bits, components = number(image, "/BitsPerComponent"), components_of(image)
        table = palette_of(image)
        if table:
            if bits not in (1, 8):
                raise Unsupported(f"PDF: indices of {bits} bits")
            picture = Image.frombytes("1" if bits == 1 else "L", (width, lines), data)
            if bits == 1:
                picture = picture.convert("L").point([0] + [1] * 255)
            picture.putpalette(table)
            return picture.convert("RGB")
        if bits == 16:
            if components == 1:
                data = swapped(data) if HIGH_BYTE else data
                return Image.frombytes(NATIVE_WORDS, (width, lines), data)
            data = data[0::2]
        mode = "1" if bits == 1 else "L" if components == 1 else "RGB"
        return Image.frombytes(mode, (width, lines), data)


def swapped(data: bytes) -> bytes:
    """Return samples of 16 bits with their bytes the other way round."""
    out = bytearray(data)
    out[0::2], out[1::2] = out[1::2], out[0::2]
    return bytes(out)


def stacked(images: list[Any]) -> Any:
    """Return strips as one image, from top to bottom."""
    from PIL import Image

    first = images[0]
    if len(images) == 1:
        return first
    whole = Image.new(first.mode, (first.width, sum(image.height for image in images)))
    at = 0
    for image in images:
        whole.paste(image if image.mode == first.mode else image.convert(first.mode), (0, at))
        at += image.height
    return whole


# What the dictionaries say


def number(image: Any, key: str) -> int:
    """Return a whole number of an image, within what a picture may have."""
    value = int(image.get(key, 0))
    if not 0 < value <= MOST_SIDE:
        raise DeviceIOError(f"PDF: an image with a {key[1:]} of {value}")
    return value


def listed(image: Any, key: str) -> list[Any]:
    """Return what stands under *key*, one value or many, as a list."""
    import pikepdf

    value = image.get(key)
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def colours(image: Any) -> list[Any]:
    """Return the colour space of an image: a name, and what belongs to it."""
    return listed(image, "/ColorSpace") or ["/DeviceGray"]


def components_of(image: Any) -> int:
    """Return how many samples a pixel has in the file."""
    space = colours(image)
    name = str(space[0])
    if name == "/ICCBased" and len(space) > 1:
        count = int(space[1].get("/N", 0))
    else:
        count = 1 if name in ("/Indexed", "/I") else COMPONENTS.get(name, 0)
    if count not in (1, 3):
        raise Unsupported(f"PDF: an image in the colours {name[1:]}")
    return count


def palette_of(image: Any) -> bytes:
    """Return the 256 colours of an indexed image, b"" of another."""
    import pikepdf

    space = colours(image)
    if str(space[0]) not in ("/Indexed", "/I") or len(space) < 4:
        return b""
    base = str(space[1][0] if isinstance(space[1], pikepdf.Array) else space[1])
    found = space[3]
    if isinstance(found, pikepdf.Stream):
        if len(found.read_raw_bytes()) > CONTENT_BYTES:
            raise Unsupported("PDF: a palette that is too long")
        table = bytes(found.read_bytes())
    else:
        table = bytes(found)
    if COMPONENTS.get(base, 3) == 1:
        table = bytes(value for value in table[:256] for _ in range(3))
    return table[:768].ljust(768, b"\0")


def row_form(image: Any) -> tuple[int, int]:
    """Return the bytes of a row, and from a pixel to the next, at least 1."""
    bits, components = number(image, "/BitsPerComponent"), components_of(image)
    if bits not in (1, 8, 16) or (bits == 1 and components != 1):
        raise Unsupported(f"PDF: an image with {components} samples of {bits} bits")
    return (number(image, "/Width") * components * bits + 7) // 8, max(1, components * bits // 8)


def is_inverted(image: Any) -> bool:
    """Tell whether the Decode array turns light and dark round."""
    decode = [float(value) for value in listed(image, "/Decode")]
    return decode[:2] == [1, 0] and str(colours(image)[0]) not in ("/Indexed", "/I")


# What a page paints


def placed(page: Any) -> list[Any]:
    """Return the images that a page paints, from top to bottom; raises Unsupported for others."""
    import pikepdf

    if sum(len(part.read_raw_bytes()) for part in contents(page)) > CONTENT_BYTES:
        raise Unsupported("PDF: a page that is more than scanned images")
    found: list[tuple[float, Any]] = []
    matrix, stack, text_mode = ONE, [], 0
    for instruction in pikepdf.parse_content_stream(page):
        operands, name = instruction.operands, str(instruction.operator)
        if name == "q":
            stack.append(matrix)
        elif name == "Q":
            matrix = stack.pop() if stack else ONE
        elif name == "cm":
            matrix = product(tuple(float(value) for value in operands), matrix)
        elif name == "Tr":
            text_mode = int(operands[0])
        elif name == "Do":
            found.append((top_of(matrix), image_of(page, operands[0])))
        elif name not in HARMLESS and not (name in TEXT and text_mode == INVISIBLE):
            raise Unsupported(f"PDF: a page that is more than scanned images (operator {name})")
    if not 0 < len(found) <= MOST_STRIPS:
        raise Unsupported(f"PDF: a page of {len(found)} images")
    found.sort(key=lambda item: -item[0])
    return [image for _, image in found]


def contents(page: Any) -> list[Any]:
    """Return the streams of a page's instructions."""
    return listed(page.obj, "/Contents")


def image_of(page: Any, name: Any) -> Any:
    """Return the image that is called *name*."""
    found = page.obj.get("/Resources", {}).get("/XObject", {}).get(str(name))
    if found is None and "/Parent" in page.obj:
        found = page.resources.get("/XObject", {}).get(str(name))
    if found is None or str(found.get("/Subtype", "")) != "/Image":
        raise Unsupported(f"PDF: a page that paints {name}, which is no image")
    return found


def product(one: Matrix, two: Matrix) -> Matrix:
    """Return the transformation that does *one* first. Source: ISO 32000-1, 8.3.4."""
    if len(one) != len(ONE):
        raise DeviceIOError(f"PDF: a transformation of {len(one)} numbers")
    a, b, c, d, e, f = one
    p, q, r, s, t, u = two
    turned = a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s
    return (*turned, e * p + f * r + t, e * q + f * s + u)


def top_of(matrix: Matrix) -> float:
    """Return how high on the page an image ends; raises Unsupported where it is turned."""
    a, b, c, d, _, f = matrix
    if abs(b) > abs(a) / 1000 or abs(c) > abs(d) / 1000 or a <= 0 or d <= 0:
        raise Unsupported("PDF: an image that is turned")
    return d + f
