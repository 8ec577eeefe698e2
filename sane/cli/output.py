"""Where a scanned page goes: a file, or stdout; refused before the scan if it cannot.

It knows files, and nothing of scanners. A file appears, or changes, when its
page is whole; a page that cannot be written is kept in another folder.
"""

from __future__ import annotations

import os
import stat
import tempfile

from ..image.formats import ENDINGS, encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..pages import Page

STDOUT = "-"


class Unwritable(Exception):
    """The page cannot go where it should; the text says why, and where it is."""


class Output:
    """The file *path*, or stdout for "-"; made before the scan, so that it is refused in time.

    Use it as a context manager: what is left of a page that did not come is removed.
    """

    def __init__(self, path: str) -> None:
        self.name = "stdout" if path == STDOUT else path
        self._format = ENDINGS.get(os.path.splitext(path)[1].lower(), "pnm")
        self._path = os.path.realpath(path)
        self._temporary = ""
        self._overwrites = False
        try:
            encoder(self._format)
            self._fd = self._open(path)
        except ImportError as exc:
            raise Unwritable(f"{self.name}: this PySANE makes no {self._format}: {exc}") from exc
        except OSError as exc:
            raise Unwritable(f"{self.name}: {exc.strerror}") from exc

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        if self._temporary:
            os.unlink(self._temporary)

    def _open(self, path: str) -> int:
        """Return a descriptor to write to: of a new file beside *path* if that is a plain one."""
        if path == STDOUT:
            if os.isatty(1):
                raise Unwritable("stdout is a terminal: an image would garble it; use -o FILE")
            return os.dup(1)
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = 0
        if stat.S_ISDIR(mode):
            raise Unwritable(f"{path}: is a directory")
        if mode and not stat.S_ISREG(mode):
            return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        if not path.lower().endswith(tuple(ENDINGS)):
            raise Unwritable(f"{path}: the name must end in one of {' '.join(ENDINGS)}")
        if mode and not os.access(path, os.W_OK):
            raise Unwritable(f"{path}: Permission denied")
        try:
            folder = os.path.dirname(self._path)
            fd, self._temporary = tempfile.mkstemp(prefix=".pysane-scan-", dir=folder)
        except PermissionError:
            if not mode:
                raise
            self._overwrites = True  # only the file itself is ours, not its folder
            return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        os.fchmod(fd, stat.S_IMODE(mode) if mode else 0o666 & ~_umask())
        return fd

    def write(self, page: Page, dpi: float) -> None:
        """Write the page; raises Unwritable, with the place where it is. dpi: 0 if unknown."""
        try:
            image = page.to_bytes(self._format, dpi=dpi)
        except ValueError as exc:
            kept = _rescue(page.to_bytes("png", dpi=dpi), ".png")
            raise Unwritable(f"{self.name}: {exc}; {kept}") from exc
        try:
            self._put(image)
        except BrokenPipeError:
            raise
        except OSError as exc:
            kept = _rescue(image, f".{self._format}")
            raise Unwritable(f"{self.name}: {exc.strerror}; {kept}") from exc

    def _put(self, image: bytes) -> None:
        if self._overwrites:
            os.ftruncate(self._fd, 0)
        _write(self._fd, image)
        fd, self._fd = self._fd, -1
        os.close(fd)  # some file systems say only now that they are full
        if self._temporary:
            os.replace(self._temporary, self._path)
            self._temporary = ""


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _rescue(image: bytes, ending: str) -> str:
    """Keep the page in the folder for temporary files; return what has become of it."""
    path = ""
    try:
        fd, path = tempfile.mkstemp(ending, "pysane-scan-")
        with open(fd, "wb", buffering=0) as file:
            _write(file.fileno(), image)
    except OSError as exc:
        if path:
            os.unlink(path)
        return f"the page is lost: {tempfile.gettempdir()}: {exc.strerror}"
    return f"the page is kept in {path}"
