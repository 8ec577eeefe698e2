"""eSCL on an emulated scanner: redirects, busy and refusing ones, models; rows of escl 10."""

from __future__ import annotations

import pytest

from sane import errors
from sane.backends.escl import job
from sane.backends.escl.device import Escl
from sane.testing.escl import Delivery, Profile, Range, Reply, Scanner, Sheet
from sane.testing.escl.presets import PRESETS
from tests.support.escl import (
    LINES,
    WIDTH,
    Desk,
    both_formats,
    png_model,
    sent,
    value,
    without_pauses,
)
from tests.support.handles import page


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


def feeder(sheets: int = 3) -> Scanner:
    return Scanner(png_model(), sheets=sheets)


# Redirects, jobs anywhere


@pytest.mark.parametrize(
    "location",
    [
        *("path", "absolute", "wrong-host", "wrong-port", "other-host", "https", "relative"),
        *("slash", "scheme", "host-header", "usb", "broken-ipv6"),
    ],
)
def test_row_15_every_location_leads_to_the_job(location: str) -> None:
    scanner = Scanner(png_model())
    scanner.jobs.location, scanner.jobs.id = location, "urn"
    with Desk(scanner) as desk:
        assert page(desk.open())


@pytest.mark.parametrize("location", ["empty", "missing", "long", "dots"])
def test_row_15_a_job_that_is_nowhere_is_an_error(location: str) -> None:
    scanner = Scanner(png_model())
    scanner.jobs.location = location
    with Desk(scanner) as desk, pytest.raises(errors.DeviceIOError):
        desk.open().start()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_row_16_all_requests_follow_the_redirected_capabilities(code: int) -> None:
    scanner = Scanner(png_model())
    scanner.access.roots.append("/other")
    with Desk(scanner) as desk:
        place = f"{desk.device.origin}/other/ScannerCapabilities"
        scanner.script("capabilities", Reply(code, headers={"Location": place}))
        page(desk.open())
        desk.log.wait_for("delete")
        assert all(e.request.target.startswith("/other/") for e in desk.log.exchanges[1:3])


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_row_16_a_redirected_job_is_asked_for_again_with_its_body(code: int) -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.script("jobs", Reply(code, headers={"Location": "/eSCL/ScanJobs"}))
        page(desk.open())
        assert sent(desk, 0) == sent(desk, 1)


def test_row_16_no_other_host_and_no_endless_way() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.access.redirects["capabilities"] = 302, "http://192.0.2.1/eSCL/ScannerCapabilities"
        with pytest.raises(errors.DeviceIOError, match="another host"):
            desk.open()
        scanner.access.redirects["capabilities"] = 302, "/eSCL/ScannerCapabilities"
        with pytest.raises(errors.DeviceIOError, match="more than 8 redirects"):
            desk.open()


# Busy


def test_row_17_a_busy_scanner_is_asked_eleven_times() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.script("jobs", 503, 503)
        page(desk.open())
        assert len(desk.log.of("jobs")) == 3
        scanner.script("jobs", *[503] * 20)
        with pytest.raises(errors.DeviceBusy, match="11 times"):
            desk.open().start()
        assert len(desk.log.of("jobs")) == 3 + 11


def test_row_17_a_page_that_is_not_ready_is_waited_for() -> None:
    scanner = Scanner(png_model())
    scanner.pages.not_ready = 29
    with Desk(scanner) as desk:
        page(desk.open())
        assert len(desk.log.of("document")) >= 30


def test_row_17_a_page_that_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "PATIENCE_SECONDS", 0.5)
    scanner = Scanner(png_model())
    scanner.pages.not_ready = 1 << 30
    with Desk(scanner) as desk:
        with pytest.raises(errors.DeviceBusy, match="no page"):
            desk.open().start()
        assert len(desk.log.of("document")) >= 31
        desk.log.wait_for("delete")


def test_row_17_retry_after_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.script("jobs", Reply(503, headers={"Retry-After": "1"}))
        page(desk.open())
        first, second = desk.log.of("jobs")
        assert second.at - first.at >= 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, errors.Invalid),
        (403, errors.AccessDenied),
        *((code, errors.DeviceIOError) for code in (404, 405, 410, 415, 500, 501)),
        (409, errors.Invalid),
    ],
)
def test_a_refused_job(code: int, error: type[errors.SaneError]) -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.script("jobs", *[code] * 3)
        with pytest.raises(error, match=str(code)):
            desk.open().start()
        assert desk.log.names()[1:4] == ["GET status 200", f"POST jobs {code}", "GET status 200"]


