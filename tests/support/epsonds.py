"""An emulated epsonds scanner on the network, and our library that knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sane import errors
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.handle import Handle
from sane.testing.esci2 import Bed, Model, Scanner
from sane.testing.esci2.parameters import Parameters as ScannerParameters
from tests.peers.epsonds import serve

NAMES = ["", "", "source", "mode", "depth", "resolution", "", "tl-x", "tl-y", "br-x", "br-y"]
NAMES += ["", "eject", "load", "adf-skew", "adf-crp"]
FEEDER = Bed(850, 1400, features=("DPLX", "SKEW", "CRP", "LOAD", "EJCT"))
MM = 65536


class Desk:
    """A scanner on the network, and our library that knows of it."""

    def __init__(self, folder: Path) -> None:
        self.scanner = Scanner(Model(feeder=FEEDER, formats=("RAW",)))
        self.server = serve(self.scanner)
        self.name = f"net:{self.server.address[0]}"
        self.folder = folder
        (folder / "epsonds.conf").write_text(f"net {self.server.address[0]}\n")
        environment = Environment({"SANE_CONFIG_DIR": str(folder), "SANE_DEBUG_EPSONDS": "1"})
        self.registry = registry_for("epsonds", Context(environment))
        self.handles: list[Handle] = []

    def open(self, **options: object) -> Handle:
        """Return a handle with 30 x 20 mm at 100 dpi, and *options*."""
        handle = self.registry.open(self.name)
        self.handles.append(handle)
        settings = {"resolution": 100, "br-x": 30 * MM, "br-y": 20 * MM, **options}
        for name, value in settings.items():
            set_option(handle, name.replace("_", "-"), value)
        return handle

    def close(self) -> None:
        for handle in self.handles:
            handle.close()
        self.registry.exit()
        self.server.close()

    def works_again(self) -> None:
        """Check that the scanner is usable after close and open."""
        for handle in self.handles:
            handle.close()
        self.handles.clear()
        self.scanner.scripted.clear()
        self.scanner.is_silent = self.scanner.is_cancel_pressed = False
        handle = self.open(mode="Gray")
        handle.start()
        assert len(read(handle)) == 112 * 79


def set_option(handle: Handle, name: str, value: Any) -> None:
    """Set an option by its name."""
    option = handle.descriptor(NAMES.index(name))
    raw = memoryview(bytearray(4)).cast("i")
    if isinstance(value, str):
        handle.set(option.index, value.encode() + b"\0")
    else:
        raw[0] = value
        handle.set(option.index, bytes(raw))


def read(handle: Handle, room: int = 5000) -> bytes:
    """Return a frame, read by pieces of *room* bytes."""
    view, out = memoryview(bytearray(room)), b""
    while True:
        try:
            n = handle.read(view)
        except errors.EndOfFrame:
            return out
        out += view[:n]


def rows(scanner: Scanner, lines: int, side: int = 0) -> bytes:
    """Return what the scanner has sent, without the protocol."""
    parameters = scanner.parameters
    assert isinstance(parameters, ScannerParameters)
    return b"".join(parameters.rows(scanner.page, lines, side))
