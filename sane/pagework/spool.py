"""Pages on their way into a file: on disk, compressed, so that 500 need no more memory than 5.

It knows bytes and facts of pages, and neither steps nor output. Its folder is the user's alone and
is removed at the end, unless its pages could not be written: then they are files that any program
opens. Source: specification python-api-and-cli 12.9.
"""

from __future__ import annotations

import os

from .encode import ENDINGS
from .newfile import remove
from .problem import PageWorkError, output_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Any

    from .encode import Picture
    from .sheet import Sheet

BIG_TEMPORARY = "/var/tmp"  # on disk where /tmp lies in memory
SMALL_TEMPORARY = "/tmp"


class SpooledPage:
    """One page in the spool, and what is known of it.

    kind, width, height, channels, depth, dpi: of its picture, see encode. number, side, mode: of
    the page. facts: of the steps. problem: why a step failed, the page is then as it was scanned;
    None otherwise. path: its file, "" if the disk took no more and *data* is in memory. size: in
    bytes.
    """

    __slots__ = (
        *("channels", "data", "depth", "dpi", "facts", "height", "kind", "mode", "number", "path"),
        *("problem", "seconds", "side", "size", "spool", "width"),
    )

    def __init__(self, spool: Spool, sheet: Sheet, picture: Picture, path: str) -> None:
        self.spool = spool
        self.number, self.side, self.mode = sheet.number, sheet.side, sheet.mode
        self.facts: dict[str, Any] = sheet.facts
        self.problem: PageWorkError | None = None
        self.seconds = 0.0
        self.kind, self.channels, self.depth = picture.kind, picture.channels, picture.depth
        self.width, self.height, self.dpi = picture.width, picture.height, picture.dpi
        self.path = path
        self.data = b"" if path else picture.data
        self.size = len(picture.data)

    @property
    def is_blank(self) -> bool:
        """Whether a step found it blank."""
        return bool(self.facts.get("is_blank"))

    def read(self) -> bytes:
        """Return the picture; raises PageWorkError if it cannot be read."""
        if not self.path:
            return self.data
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except OSError as exc:
            raise output_error(self.path, exc, "cannot read back") from exc

    def to_dict(self) -> dict[str, Any]:
        """Return what the command line's JSON says of a page."""
        return {
            "number": self.number,
            "side": self.side,
            "width": self.width,
            "height": self.height,
            "dpi": list(self.dpi),
            "mode": self.mode,
            "blank": self.facts.get("is_blank"),
            "skew": self.facts.get("skew"),
            "seconds": round(self.seconds, 3),
        }


class Spool:
    """A folder of pages; a context manager, which removes it at the end. Any thread may add.

    folder: where to make it; by default TMPDIR, else /var/tmp.
    """

    def __init__(self, folder: str | None = None) -> None:
        import tempfile
        from itertools import count
        from weakref import finalize

        place = folder or os.environ.get("TMPDIR") or ""
        if not place:
            usable = os.access(BIG_TEMPORARY, os.W_OK | os.X_OK)
            place = BIG_TEMPORARY if usable else tempfile.gettempdir()
        try:
            self.folder = tempfile.mkdtemp(prefix="pysane-", dir=place)  # its mode is 0700
        except OSError as exc:
            raise output_error(place, exc, "cannot keep pages in") from exc
        self.trouble: PageWorkError | None = None  # why pages are in memory
        self._in_memory: dict[str, SpooledPage] = {}
        self._count = count(1)
        self._finalizer = finalize(self, _remove, self.folder)

    def add(self, sheet: Sheet, picture: Picture) -> SpooledPage:
        """Keep a page; where the disk takes no more it stays in memory, and trouble says why."""
        name = f"page-{next(self._count):05}.{ENDINGS[picture.kind]}"
        path = os.path.join(self.folder, name)
        try:
            write_new(path, picture.data)
        except OSError as exc:
            self.trouble = output_error(self.folder, exc, "cannot keep more pages in")
            self.trouble.hint = "free some space there, or name another folder in TMPDIR"
            path = ""
        page = SpooledPage(self, sheet, picture, path)
        if not path:
            self._in_memory[name] = page
        return page

    def file(self, name: str) -> str:
        """Return the path for a temporary file of the caller's, which goes with the spool."""
        return os.path.join(self.folder, name)

    def keep(self, *places: str) -> tuple[list[str], int]:
        """Leave all pages as files when the spool is closed; return their folders.

        Pages that are in memory are written where there is room now: into the spool's folder,
        without what was put together there, or into a new one in one of *places*, the usual ones
        first. The number is of pages that found none, and are lost.
        """
        self._finalizer.detach()
        for name in _files(self.folder):
            if not name.startswith("page-"):
                remove(os.path.join(self.folder, name))
        folders = [self.folder]
        for name, page in list(self._in_memory.items()):
            for folder in _rooms(folders, places):
                path = os.path.join(folder, name)
                try:
                    write_new(path, page.data)
                except OSError:
                    continue
                page.path, page.data = path, b""
                del self._in_memory[name]
                break
        kept = [folder for folder in folders if _files(folder)]
        for folder in folders:
            if folder not in kept:
                _remove(folder)
        return kept, len(self._in_memory)

    def close(self) -> None:
        """Remove the folder, unless it is to be kept."""
        self._finalizer()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def write_new(path: str, data: bytes) -> None:
    """Write a file that only the user may read, and that was not there; or none. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb", closefd=True) as file:
            file.write(data)
    except BaseException:
        os.unlink(path)
        raise


def _rooms(folders: list[str], places: Iterable[str]) -> Iterator[str]:
    """Yield *folders*, then new ones, which are added to them."""
    import tempfile

    yield from tuple(folders)
    for place in (BIG_TEMPORARY, SMALL_TEMPORARY, *places):
        if not any(os.path.dirname(folder) == place for folder in folders):
            try:
                made = tempfile.mkdtemp(prefix="pysane-", dir=place)
            except OSError:
                continue
            folders.append(made)
            yield made


def _files(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
