"""What an emulated eSCL scanner announces by DNS-SD. Source: specification escl, 1.2 and 1.6."""

from __future__ import annotations

from ..mdns import Announced
from .emulator import Emulator
from .model import LINEART, Model


def service(device: Emulator, name: str = "") -> Announced:
    """Return the service of *device*; name: of the instance, "": the model's."""
    host, port = device.address
    model = device.scanner.model
    kind = "_uscans._tcp" if device.scheme == "https" else "_uscan._tcp"
    addresses = () if host in ("0.0.0.0", "::") else (host,)
    return Announced(name or model.name, kind, port, texts(device), addresses=addresses)


def texts(device: Emulator) -> dict[str, str | None]:
    """Return the TXT record."""
    model = device.scanner.model
    sources = [source for source in (model.platen, model.adf, model.duplex) if source]
    profiles = [profile for source in sources for profile in source.profiles]
    formats = dict.fromkeys(mime for profile in profiles for mime in profile.formats)
    root = device.scanner.access.roots[0].strip("/")
    found: dict[str, str | None] = {
        "txtvers": "1",
        "vers": model.version,
        "pdl": ",".join(formats),
        "ty": model.name,
        "note": "emulated",
        "uuid": model.uuid,
        "rs": root,
        "cs": _colors(model),
        "is": ",".join(_sources(model)),
        "duplex": "T" if model.duplex else "F",
        "adminurl": f"{device.origin}/",
        "representation": f"{device.url}ScannerIcon",
    }
    if device.scanner.access.host == "proxy":  # as ipp-usb writes it
        found |= {"UUID": found.pop("uuid"), "usb_SER": model.serial, "usb_HWID": "03f0c511"}
    return found


def _colors(model: Model) -> str:
    sources = [source for source in (model.platen, model.adf, model.duplex) if source]
    modes = {mode for source in sources for p in source.profiles for mode in p.modes}
    names = {"RGB24": "color", "Grayscale8": "grayscale", LINEART: "binary"}
    return ",".join(name for mode, name in names.items() if mode in modes)


def _sources(model: Model) -> list[str]:
    return ["platen"] * (model.platen is not None) + ["adf"] * model.has_feeder
