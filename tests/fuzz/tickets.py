"""What the fuzzer tries on a shared scanner: what eSCL's clients post.

A ticket that is taken asks for an area within the source, and for what the scanner has; whatever
is answered is a document that can be read.
"""

from __future__ import annotations

from sane.backends._driverless.xml import parse
from tests.fuzz.garbage import CORPUS


def check(data: bytes) -> None:
    """Take *data* for ScanSettings and for ScanBufferInfo."""
    from sane.web.config import EsclSettings
    from sane.web.encoders import FORMATS
    from sane.web.escl.settings import TicketError, parsed, ticket
    from sane.web.escl.status import buffer_info
    from sane.web.facts import Capabilities, Source

    numbers = (16, 16, 2550, 3508)
    sources = [
        Source("platen", "Flatbed", ("color", "gray", "lineart"), (8, 16), (75, 300), *numbers),
        Source("adf-duplex", "ADF Duplex", ("gray",), (8,), (100,), *numbers),
    ]
    facts = Capabilities(tuple(sources), encoded=("image/jpeg",))
    for root in ("ScanSettings", "ScanBufferInfo"):
        try:
            asked = parsed(data, root)
            inner = asked if root == "ScanSettings" else asked.find("ScanSettings")
            if inner is None:
                continue
            found = ticket(inner, facts, EsclSettings())
        except TicketError as exc:
            assert exc.status in (400, 409) and str(exc)
            continue
        wanted = found.settings
        source = facts.source(wanted.source)
        assert 0 <= wanted.left < wanted.left + wanted.width <= source.max_width
        assert 0 <= wanted.top < wanted.top + wanted.height <= source.max_height
        assert wanted.dpi in source.resolutions and wanted.mode in source.modes
        assert found.format in FORMATS and 1 <= found.quality <= 100
        assert parse(buffer_info(found)).value("ScanSettings", "InputSource")


def seeds() -> dict[str, bytes]:
    """Return the tickets of the recorded clients."""
    folder = CORPUS.parents[1] / "data" / "escl_clients"
    found = {}
    for path in folder.glob("*.txt"):
        text = path.read_bytes()
        at = text.index(b"<?xml")
        body = text[at : text.index(b"\n%%\n", at)]
        found[path.stem] = body
        inner = body.partition(b"?>")[2]
        found[f"{path.stem}-buffer"] = b"<ScanBufferInfo>" + inner + b"</ScanBufferInfo>"
    return found
