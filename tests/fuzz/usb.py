"""What the fuzzer tries on USB: descriptors of any device, and the three formats of a capture.

The first byte chooses: descriptors, our text, the XML of sanei_usb, or a usbmon capture.
"""

from __future__ import annotations

from pathlib import Path

from sane.record import BadSession
from sane.usb.captures import parse_capture
from sane.usb.descriptors import Descriptors, scanner_interface
from sane.usb.session import RecordedDevice, device_lines, parse
from sane.usb.usbmon import parse_pcap

DATA = Path(__file__).resolve().parent.parent / "data" / "usb"


def descriptors(data: bytes) -> None:
    try:
        found = Descriptors(data)
    except ValueError:
        return  # not even a device descriptor: it is not listed
    for configuration in range(4):
        scanner_interface(found, configuration)
        for interface in found.active(configuration):
            repr(interface)


def text(data: bytes) -> list[RecordedDevice]:
    return parse(data.decode("utf-8", "replace").splitlines(), "fuzz")


def check(data: bytes) -> None:
    """Read *data*; whatever it is, it ends in devices or in one error."""
    if not data:
        return
    kind, content = data[0] % 4, data[1:]
    if kind == 0:
        descriptors(content)
        return
    try:
        if kind == 1:
            found = text(content)
        elif kind == 2:
            found = parse_capture(content, "fuzz")
        else:
            found = parse_pcap(content, "fuzz", (0x1234, 1))
    except BadSession:
        return
    for device in found:
        assert list(device_lines(device))


def seeds() -> dict[str, bytes]:
    """Return a device's descriptors, and the beginning of a capture of each format."""
    import gzip

    recorded = gzip.decompress((DATA / "page-session.usb.gz").read_bytes())
    raw = bytes.fromhex(
        "12010002ffffff40b8041a010001010203010902200001010002320904000002ff"
        "ffff0007058102000200070502020002 00".replace(" ", "")
    )
    return {
        "descriptors": b"\0" + raw,
        "text": b"\1" + b"\n".join(recorded.splitlines()[:40]) + b"\n",
        "xml": b"\2" + (DATA / "loopback-sanei.xml").read_bytes()[:3000],
        "pcap": b"\3" + (DATA / "page-usbmon.pcap").read_bytes()[:3000],
    }
