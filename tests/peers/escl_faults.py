"""Every fault of a device that specification escl, 8.2 names, with the status that it must lead to.

The table knows no program: test_escl_originals.py holds sane-airscan to its own column, which says
that the emulated faults are those of devices; test_escl_faults.py holds our backend to ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sane.testing.escl import Delivery, Reply, Scanner
from tests.peers.escl import Outcome

GOOD, NO_DOCS, IO_ERROR = "Success", "Document feeder out of documents", "Error during device I/O"
BUSY, INVAL, JAMMED = "Device busy", "Invalid argument", "Document feeder jammed"
COVER, DENIED = "Scanner cover is open", "Access to resource has been denied"
UNSUPPORTED = "Operation not supported"
_ERROR = re.compile(r"(?:sane_start|sane_read|sane_open|open of device \S+ failed): ([^\n]*)")

Setup = Callable[[Scanner], object]


class Fault(NamedTuple):
    """One fault: what it does to the scanner, and what comes of it.

    status: ours, by the specification. pages: that are delivered, whole or in part. airscan: the
    status of 0.99.27 where it differs, airscan_pages likewise; it forgets pages that came before a
    failure which it learns of early, so the feeder takes its time. sheets: in it; None: the glass
    is scanned. is_slow: it takes ten seconds or more.
    """

    name: str
    setup: Setup
    status: str
    pages: int = 0
    sheets: int | None = None
    airscan: str = ""
    airscan_pages: int = -1
    is_slow: bool = False


def status(outcome: Outcome) -> str:
    """Return the text of the status that ended a scan; the end of the feeder is one."""
    found = _ERROR.findall(outcome.stderr)
    return found[-1].strip() if found else GOOD


def script(resource: str, *answers: Reply | int | None) -> Setup:
    """Return a setup that lets the next requests be answered so."""
    return lambda scanner: scanner.script(resource, *answers)


def pages(**knobs: object) -> Setup:
    """Return a setup that changes how pages are."""

    def change(scanner: Scanner) -> None:
        for name, value in knobs.items():
            setattr(scanner.pages, name, value)

    return change


def body(**words: object) -> Setup:
    """Return a setup that lets the first page travel so."""
    delivery = Delivery(**words)  # type: ignore[arg-type]
    return lambda scanner: scanner.pages.deliveries.append(delivery)


def location(form: str) -> Setup:
    """Return a setup with such a Location."""
    return lambda scanner: setattr(scanner.jobs, "location", form)


def deleted(code: int) -> Setup:
    """Return a setup that answers a DELETE so."""
    return lambda scanner: setattr(scanner.jobs, "delete", code)


def feeder_fault(name: str) -> Setup:
    """Return a setup with such a fault of the feeder."""
    return lambda scanner: setattr(scanner, name, True)


def redirect(resource: str, code: int, place: str) -> Setup:
    """Return a setup with such a redirect; /second is another root of the service."""

    def change(scanner: Scanner) -> None:
        scanner.access.roots.append("/second")
        scanner.access.redirects[resource] = (code, place)

    return change


def state(adf: str = "", scanner_state: str = "") -> Setup:
    """Return a setup that tells such states for ever."""

    def change(scanner: Scanner) -> None:
        scanner.status.adf_state = adf or None
        scanner.status.state = scanner_state or None

    return change


def both(*setups: Setup) -> Setup:
    """Return a setup that is all of these."""
    return lambda scanner: [setup(scanner) for setup in setups]


def _jams_behind(scanner: Scanner) -> None:
    """Let the feeder jam when it draws in the second sheet."""
    scanner.script("document", None, 409)
    scanner.status.adf_states = ["ScannerAdfLoaded"]
    scanner.status.adf_state = "ScannerAdfJam"


def _senseless(scanner: Scanner) -> None:
    """Do not tell that the feeder knows whether there is paper in it."""
    scanner.model.adf_options = ("Duplex",)


def _moved_delete(scanner: Scanner) -> None:
    scanner.jobs.delete, scanner.jobs.delete_location = 301, "https://localhost:443/"


POSTS = [
    Fault("busy twice", script("jobs", 503, 503), GOOD, 1),
    Fault("busy for ever", script("jobs", *[503] * 40), BUSY, is_slow=True),
    Fault("bad request", script("jobs", *[400] * 3), INVAL, airscan=IO_ERROR),
    Fault("forbidden", script("jobs", *[403] * 3), DENIED, airscan=IO_ERROR),
    Fault("not found", script("jobs", *[404] * 3), IO_ERROR),
    Fault("conflict", script("jobs", *[409] * 3), INVAL, airscan=IO_ERROR),
    Fault("internal error", script("jobs", *[500] * 3), IO_ERROR),
    Fault("jam", feeder_fault("is_jammed"), JAMMED, sheets=1),
    Fault("cover", feeder_fault("is_cover_open"), COVER, sheets=1),
    Fault("no feeder paper", lambda scanner: None, NO_DOCS, sheets=0),
    *(Fault(f"location {form}", location(form), GOOD, 1) for form in (
        "path", "absolute", "relative", "slash", "scheme", "host-header",
    )),
    *(Fault(f"location {form}", location(form), GOOD, 1, airscan=IO_ERROR, airscan_pages=0)
      for form in ("wrong-host", "wrong-port", "other-host", "usb")),
    Fault("location empty", location("empty"), IO_ERROR),
    Fault("location missing", location("missing"), IO_ERROR),
    Fault("location broken", location("broken-ipv6"), GOOD, 1, airscan=IO_ERROR, airscan_pages=0),
    Fault("job ids with colons", lambda s: setattr(s.jobs, "id", "urn"), GOOD, 1),
    Fault("created is 200", lambda s: setattr(s.jobs, "created", 200), GOOD, 1,
          airscan=BUSY, airscan_pages=0),
    Fault("an echo", lambda s: setattr(s.jobs, "echoes", True), GOOD, 1),
    Fault("closed in the POST", script("jobs", Reply(201, b"x", "text/xml", {
        "Location": "/eSCL/ScanJobs/7"}, Delivery("sized", declared=9))), IO_ERROR),
]  # fmt: skip

PAGES = [
    Fault("not ready twice", pages(not_ready=2), GOOD, 1),
    Fault("platen 404", script("document", 404), IO_ERROR, airscan=BUSY),
    Fault("feeder 404", script("document", *[404] * 3), NO_DOCS, sheets=2),
    Fault("feeder ends with 410", pages(end=410), NO_DOCS, 2, 2),
    Fault("feeder ends with 409", pages(end=409), NO_DOCS, 2, 2),
    Fault("500 for ever", script("document", *[500] * 20), IO_ERROR,
          airscan=BUSY),
    *(Fault(f"framing {f}", body(framing=f), GOOD, 1) for f in ("sized", "chunked", "closed")),
    Fault("length too large", body(framing="sized", declared=500), IO_ERROR),
    Fault("no last chunk", body(framing="chunked", has_end=False), IO_ERROR),
    Fault("an empty page", body(is_empty=True), IO_ERROR),
    Fault("no type", body(content_type=""), GOOD, 1),
    Fault("another type", body(content_type="image/jpeg"), GOOD, 1),
    Fault("octets", body(content_type="application/octet-stream"), GOOD, 1),
    Fault("multipart", body(is_multipart=True), GOOD, 1, airscan=IO_ERROR, airscan_pages=0),
    Fault("a late page", body(delay=1.0), GOOD, 1),
    Fault("a smaller page", pages(more_px=-9, more_lines=-9), GOOD, 1),
    Fault("a larger page", pages(more_px=9, more_lines=9), GOOD, 1),
    Fault("half the resolution", pages(scale=0.5), GOOD, 1),
    Fault("jam behind the first page", _jams_behind, JAMMED, 1, 3),
]  # fmt: skip

STATES = [
    Fault("no status", script("status", *[500] * 9), GOOD, 1, airscan=IO_ERROR, airscan_pages=0),
    Fault(
        "broken status",
        lambda s: setattr(s.status, "document", b"<x"),
        GOOD,
        1,
        airscan=IO_ERROR,
        airscan_pages=0,
    ),
    Fault("busy state", state("", "Processing"), GOOD, 1),
    Fault("stopped state", state("", "Stopped"), GOOD, 1),
    Fault("always empty", both(_senseless, state("ScannerAdfEmpty")), NO_DOCS, 2, 2),
    Fault("empty, told by a sensor", state("ScannerAdfEmpty"), NO_DOCS, 0, 2, airscan_pages=2),
    Fault("always loaded", state("ScannerAdfLoaded"), NO_DOCS, 2, 2),
    Fault("always processing", state("ScannerAdfProcessing"), NO_DOCS, 2, 2),
    Fault("unknown state", state("ScannerAdfSleeps"), NO_DOCS, 2, 2),
    Fault("misspelt", state("ScannedAdfLoaded"), NO_DOCS, 2, 2),
    *(
        Fault(
            name,
            both(state(f"ScannerAdf{name}"), script("jobs", 409, 409)),
            known,
            sheets=2,
            airscan=airscan,
        )
        for name, known, airscan in (
            ("Jam", JAMMED, ""),
            ("Mispick", JAMMED, IO_ERROR),
            ("MultipickDetected", JAMMED, IO_ERROR),
            ("InputTrayFailed", JAMMED, IO_ERROR),
            ("DoorOpen", COVER, ""),
            ("HatchOpen", COVER, IO_ERROR),
            ("DuplexPageTooShort", JAMMED, IO_ERROR),
        )
    ),
]

ENDS = [
    *(Fault(f"DELETE {code}", deleted(code), GOOD, 1) for code in (200, 204, 404, 500)),
    Fault("DELETE is redirected", _moved_delete, GOOD, 1),
    Fault(
        "DELETE is dropped", script("delete", Reply(200, delivery=Delivery(reset_at=0))), GOOD, 1
    ),
]

PLACES = [
    *(
        Fault(f"capabilities {code}", redirect("capabilities", code, "/second/ScannerCapabilities"),
              GOOD, 1)
        for code in (301, 302, 307, 308)
    ),
    *(
        Fault(f"POST {code}", redirect("jobs", code, "/second/ScanJobs"), GOOD, 1)
        for code in (301, 302, 307, 308)
    ),
    Fault("a page is elsewhere", redirect("document", 302, "/nothing"), IO_ERROR, airscan=BUSY),
    Fault("capabilities without end", redirect("capabilities", 302, "/eSCL/ScannerCapabilities"),
          IO_ERROR),
    Fault("capabilities of another host",
          redirect("capabilities", 302, "http://192.0.2.1/eSCL/ScannerCapabilities"), IO_ERROR,
          is_slow=True),
    Fault("no capabilities", script("capabilities", *[404] * 9), IO_ERROR),
    Fault("capabilities fail", script("capabilities", *[500] * 9), IO_ERROR),
    Fault("broken capabilities", lambda s: setattr(s.writing, "verbatim", b"<x><y>"), IO_ERROR),
]  # fmt: skip

FAULTS = [*POSTS, *PAGES, *STATES, *ENDS, *PLACES]
