"""WS-Scan devices, emulated: pages, feeders, faults, odd answers; rows of specification escl 10."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from sane import errors
from sane.backends.wsd.job import WARMING_TRIES, Job
from sane.backends.wsd.places import Finder
from sane.cancel import NeverCancelled
from sane.const import FRAME_GRAY, FRAME_RGB
from sane.testing.wsd import Beacon, Scanner
from sane.testing.wsd.multipart import MULTIPART
from tests.support.handles import page, put, read
from tests.support.wsd import LINES, WIDTH, Desk, pixels

NO_WAIT = NeverCancelled().wait


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "pause_seconds", 0.001)
    monkeypatch.setattr("sane.backends._driverless.device.DriverlessDevice.retry_seconds", 0.0)


def png(**settings: Any) -> Scanner:
    """Return a scanner that sends PNG alone: exact in every tree."""
    return Scanner(formats=("png",), **settings)


def value(ticket: ET.Element, path: str) -> str:
    return ticket.findtext(f".//{path}") or ""


# Pages


def test_wsd_a_page_of_the_flatbed() -> None:
    with Desk() as desk:
        handle = desk.open()
        assert page(handle) == pixels()
        parameters = handle.parameters()
        assert (parameters.format, parameters.depth) == (FRAME_RGB, 8)
        assert (parameters.pixels_per_line, parameters.lines) == (WIDTH, LINES)
        handle.cancelled()
        assert desk.scanner.asked == ["GetScannerElements", "CreateScanJob", "RetrieveImage"]


def test_wsd_gray_and_line_art() -> None:
    with Desk() as desk:
        handle = desk.open(mode="Gray")
        assert page(handle) == pixels("Grayscale8")
        assert handle.parameters().format == FRAME_GRAY
        handle.cancelled()
        put(handle, "mode", "Lineart")
        due = bytes(value ^ 255 for value in pixels("BlackAndWhite1"))  # SANE: 1 is black
        assert page(handle) == due
        assert value(desk.scanner.tickets[-1], "ColorProcessing") == "BlackAndWhite1"


@pytest.mark.parametrize("format", ["jfif", "png", "tiff-single-uncompressed", "dib"])
def test_wsd_every_format(format: str) -> None:
    package = {"jfif": "sane.image.jpeg", "png": "zlib"}.get(format, "PIL")
    pytest.importorskip(package, reason="cannot be read here")
    with Desk(Scanner(formats=(format,))) as desk:
        data = page(desk.open())
        assert len(data) == len(pixels())
        if format != "jfif":
            assert data == pixels()
        assert value(desk.scanner.tickets[0], "Format") == format


def test_row_52_the_region_is_always_all_and_cut_here() -> None:
    with Desk() as desk:
        handle = desk.open()
        for attribute, mm in {"br_x": 120, "br_y": 100, "tl_x": 60, "tl_y": 40}.items():
            put(handle, attribute, mm)
        handle.start()
        parameters = handle.parameters()
        size = parameters.pixels_per_line, parameters.lines
        data = read(handle)
        from sane.testing.escl.pixels import reference

        left, top = round(60 * 75 / 25.4), round(40 * 75 / 25.4)
        assert data == reference("RGB24", 75, (left, top, *size))
        ticket = desk.scanner.tickets[0]
        region = [value(ticket, f"ScanRegion/ScanRegion{name}") for name in
                  ("XOffset", "YOffset", "Width", "Height")]  # fmt: skip
        assert region == ["0", "0", "8500", "11700"]
        assert value(ticket, "InputMediaSize/Width") == "8500"
        assert value(ticket, "JobInformation")
        assert value(ticket, "ImagesToTransfer") == "1"


def test_wsd_intents_are_content_types() -> None:
    with Desk() as desk:
        page(desk.open(scan_intent="Text and Graphic"))
        assert value(desk.scanner.tickets[0], "ContentType") == "Mixed"


@pytest.mark.parametrize("swaps", [False, True])
def test_wsd_a_size_with_its_sides_swapped_is_turned(swaps: bool) -> None:
    scanner = png()
    scanner.knobs.swaps_size = swaps
    with Desk(scanner) as desk:
        device: Any = desk.open().device
        bed = device.bed
        assert (bed.most_width, bed.most_height) == (8500, 11700)


def test_wsd_headers_are_those_that_devices_expect() -> None:
    with Desk() as desk:
        desk.open()
        request = desk.device.requests[0]
        assert request.header("user-agent") == "WSDAPI"
        assert request.header("content-type").startswith("application/soap+xml")
        assert request.header("cache-control") == request.header("pragma") == "no-cache"


# Feeder


@pytest.mark.parametrize(("source", "sides"), [("ADF", 3), ("ADF Duplex", 6)])
def test_wsd_the_feeder_gives_all_its_sides(source: str, sides: int) -> None:
    with Desk(png(sheets=3)) as desk:
        handle = desk.open(source=source)
        for side in range(sides):
            assert page(handle) == pixels(side=side)
            handle.cancelled()  # as frontends do it between pages
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert desk.scanner.asked.count("CreateScanJob") == 1
        assert "CancelJob" not in desk.scanner.asked
        ticket = desk.scanner.tickets[0]
        assert value(ticket, "InputSource") == source.replace(" ", "")
        assert value(ticket, "ImagesToTransfer") == "0"
        assert (ticket.find(".//MediaBack") is not None) == (source == "ADF Duplex")


def test_wsd_ricoh_gets_a_number_of_images() -> None:
    with Desk(png(sheets=1, model="RICOH Aficio MP 201 [A1]")) as desk:
        page(desk.open(source="ADF"))
        assert value(desk.scanner.tickets[0], "ImagesToTransfer") == "100"


@pytest.mark.parametrize("fault", ["ClientErrorNoImagesAvailable", "ClientErrorJobIdNotFound"])
def test_wsd_the_end_of_the_feeder_is_told_in_two_ways(fault: str) -> None:
    scanner = png(sheets=1)
    scanner.knobs.end_fault = fault
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        page(handle)
        handle.cancelled()
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert desk.scanner.asked[-1] == "RetrieveImage"  # nothing else was asked


@pytest.mark.parametrize(
    ("hides", "has_back", "has_duplex"),
    [(False, True, True), (True, True, True), (False, False, True), (True, False, False)],
)
def test_wsd_duplex_is_known_by_its_flag_or_by_the_back(
    hides: bool, has_back: bool, has_duplex: bool
) -> None:
    scanner = png()
    scanner.knobs.hides_duplex, scanner.knobs.has_back = hides, has_back
    with Desk(scanner) as desk:
        device: Any = desk.open().device
        assert ("ADF Duplex" in device.capabilities.beds) is has_duplex


def test_wsd_a_cancel_amid_a_page_ends_the_job() -> None:
    with Desk(png(sheets=5)) as desk:
        handle = desk.open(source="ADF")
        handle.start()
        handle.read(memoryview(bytearray(100)))
        handle.cancelled()
        handle.close()
        desk.handles.clear()
        assert "CancelJob" in desk.scanner.asked  # the next sheet may have been asked for, too


def test_wsd_a_cancel_reaches_a_device_that_has_fallen_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sane.backends._driverless.job.PENDING_SECONDS", 0.2)
    scanner = png(sheets=5)
    scanner.knobs.stall_at = 20_000
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF", resolution=300)
        handle.start()
        began = monotonic()
        handle.cancelled()
        assert monotonic() - began < 5
        assert desk.scanner.asked[-1] == "CancelJob"
        scanner.knobs.stall_at = None
        assert len(page(handle)) > 0


# Faults


@pytest.mark.parametrize("status", [400, 500, 200])
@pytest.mark.parametrize(
    ("fault", "reasons", "state", "source", "error"),
    [
        ("OperationFailed", ["MediaJam"], "Stopped", "ADF", errors.Jammed),
        ("OperationFailed", ["MultipleFeedError"], "Stopped", "ADF", errors.Jammed),
        ("OperationFailed", ["None", "CoverOpen"], "Stopped", "Flatbed", errors.CoverOpen),
        ("OperationFailed", ["InterlockOpen"], "Stopped", "ADF", errors.CoverOpen),
        ("OperationFailed", ["InternalStorageFull"], "Stopped", "ADF", errors.NoMemory),
        ("OperationFailed", ["LampError"], "Stopped", "ADF", errors.DeviceIOError),
        ("OperationFailed", ["AttentionRequired"], "Stopped", "ADF", errors.DeviceBusy),
        ("OperationFailed", ["Paused"], "Idle", "ADF", errors.DeviceIOError),
        ("ServerErrorNotAcceptingJobs", [], "Idle", "ADF", errors.NoDocs),
        ("ServerErrorNotAcceptingJobs", [], "Processing", "ADF", errors.DeviceBusy),
        ("ServerErrorNotAcceptingJobs", [], "Idle", "Flatbed", errors.DeviceBusy),
        ("ClientErrorFormatNotSupported", [], "Idle", "Flatbed", errors.Invalid),
        ("InvalidArgs", [], "Idle", "Flatbed", errors.Invalid),
        ("ServerErrorInternalError", [], "Idle", "Flatbed", errors.DeviceIOError),
    ],
)
def test_row_54_faults_become_statuses(
    status: int, fault: str, reasons: list[str], state: str, source: str, error: type[Exception]
) -> None:
    scanner = png(sheets=1)
    knobs = scanner.knobs
    knobs.create_faults, knobs.reasons = [fault], reasons
    knobs.state, knobs.status = state, status
    with Desk(scanner) as desk:
        handle = desk.open(source=source)
        with pytest.raises(error):
            handle.start()
        assert desk.scanner.asked[-1] == "GetScannerElements"


def test_wsd_a_device_that_warms_up_is_asked_again() -> None:
    scanner = png()
    scanner.knobs.create_faults = ["OperationFailed"] * 5
    scanner.knobs.reasons = ["LampWarming"]
    with Desk(scanner) as desk:
        assert page(desk.open()) == pixels()


def test_wsd_a_device_that_warms_up_for_ever_is_busy() -> None:
    scanner = png()
    scanner.knobs.create_faults = ["OperationFailed"] * 1000
    scanner.knobs.reasons = ["Calibrating"]
    with Desk(scanner) as desk:
        with pytest.raises(errors.DeviceBusy):
            desk.open().start()
        assert desk.scanner.asked.count("CreateScanJob") == WARMING_TRIES


@pytest.mark.parametrize(("count", "is_good"), [(3, True), (4, False)])
def test_wsd_a_temporary_error_is_tried_again(count: int, is_good: bool) -> None:
    scanner = png()
    scanner.knobs.image_faults = ["ServerErrorTemporaryError"] * count
    with Desk(scanner) as desk:
        handle = desk.open()
        if is_good:
            assert page(handle) == pixels()
        else:
            with pytest.raises(errors.DeviceBusy):
                handle.start()


def test_wsd_an_image_that_is_cut_off_is_delivered_and_then_an_error() -> None:
    scanner = Scanner(formats=("png",))
    scanner.knobs.cut_at = 200_000
    with Desk(scanner) as desk:
        handle = desk.open(resolution=300, br_x=215, br_y=290)
        handle.start()
        out, view = bytearray(), memoryview(bytearray(1 << 16))
        with pytest.raises(errors.DeviceIOError):
            while n := handle.read(view):
                out += view[:n]
        assert len(out) > 0


# Images in parts


@pytest.mark.parametrize("form", MULTIPART)
def test_row_53_images_come_in_whatever_parts(form: str) -> None:
    scanner = png()
    scanner.knobs.multipart = form
    with Desk(scanner) as desk:
        assert page(desk.open()) == pixels()


# Finding


@pytest.mark.parametrize("tells_urls", [True, False])
def test_row_51_a_device_is_found_by_its_answer(tells_urls: bool) -> None:
    with Desk() as desk, Beacon(desk.device, tells_urls=tells_urls, port=0) as beacon:
        finder = Finder(desk.backend.network, desk.backend.debug, beacon.address[1])
        places = finder.search(NO_WAIT)
        assert [(place.name, place.vendor, place.model) for place in places] == [
            (desk.scanner.uuid, "Acme", "WS 100")
        ]
        assert [str(url) for url in places[0].urls] == [desk.device.url]
        assert places[0].serial == "0815"


def test_row_51_a_device_that_says_goodbye_is_forgotten() -> None:
    from sane.testing.wsd.matches import target
    from sane.testing.wsd.messages import DISCOVERY, envelope

    with Desk() as desk:
        finder = Finder(desk.backend.network, desk.backend.debug)
        told = target(desk.scanner.uuid, desk.device.device_url)
        finder.hear(envelope(f"{DISCOVERY}/Hello", f"<wsd:Hello>{told}</wsd:Hello>"), "127.0.0.1")
        finder.hear(b"garbage", "127.0.0.1")
        assert [place.uuid for place in finder.described()] == [desk.scanner.uuid.replace("-", "")]
        finder.hear(envelope(f"{DISCOVERY}/Hello", f"<wsd:Hello>{told}</wsd:Hello>"), "127.0.0.1")
        finder.hear(envelope(f"{DISCOVERY}/Bye", f"<wsd:Bye>{told}</wsd:Bye>"), "127.0.0.1")
        assert finder.described() == []


def test_wsd_a_device_that_names_another_host_is_not_asked_there() -> None:
    from sane.testing.wsd.matches import target
    from sane.testing.wsd.messages import DISCOVERY, envelope

    with Desk() as desk:
        finder = Finder(desk.backend.network, desk.backend.debug)
        told = target(desk.scanner.uuid, desk.device.device_url)
        finder.hear(envelope(f"{DISCOVERY}/Hello", f"<wsd:Hello>{told}</wsd:Hello>"), "127.0.0.2")
        assert finder.described() == []
        assert desk.device.requests == []


def test_row_51_a_host_that_is_known_otherwise_is_asked_directly() -> None:
    from sane.testing.wsd.emulator import DIRECT_PATH

    with Desk() as desk:
        host, port = desk.device.address
        finder = Finder(desk.backend.network, desk.backend.debug, direct_port=port)
        places = finder.ask_directly([host])
        assert [str(url) for url in places[0].urls] == [desk.device.url]
        assert desk.device.requests[0].target == DIRECT_PATH


def test_wsd_a_configured_scanner_is_listed_and_opened(tmp_path: Path) -> None:
    with Desk() as desk:
        url = desk.device.url
    with Desk(folder=tmp_path, conf="discovery off\n") as desk:
        (tmp_path / "wsd.conf").write_text(f"discovery off\n{desk.device.url}\n")
        desk.backend.init()
        found = desk.backend.list_devices(local_only=False)
        assert [device.name for device in found] == [desk.device.url] != [url]
        assert found[0].model == "WS 100"
        assert page(desk.open(found[0].name)) == pixels()


@pytest.mark.parametrize("form", ["wsd:Acme:{}", "airscan:wsd:Acme in the hall:{}"])
def test_wsd_names_of_airscan_with_an_address_are_understood(form: str) -> None:
    with Desk() as desk:
        assert page(desk.open(form.format(desk.device.url))) == pixels()


@pytest.mark.parametrize(
    "name", ["airscan:w1f:Acme in the hall", "airscan:w0:acme ws 100", "{uuid}", "uuid:{uuid}"]
)
def test_wsd_names_without_an_address_are_found(name: str, monkeypatch: Any) -> None:
    with Desk() as desk, Beacon(desk.device, port=0) as beacon:
        finder = Finder(desk.backend.network, desk.backend.debug, beacon.address[1])
        places = finder.search(NO_WAIT)
        monkeypatch.setattr(type(desk.backend), "discover", lambda _self, _wait: places)
        assert page(desk.open(name.format(uuid=desk.scanner.uuid))) == pixels()


def test_wsd_a_name_that_two_devices_have_is_refused_with_both(monkeypatch: Any) -> None:
    other = "4f1d3c52-0f3e-4b7a-9c40-2f6f0d3a9e22"
    with Desk() as one, Desk(png(uuid=other)) as two:
        places = []
        for desk in (one, two):
            with Beacon(desk.device, port=0) as beacon:
                finder = Finder(desk.backend.network, desk.backend.debug, beacon.address[1])
                places += finder.search(NO_WAIT)
        monkeypatch.setattr(type(one.backend), "discover", lambda _self, _wait: places)
        with pytest.raises(errors.Invalid, match=f"{one.scanner.uuid}.* or .*{other}"):
            one.open("airscan:w0:Acme in the hall")
        with pytest.raises(errors.Invalid, match="is not found"):
            one.open("airscan:w0:Nobody")


def test_row_55_a_scanner_that_speaks_escl_as_well_is_listed_as_such() -> None:
    from sane.backend import DeviceInfo
    from sane.backends.wsd.places import WsdPlace
    from sane.dll.merge import merge
    from sane.transport.url import Url

    with Desk() as desk:
        place = WsdPlace(desk.scanner.uuid, [Url.parse("http://192.0.2.7:5358/scan")])
        wsd = desk.backend.listed(place, "Acme", "WS 100")
    escl = DeviceInfo("other", "Acme", "S1 MFP", "scanner", uuid="1" * 32, host="192.0.2.7")
    elsewhere = DeviceInfo("third", "Acme", "S1 MFP", "scanner", uuid="2" * 32, host="192.0.2.8")
    listed = [("wsd:x", wsd), ("escl:other", escl), ("escl:third", elsewhere)]
    assert [device.name for device in merge(listed, on_usb=[])] == ["other", "third"]
