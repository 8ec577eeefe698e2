"""The formats of files: encoders that write what the original's files hold.

It knows encoders and colour profiles, and nothing of devices or files. PNG is compressed by other
filters than the original's, with the same picture. Source: python-api-and-cli 11.5.
"""

from __future__ import annotations

import os

from ...image.pnm import PnmEncoder
from .pdf import Pdf, PdfPage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...image.encoder import Encoder
    from .messages import Messages

JPEG_QUALITY = 75  # libjpeg's own
SIGNATURE_AND_HEAD = 8 + 25  # bytes of a PNG file: behind them a profile may stand
PROFILE_NAME_BYTES = 79
SPACES = {1: (b"GRAY", "Grayscale"), 3: (b"RGB ", "RGB")}


class CommentedPnm(PnmEncoder):
    """PNM with the comment that the original writes."""

    def head(self) -> bytes:
        kind, _, rest = super().head().partition(b"\n")
        return kind + b"\n# SANE data follows\n" + rest


class Maker:
    """Makes the encoders of a run's pages, all in *format*; dpi: 0 if the device does not tell.

    Raises ImportError for a format that was not built.
    """

    def __init__(self, format: str, dpi: float, icc: Profile) -> None:
        self._format = format
        self._dpi = dpi
        self._icc = icc
        self.pdf = Pdf()  # its pages are in one file
        if format in ("jpeg", "pdf"):
            from ...image import jpeg_encoder  # noqa: F401 - who lacks it learns so before the scan

    def __call__(self, size: tuple[int, int], form: tuple[int, int]) -> Encoder:
        """Return an encoder for a picture of *size* (pixels, lines), *form* (channels, depth).

        Raises ValueError for a picture that the format cannot hold.
        """
        dpi, icc = self._dpi, self._icc
        if self._format == "pnm":
            return CommentedPnm(*size, *form)
        if self._format == "tiff":
            from .tiff import TiffEncoder

            return TiffEncoder(*size, *form, dpi=dpi, icc=icc.read())
        if self._format == "png":
            return _png(size, form, dpi, icc)
        if self._format == "jpeg":
            from ...image.jpeg_encoder import JpegEncoder

            return JpegEncoder(*size, *form, dpi=dpi, quality=JPEG_QUALITY)
        return PdfPage(*size, *form, dpi=dpi, pdf=self.pdf, quality=JPEG_QUALITY)


def _png(size: tuple[int, int], form: tuple[int, int], dpi: float, icc: Profile) -> Encoder:
    from ...image.png import METRE, PngEncoder, chunk

    profile = icc.read(form[0])

    class Png(PngEncoder):
        """PNG with the colour profile behind its head."""

        def head(self) -> bytes:
            head = super().head()
            if not profile:
                return head
            import zlib

            name = os.path.basename(icc.path).encode("latin-1", "replace")[:PROFILE_NAME_BYTES]
            body = chunk(b"iCCP", name + b"\0\0" + zlib.compress(profile))
            return head[:SIGNATURE_AND_HEAD] + body + head[SIGNATURE_AND_HEAD:]

    # The original cuts the dots per metre, the encoder rounds them.
    return Png(*size, *form, dpi=int(dpi * METRE) / METRE)


class Profile:
    """The colour profile in the file *path*; "" for none. What is wrong with it is said."""

    def __init__(self, path: str, messages: Messages) -> None:
        self.path = path
        self._messages = messages

    def read(self, channels: int = 0) -> bytes:
        """Return the profile, b"" if it cannot be used; channels: those it has to fit, 0: any."""
        if not self.path:
            return b""
        try:
            with open(self.path, "rb", buffering=0) as file:
                data = file.readall() or b""
        except OSError:
            self._messages.raw(f"Could not open ICC profile {self.path}\n")
            return b""
        size = int.from_bytes(data[:4], "big")  # ICC.1, 7.2.2: of the whole profile
        if len(data) < max(size, 20):
            self._messages.raw(
                f"Ignoring ICC profile because file {self.path} is shorter than the profile\n"
            )
            return b""
        space = data[16:20]
        if channels and space != SPACES[channels][0]:
            self._messages.raw(
                f"Ignoring '{space.decode('latin-1')}' space ICC profile because the image is "
                f"{SPACES[channels][1]}.\n"
            )
            return b""
        return data[:size]
