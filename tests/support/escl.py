"""An emulated eSCL scanner, and our backend that knows of it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sane.backend import Context
from sane.backends.escl import Backend
from sane.backends.escl.job import Job
from sane.backends.escl.service import Service
from sane.config import Environment
from sane.handle import Handle
from sane.testing.escl import Emulator, Model, Profile, Scanner, feeder_model
from tests.support.handles import put

JPEG, PNG = "image/jpeg", "image/png"  # PNG is for trees that are not compiled
MODES = ("RGB24", "Grayscale8")
QUICK_SECONDS = 0.01
WIDTH, LINES = 96, 60  # of the area that is scanned, at 75 dpi


def both_formats(model: Model) -> Model:
    """Return *model*, whose pages come as PNG, too."""
    for source in (model.platen, model.adf, model.duplex):
        for profile in () if source is None else source.profiles:
            if PNG not in profile.formats:
                profile.formats = (*profile.formats, PNG)
    return model


def png_model(modes: tuple[str, ...] = MODES, **settings: object) -> Model:
    """Return a model with a duplex feeder that sends PNG alone: exact in every tree."""
    model = feeder_model(**settings)
    for source in (model.platen, model.adf, model.duplex):
        if source is not None:
            source.profiles = [Profile(modes, (PNG,))]
    return model


class Desk:
    """A scanner on the network, our backend, and a handle on it."""

    def __init__(
        self,
        scanner: Scanner | None = None,
        *,
        folder: Path | None = None,
        conf: str = "",
        authorize: Callable[[str], tuple[str, str]] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        **variables: str,
    ) -> None:
        self.scanner = scanner or Scanner(png_model())
        self.device = Emulator(self.scanner, host=host, tls=tls)
        self.log = self.device.log
        self.handles: list[Handle] = []
        if folder is not None:
            (folder / "escl.conf").write_text(conf)
        environment = Environment({"SANE_CONFIG_DIR": str(folder or "/nonexistent"), **variables})
        self.backend = Backend("escl", Context(environment, authorize))
        self.backend.init()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def open(self, name: str = "", **options: object) -> Handle:
        """Return a handle with WIDTH x LINES pixels at 75 dpi, and *options*."""
        handle = Handle(self.backend.open_device(name or self.device.url))
        self.handles.append(handle)
        area = {"br_x": 25.4 * WIDTH / 75, "br_y": 25.4 * LINES / 75}
        for attribute, value in {"source": "Flatbed", "resolution": 75, **options}.items():
            if attribute not in area:
                put(handle, attribute, value)
        for attribute, value in {**area, **options}.items():
            if attribute in area:
                put(handle, attribute, value)
        return handle

    def close(self) -> None:
        for handle in self.handles:
            handle.close()
        self.backend.exit()
        self.device.close()


def without_pauses(monkeypatch: Any) -> None:
    """Let devices be asked again without the seconds in between."""
    monkeypatch.setattr(Job, "pause_seconds", QUICK_SECONDS)
    monkeypatch.setattr(Service, "pause_seconds", QUICK_SECONDS)
    monkeypatch.setattr("sane.backends._driverless.device.DriverlessDevice.retry_seconds", 0.0)


def sent(desk: Desk, number: int = 0) -> str:
    """Return the body of a POST."""
    return desk.log.of("jobs")[number].request.body.decode()


def value(text: str, name: str) -> str:
    """Return what the element *name* of a document has in it, "" if it is not there."""
    found = re.search(rf"<\w+:{name}>([^<]*)</", text)
    return found.group(1) if found else ""
