"""Which formats of files there are, and which endings of names stand for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .encoder import Encoder

FORMATS = ("png", "pnm", "jpeg")
# Endings of file names, with the format that they stand for.
ENDINGS = {
    ".png": "png",
    ".pnm": "pnm",
    ".pbm": "pnm",
    ".pgm": "pnm",
    ".ppm": "pnm",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
}


def encoder(format: str) -> Callable[..., Encoder]:
    """Return the class that makes files of *format*, one of FORMATS; raises ValueError."""
    if format == "png":
        from .png import PngEncoder

        return PngEncoder
    if format == "pnm":
        from .pnm import PnmEncoder

        return PnmEncoder
    if format == "jpeg":
        from .jpeg_encoder import JpegEncoder

        return JpegEncoder
    raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)}")