def test_a_refused_job_is_asked_for_once_more_with_less() -> None:
    scanner = Scanner(png_model(ranges={"CompressionFactor": Range(0, 100, 25)}))
    with Desk(scanner) as desk:
        scanner.script("jobs", 400)
        page(desk.open(scan_intent="Photo"))
        assert value(sent(desk, 0), "Intent") == "Photo"
        assert value(sent(desk, 0), "CompressionFactor") == "25"
        assert not value(sent(desk, 1), "Intent") and not value(sent(desk, 1), "CompressionFactor")


def test_an_error_that_passes_and_one_that_stays() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.script("document", 500, 500)
        page(desk.open())
        scanner.script("document", *[500] * 10)
        before = len(desk.log.of("document"))
        with pytest.raises(errors.DeviceIOError, match="500"):
            desk.open().start()
        assert len(desk.log.of("document")) - before in (6, 7)


def test_a_connection_that_is_lost_before_a_page_is_made_again_once() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.pages.deliveries = [Delivery(reset_at=0)]
        handle = desk.open()
        with pytest.raises(errors.DeviceIOError):
            page(handle)


# Quirks


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_row_32_a_page_of_every_preset(name: str) -> None:
    scanner = PRESETS[name]()
    both_formats(scanner.model)
    with Desk(scanner) as desk:
        page(desk.open())


def test_row_32_mf410_is_not_asked_when_its_feeder_is_empty() -> None:
    scanner = PRESETS["canon-mf410"]()
    both_formats(scanner.model).adf_options = ()
    with Desk(scanner) as desk:
        with pytest.raises(errors.NoDocs):
            desk.open(source="ADF").start()
        assert not scanner.is_jammed and not desk.log.of("jobs")


def test_row_32_xerox_b205_waits_at_404_and_gets_no_delete() -> None:
    scanner = PRESETS["xerox-b205"]()
    both_formats(scanner.model)
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        pages = len(scanner.sheets)
        for _ in range(pages):
            page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert not desk.log.of("delete")


def test_row_32_brother_is_not_asked_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job.Job, "pause_seconds", 1.0)
    scanner = PRESETS["brother"]()
    both_formats(scanner.model)
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        for _ in range(3):
            page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()


def test_row_32_all_of_the_bed_is_asked_for_where_parts_are_rescaled() -> None:
    scanner = Scanner(png_model(name="HP DeskJet 5000 series"))
    with Desk(scanner) as desk:
        assert len(page(desk.open(mode="Gray"))) == WIDTH * LINES
        assert (value(sent(desk), "Width"), value(sent(desk), "Height")) == ("2550", "3508")


def test_row_32_resolutions_that_fail_are_left_out() -> None:
    scanner = Scanner(png_model(name="Canon iR2625/2630"))
    with Desk(scanner) as desk:
        handle = desk.open()
        option = Escl.resolution
        assert max(handle.options.constraints[option.index]) == 300


def test_sheets_that_differ() -> None:
    scanner = feeder(0)
    scanner.sheets.extend([Sheet(height=60), Sheet()])
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF", mode="Gray")
        assert page(handle) != page(handle)


# Formats that nothing here reads


def test_a_source_of_which_nothing_can_be_read_is_left_out() -> None:
    model = png_model()
    assert model.adf is not None
    model.adf.profiles = [Profile(("RGB24",), ("application/octet-stream",))]
    with Desk(Scanner(model)) as desk:
        opened = desk.open().device
        assert isinstance(opened, Escl)
        assert list(opened.capabilities.beds) == ["Flatbed", "ADF Duplex"]


def test_a_scanner_of_which_nothing_can_be_read_says_what_is_missing() -> None:
    model = png_model()
    for bed in (model.platen, model.adf, model.duplex):
        assert bed is not None
        bed.profiles = [Profile(("RGB24",), ("application/octet-stream",))]
    with Desk(Scanner(model)) as desk, pytest.raises(errors.Unsupported, match="octet-stream"):
        desk.open()
