"""An emulated WS-Scan device, and our backend that knows of it."""

from __future__ import annotations

from pathlib import Path

from sane.backend import Context
from sane.backends.wsd import Backend
from sane.config import Environment
from sane.handle import Handle
from sane.testing.escl.pixels import reference
from sane.testing.wsd import Emulator, Scanner
from tests.support.handles import put

WIDTH, LINES = 96, 60  # of the area that is scanned, at 75 dpi


class Desk:
    """A device on the network, our backend, and handles on it."""

    def __init__(
        self, scanner: Scanner | None = None, *, folder: Path | None = None, conf: str = ""
    ) -> None:
        self.scanner = scanner or Scanner(formats=("png",))
        self.device = Emulator(self.scanner)
        self.handles: list[Handle] = []
        if folder is not None:
            (folder / "wsd.conf").write_text(conf)
        self.backend = Backend(
            "wsd", Context(Environment({"SANE_CONFIG_DIR": str(folder or "/nonexistent")}))
        )
        self.backend.init()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def open(self, name: str = "", **options: object) -> Handle:
        """Return a handle with WIDTH x LINES pixels at 75 dpi, and *options*."""
        handle = Handle(self.backend.open_device(name or self.device.url))
        self.handles.append(handle)
        first = {"source": "Flatbed", "resolution": 75, "mode": "Color"}
        area = {"tl_x": 0, "tl_y": 0, "br_x": 25.4 * WIDTH / 75, "br_y": 25.4 * LINES / 75}
        for attribute, value in {**first, **area, **options}.items():
            put(handle, attribute, value)
        return handle

    def close(self) -> None:
        for handle in self.handles:
            handle.close()
        self.backend.exit()
        self.device.close()


def pixels(mode: str = "RGB24", side: int = 0, left: int = 0, top: int = 0, dpi: int = 75) -> bytes:
    """Return what a page shows: WIDTH x LINES pixels at *left*, *top*."""
    return reference(mode, dpi, (left, top, WIDTH, LINES), side)
