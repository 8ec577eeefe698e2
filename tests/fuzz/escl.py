"""What the fuzzer tries on eSCL: documents of scanners, announcements, lines of escl.conf, names.

The first byte chooses what the rest is taken for. Whatever capabilities are taken make a device
whose options can be set, and whose job is a document that can be read.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sane.backends._driverless import names
from sane.backends._driverless.choice import Formats
from sane.backends._driverless.device import DriverlessDevice
from sane.backends._driverless.request import Request
from sane.backends._driverless.xml import parse
from sane.backends.escl import capabilities, settings, status
from sane.backends.escl.conf import Conf
from sane.backends.escl.location import job_path
from sane.backends.escl.multipart import first_image
from sane.backends.escl.places import announced
from sane.discovery.service import Service, read_texts
from sane.errors import SaneError
from sane.handle import Handle
from sane.testing.escl import Model, Profile, Range, Source, Writing, feeder_model
from sane.testing.escl import status as emulated_status
from sane.testing.escl.capabilities import document
from sane.testing.escl.presets import PRESETS
from sane.testing.escl.scanner import Scanner
from sane.transport.url import Url

FORMATS = Formats(("image/jpeg", "image/png", "image/tiff", "image/bmp", "application/pdf"))
POSTED = Url.parse("http://192.0.2.7:8080/eSCL/ScanJobs")
ROOT = "http://192.0.2.7/eSCL/"
ADDRESSES = ("192.0.2.7", "2001:db8::7", "fe80::7%2", "127.0.0.1")


def use_capabilities(data: bytes) -> None:
    found = capabilities.read(data, has_duplex=len(data) % 2 == 1)
    assert found.beds and found.model and found.vendor is not None
    for text in (found.vendor, found.model, found.serial):
        assert text.isprintable() and len(text.encode()) <= 128
    handle = Handle(DriverlessDevice(found, FORMATS))
    try:
        for source in found.beds:
            use_source(handle, source)
    finally:
        handle.close()


def use_source(handle: Handle, source: str) -> None:
    device: Any = handle.device
    option = DriverlessDevice.source
    handle.set(option.index, option.encode(source))
    for index in range(1, len(handle.options)):
        with suppress(SaneError):
            handle.get(index)
    assert handle.parameters().pixels_per_line > 0
    use_request(device.request())


def use_request(request: Request) -> None:
    width, lines = request.sent_px()
    left, top = request.skipped_px()
    assert 0 <= left <= width and 0 <= top <= lines
    for is_reduced in (False, True):
        body = settings.build(request, is_reduced=is_reduced)
        assert b"\n" not in body and parse(body).name == "ScanSettings"
    settings.can_be_reduced(request)


def use_status(data: bytes) -> None:
    found = status.read(data)
    for is_feeder in (False, True):
        found.fault(is_feeder)
    found.definite()
    found.job("/eSCL/ScanJobs/1")


def use_location(data: bytes) -> None:
    path = job_path(data.decode("utf-8", "surrogateescape"), POSTED)
    assert path.startswith("/") and ".." not in path.partition("?")[0].split("/")


def use_announcements(data: bytes) -> None:
    """Each line is an announcement: instance, and texts behind tabs."""
    services = []
    for number, line in enumerate(data.split(b"\n")[:64]):
        instance, *texts = line.decode("utf-8", "surrogateescape").split("\t")
        address = ADDRESSES[number % len(ADDRESSES)]
        service = Service("box.local", 1 + number, address, instance, read_texts(texts))
        service.type = "_uscans._tcp" if number % 3 else "_uscan._tcp"
        services.append(service)
    taken = set()
    for place in announced(services, Conf()):
        assert place.name not in taken and place.endpoints
        taken.add(place.name)
        assert all(text.isprintable() and text for text in place.vendor_and_model)
        assert place.type.endswith("scanner")


def use_lines(data: bytes) -> None:
    conf = Conf()
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        with suppress(SaneError):
            conf.read(line.strip())
    conf.refuses("Acme S1", "Box", ADDRESSES)


def use_names(data: bytes) -> None:
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        with suppress(SaneError):
            found = names.parse(line)
            assert found is None or found.url or found.uuid or found.instance


def use_parts(data: bytes) -> None:
    assert len(first_image(data)) <= len(data)


KINDS = (
    use_capabilities,
    use_status,
    use_location,
    use_announcements,
    use_lines,
    use_names,
    use_parts,
)


def check(data: bytes) -> None:
    """Take *data* for what its first byte says."""
    if not data:
        return
    with suppress(SaneError):
        KINDS[data[0] % len(KINDS)](data[1:])


def seeds() -> dict[str, bytes]:
    """Return capabilities of known and odd devices, and one of everything else."""
    models = {name: make().model for name, make in PRESETS.items() if name != "example"}
    small = Source(profiles=[Profile(("RGB24", "BlackAndWhite1"), ("image/jpeg",), (75, 300))])
    models["small"] = Model(platen=small, ranges={"Brightness": Range(-5, 5)})
    ranged = Source(profiles=[Profile(resolutions=(75, 600), syntax="range-empty", ref="p")])
    models["range"] = Model(platen=ranged, has_urls=False)
    found = {f"caps-{name}": b"\0" + text_of(model) for name, model in models.items()}
    found["caps-prefixes"] = b"\0" + text_of(feeder_model(), prefixes="other")
    found["caps-doctype"] = b"\0" + text_of(models["small"], doctype="<!doctype x>\n")
    scanner = Scanner(feeder_model(), sheets=1)
    found["status"] = b"\1" + emulated_status.document(scanner)
    found["location"] = b"\2http://[fe80/eSCL/ScanJobs/urn:uuid:1"
    uuid = "uuid=1c852a4d-b800-1f08-abcd-0123456789ab"
    texts = f"ty=Acme S1\trs=/eSCL/\t{uuid}\tis=platen,adf\tduplex=T\tusb_HWID=03f0c511"
    found["announced"] = b"\3" + f"Box\t{texts}\nBox\t{texts}\nBox (2)\tRS=\tty=".encode()
    lines = 'quirk model="A*" host=port retries=9\nblacklist ip 192.0.2.0/24\nhttps never\n'
    found["conf"] = b"\4" + lines.encode()
    name_lines = ("http://[fe80::1%25eth0]:8080/x", "airscan:e0:Box", "unix:/run/x:http://h/y")
    found["names"] = b"\5" + "\n".join((*name_lines, "uuid:" + uuid[5:], "wsd:A:http://h")).encode()
    found["parts"] = b"\6--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--b--\r\n"
    return found


def text_of(model: Model, **writing: Any) -> bytes:
    return Writing(**writing).document(document(model, ROOT))
