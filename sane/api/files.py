"""Pages as files: which format a name means, the bytes of the file, and how it appears on disk.

PNG, PNM and JPEG are made by sane.image and need neither NumPy nor PIL; what else PIL knows is made
by it. A file appears, or changes, when it is whole.
"""

from __future__ import annotations

import os
import stat

from ..image.formats import ENDINGS, FORMATS, encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from .page import Page

OTHER_NAMES = {"jpg": "jpeg", "tif": "tiff", "pbm": "pnm", "pgm": "pnm", "ppm": "pnm"}
DEEP = ("tiff",)  # formats in which PIL writes 16 bits
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
PIECE_BYTES = 1 << 20  # given to an encoder at a time: it copies what it works on


def format_of(name: str) -> str:
    """Return the format that *name*, of a format or an ending, means: "JPG" is "jpeg"."""
    name = name.lower().lstrip(".")
    return ENDINGS.get(f".{name}") or OTHER_NAMES.get(name, name)


def encoded(page: Page, format: str, options: dict[str, Any]) -> bytes:
    """Return *page* as a file; raises ValueError for a format that nobody here can make."""
    kind = format_of(format)
    if kind not in FORMATS:
        return _by_pil(page, kind, options)
    if page.dpi is not None:
        options = {"dpi": page.dpi[0], **options}
    maker = encoder(kind)(page.width, page.height, page.channels, page.depth, **options)
    pieces = []
    with page.rows() as rows:
        for at in range(0, len(rows), PIECE_BYTES):
            with rows[at : at + PIECE_BYTES] as piece:
                pieces.append(maker.feed(piece))
    pieces.append(maker.end())
    return b"".join(pieces)


def _by_pil(page: Page, kind: str, options: dict[str, Any]) -> bytes:
    from io import BytesIO

    from PIL import Image

    from .images import image_of

    image = image_of(page, is_deep=kind in DEEP)
    Image.init()
    if kind.upper() not in Image.SAVE:
        raise ValueError(f"no format {kind!r}; there are {', '.join(FORMATS)} and those of PIL")
    file = BytesIO()
    if page.dpi is not None:
        options = {"dpi": page.dpi, "resolution": page.dpi[0], **options}
    image.save(file, kind.upper(), **options)
    return file.getvalue()


def save(page: Page, path: str | os.PathLike[str], format: str | None, options: Any) -> Path:
    """Write *page* to *path*; whoever looks there sees the old file or the whole new one."""
    from pathlib import Path

    target = Path(path)
    ending = target.suffix
    if format is None and not ending:
        raise ValueError(f"{target}: a name without ending needs a format, as save(path, 'png')")
    data = encoded(page, format or ending, options)
    try:
        _put(os.path.realpath(target), data)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(target)) from exc
    return target


def _put(path: str, data: bytes) -> None:
    """Let *path* be a file of *data*, with the permissions of the one that is there."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = 0
    if mode and not stat.S_ISREG(mode):  # a pipe or device
        with open(path, "wb", buffering=0) as file:
            _write(file.fileno(), data)
        return
    # The umask is the kernel's to apply: asking for it would change it for all threads.
    temporary = os.path.join(os.path.dirname(path), f".sane-{os.urandom(8).hex()}")
    fd = os.open(temporary, NEW_FILE, 0o600 if mode else 0o666)
    try:
        try:
            if mode:
                os.fchmod(fd, stat.S_IMODE(mode))
            _write(fd, data)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
