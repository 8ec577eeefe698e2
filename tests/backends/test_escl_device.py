"""eSCL on an emulated scanner: exchanges, feeder, sizes; rows of specification escl 10."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sane import errors
from sane.backends.escl import job
from sane.backends.escl.device import Escl
from sane.const import FRAME_GRAY, FRAME_RGB
from sane.testing.escl import Delivery, Profile, Range, Reply, Scanner, Sheet
from sane.testing.escl.presets import PRESETS
from tests.support.escl import LINES, PNG, WIDTH, Desk, both_formats, png_model, without_pauses
from tests.support.handles import page, put, read

OPENED = "GET capabilities 200"
BEGUN = ["GET status 200", "POST jobs 201"]
LONG = 10.0


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


def feeder(sheets: int = 3) -> Scanner:
    return Scanner(png_model(), sheets=sheets)


def sent(desk: Desk, number: int = 0) -> str:
    """Return the body of a POST."""
    return desk.log.of("jobs")[number].request.body.decode()


def value(text: str, name: str) -> str:
    found = re.search(rf"<\w+:{name}>([^<]*)</", text)
    return found.group(1) if found else ""


# Exchanges


def test_row_11_headers_are_few() -> None:
    with Desk() as desk:
        page(desk.open())
        desk.log.wait_for("delete")
        port = desk.device.address[1]
        for exchange in desk.log.exchanges:
            headers = dict(exchange.request.headers)
            assert headers.pop("host") == f"localhost:{port}"
            assert headers.pop("connection") == "close"
            if exchange.request.method == "POST":
                assert headers.pop("content-type") == "text/xml"
                assert int(headers.pop("content-length")) == len(exchange.request.body)
            assert headers == {}
        assert len({exchange.connection for exchange in desk.log.exchanges}) == len(
            desk.log.exchanges
        )


def test_row_12_a_strict_scanner_takes_the_job() -> None:
    scanner = feeder()
    scanner.jobs.rules = ("order", "root", "elements", "ext", "type", "whole")
    with Desk(scanner) as desk:
        page(desk.open(source="ADF Duplex", scan_intent="Photo"))
        assert not scanner.refusals
        assert "\n" not in sent(desk)


def test_a_flatbed_page_is_asked_for_drained_and_deleted() -> None:
    with Desk() as desk:
        handle = desk.open(mode="Gray")
        handle.start()
        params = handle.parameters()
        assert (params.format, params.depth) == (FRAME_GRAY, 8)
        assert (params.pixels_per_line, params.lines) == (WIDTH, LINES)
        assert len(read(handle)) == WIDTH * LINES
        desk.log.wait_for("delete")
        assert desk.log.names() == [
            OPENED,
            *BEGUN,
            "GET document 200",
            "GET document 404",
            "DELETE delete 404",
        ]


def test_row_18_and_21_feeder_pages_come_in_their_order_until_it_is_empty() -> None:
    with Desk(feeder(2)) as desk:
        handle = desk.open(source="ADF Duplex")
        pages = []
        for _ in range(4):
            pages.append(page(handle))
            handle.cancelled()  # frontends do so behind every page
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert len(set(pages)) == 4
        desk.log.wait_for("delete")
        assert desk.log.names() == [
            OPENED,
            *BEGUN,
            *["GET document 200"] * 4,
            "GET document 404",
            "GET status 200",
            "DELETE delete 404",
        ]
        desk.scanner.load(1)
        assert page(handle)


def test_row_18_410_ends_a_feeder_job_as_404_does() -> None:
    scanner = feeder(1)
    scanner.pages.end = 410
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()


@pytest.mark.parametrize("code", [404, 410])
def test_row_18_a_first_page_that_is_not_there(code: int) -> None:
    scanner = feeder(1)
    with Desk(scanner) as desk:
        scanner.script("document", code)
        with pytest.raises(errors.DeviceIOError, match=str(code)):
            desk.open().start()
        scanner.script("document", code)
        with pytest.raises(errors.NoDocs):
            desk.open(source="ADF").start()


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("ScannerAdfJam", errors.Jammed),
        ("ScannerAdfHatchOpen", errors.CoverOpen),
        ("ScannerAdfEmpty", errors.NoDocs),
        ("ScannerAdfLoaded", errors.DeviceIOError),
        ("Something", errors.DeviceIOError),
    ],
)
def test_row_19_409_is_what_the_feeder_says(state: str, error: type[errors.SaneError]) -> None:
    scanner = feeder()
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        scanner.script("document", None, 409)
        scanner.status.adf_states = ["ScannerAdfLoaded", state]
        page(handle)
        with pytest.raises(error):
            handle.start()


def test_row_19_a_refused_job_is_what_the_feeder_says_or_bad_settings() -> None:
    scanner = feeder()
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        scanner.script("jobs", 409, 409)
        scanner.status.adf_states = ["ScannerAdfLoaded", "ScannerAdfJam"]
        with pytest.raises(errors.Jammed):
            handle.start()
        scanner.script("jobs", *[409] * 3)
        scanner.status.adf_states = ["ScannerAdfLoaded"] * 9
        with pytest.raises(errors.Invalid, match="refuses these settings"):
            handle.start()


@pytest.mark.parametrize(
    ("state", "error"),
    [
        *((f"ScannerAdf{word}", errors.NoDocs) for word in ("Processing", "Empty", "Loaded", "X")),
        ("ScannerAdfJam", errors.Jammed),
        ("ScannerAdfMultipickDetected", errors.Jammed),
        ("ScannerAdfDoorOpen", errors.CoverOpen),
    ],
)
def test_row_20_the_feeder_behind_the_last_page(state: str, error: type[errors.SaneError]) -> None:
    scanner = feeder(1)
    scanner.status.state = "Processing"
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF")
        scanner.status.adf_states = ["ScannerAdfLoaded", state]
        page(handle)
        with pytest.raises(error):
            handle.start()


def test_row_21_other_options_end_the_job_and_begin_another() -> None:
    with Desk(feeder(9)) as desk:
        handle = desk.open(source="ADF")
        page(handle)
        handle.cancelled()
        put(handle, "mode", "Gray")
        handle.start()
        assert handle.parameters().format == FRAME_GRAY
        read(handle)
        assert len(desk.log.of("jobs")) == 2
        assert str(desk.log.of("delete")[0]) == "DELETE delete 200"


def test_row_21_a_cancel_amid_a_page_deletes_the_job() -> None:
    scanner = feeder(9)
    scanner.pages.delivery = Delivery(rate=20_000)
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF", br_x=200.0, br_y=200.0)
        handle.start()
        handle.read(memoryview(bytearray(10)))
        handle.cancelled()
        assert str(desk.log.wait_for("delete")) == "DELETE delete 200"
        assert len(desk.log.of("delete")) == 1
        scanner.pages.delivery = Delivery()
        put(handle, "br_y", 20.0)
        page(handle)


def test_row_22_one_delete_whatever_is_answered() -> None:
    for code in (200, 204, 301, 404, 500):
        scanner = feeder(1)
        scanner.jobs.delete, scanner.jobs.delete_location = code, "https://192.0.2.1/"
        with Desk(scanner) as desk:
            page(desk.open())
            desk.log.wait_for("delete")
            page(desk.open())
            desk.log.wait_for("delete", 2)
            assert desk.log.names().count(f"DELETE delete {code}") == 2


@pytest.mark.parametrize("framing", ["sized", "chunked", "closed"])
def test_row_23_bodies_in_three_ways(framing: str) -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        whole = page(desk.open())
        scanner.pages.delivery = Delivery(framing=framing)
        assert page(desk.open()) == whole


@pytest.mark.parametrize(
    "delivery",
    [
        Delivery(framing="sized", declared=100),
        Delivery(framing="chunked", has_end=False),
    ],
)
def test_row_23_a_body_that_breaks_off_ends_in_an_error_behind_its_lines(
    delivery: Delivery,
) -> None:
    scanner = Scanner(png_model())
    scanner.pages.delivery = delivery
    with Desk(scanner) as desk:
        handle = desk.open(br_x=100.0, br_y=100.0)
        handle.start()
        view, taken = memoryview(bytearray(1 << 20)), 0
        with pytest.raises(errors.DeviceIOError):
            while True:
                taken += handle.read(view)
        assert 0 < taken < handle.parameters().frame_bytes
        handle.cancelled()
        desk.log.wait_for("delete")
        scanner.pages.delivery = Delivery()
        page(desk.open())


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "image/tiff", "x"])
def test_row_24_the_first_bytes_tell_what_a_page_is(content_type: str) -> None:
    scanner = Scanner(png_model())
    scanner.pages.delivery = Delivery(content_type=content_type)
    with Desk(scanner) as desk:
        assert len(page(desk.open())) == WIDTH * LINES * 3


@pytest.mark.parametrize("framing", ["sized", "chunked"])
def test_row_23_a_connection_that_is_reset_amid_a_page(framing: str) -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        handle = desk.open(br_x=100.0, br_y=100.0)
        scanner.pages.delivery = Delivery(framing=framing, reset_at=5000)
        with pytest.raises(errors.DeviceIOError):  # what came before may be lost with it
            page(handle)
        handle.cancelled()
        desk.log.wait_for("delete")


def test_a_page_in_several_parts() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        whole = page(desk.open())
        scanner.pages.delivery = Delivery(is_multipart=True)
        assert page(desk.open()) == whole


def test_an_empty_body_is_an_error_first_and_the_end_later() -> None:
    scanner = feeder(2)
    with Desk(scanner) as desk:
        scanner.pages.deliveries = [Delivery(is_empty=True)]
        with pytest.raises(errors.DeviceIOError, match="no bytes"):
            desk.open(source="ADF").start()
        scanner.load(2)
        scanner.pages.deliveries = [Delivery(), Delivery(is_empty=True)]
        handle = desk.open(source="ADF")
        page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()


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


# The feeder


def test_an_empty_feeder_is_told_before_the_job_where_it_knows() -> None:
    with Desk(feeder(0)) as desk:
        with pytest.raises(errors.NoDocs):
            desk.open(source="ADF").start()
        assert not desk.log.of("jobs")


def test_a_feeder_that_only_says_to_be_empty_is_tried() -> None:
    scanner = feeder(1)
    scanner.model.adf_options = ()
    scanner.status.adf_state = "ScannerAdfEmpty"
    with Desk(scanner) as desk:
        page(desk.open(source="ADF"))


def test_a_flatbed_is_tried_whatever_the_status_says() -> None:
    for state, document in (("Down", None), ("Processing", None), ("", b"<broken")):
        scanner = Scanner(png_model())
        scanner.status.state, scanner.status.document = state, document
        with Desk(scanner) as desk:
            page(desk.open())


def test_some_pages_of_the_feeder_and_no_more() -> None:
    with Desk(feeder(9)) as desk:
        handle = desk.open(source="ADF", page_count=2)
        page(handle)
        page(handle)
        with pytest.raises(errors.NoDocs):
            handle.start()
        assert str(desk.log.wait_for("delete")) == "DELETE delete 200"
        assert len(desk.log.of("document")) == 2


def test_a_page_ends_where_its_sheet_does_if_that_is_wanted() -> None:
    scanner = feeder(0)
    scanner.load(2, 120, 120)
    with Desk(scanner) as desk:
        handle = desk.open(source="ADF", mode="Gray", adf_crop=True, br_y=100.0)
        handle.start()
        assert handle.parameters().lines == -1
        assert len(read(handle)) == WIDTH * 30
        desk.log.wait_for("delete")  # all sheets were drawn in
        scanner.load(1, 120)
        handle = desk.open(source="ADF", mode="Gray", br_y=100.0)
        handle.start()
        lines = handle.parameters().lines
        data = read(handle)
        assert len(data) == WIDTH * lines and set(data[WIDTH * 31 :]) == {255}


def test_the_jobs_own_document() -> None:
    scanner = Scanner(both_formats(png_model()))
    scanner.model.platen.profiles = [Profile(formats=("image/jpeg", PNG))]  # type: ignore[union-attr]
    with Desk(scanner) as desk:
        handle = desk.open()
        handle.start("image/jpeg")
        data = read(handle)
        assert data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")
        assert value(sent(desk), "DocumentFormat") == "image/jpeg"


def test_a_document_of_another_type_is_refused() -> None:
    with Desk() as desk, pytest.raises(errors.Unsupported):
        desk.open().start("image/jpeg")


# Sizes


def test_row_27_a_small_window_is_cut_out_of_a_larger_one() -> None:
    scanner = Scanner(png_model())
    scanner.model.platen.min_width = scanner.model.platen.min_height = 1200  # type: ignore[union-attr]
    with Desk(scanner) as desk:
        whole = desk.open(mode="Gray", br_x=215.0, br_y=290.0)
        whole.start()
        width = whole.parameters().pixels_per_line
        rows = read(whole)
        handle = desk.open(mode="Gray")
        put(handle, "br_x", 215.9)
        put(handle, "tl_x", 200.0)
        handle.start()
        assert value(sent(desk, 1), "Width") == value(sent(desk, 1), "Height") == "1200"
        assert value(sent(desk, 1), "XOffset") == "1350"
        small = handle.parameters().pixels_per_line
        data = read(handle)
        left = round((1350 + 1012) * 75 / 300)
        for line in (0, 20):
            assert (
                data[line * small : line * small + 40]
                == rows[line * width + left : line * width + left + 40]
            )


@pytest.mark.parametrize(("more_px", "more_lines"), [(-1, -1), (3, 7), (0, -60)])
def test_row_29_a_page_has_the_promised_size(more_px: int, more_lines: int) -> None:
    size: dict[str, Any] = {"mode": "Gray", "br_x": 61.0, "br_y": 61.0}
    with Desk() as desk:
        exact = page(desk.open(**size))
        desk.scanner.pages.more_px, desk.scanner.pages.more_lines = more_px, more_lines
        handle = desk.open(**size)
        handle.start()
        width, lines = handle.parameters().pixels_per_line, handle.parameters().lines
        data = read(handle)
        assert len(data) == len(exact) == width * lines
        if more_px < 0:
            assert set(data[width - 1 :: width]) == {255}
        if more_lines < -1:
            assert set(data[width * (lines - 59) :]) == {255}


def test_row_29_another_resolution_than_asked_is_scaled() -> None:
    scanner = Scanner(png_model())
    with Desk(scanner) as desk:
        scanner.pages.scale = 0.5
        data = page(desk.open(mode="Gray", resolution=150, br_x=60.0, br_y=60.0))
        assert len(data) == 355 * 355
        assert set(data[-355:]) != {255}


def test_row_30_line_art_is_made_of_gray_and_black_is_1() -> None:
    with Desk() as desk:
        gray = page(desk.open(mode="Gray"))
        handle = desk.open(mode="Lineart")
        handle.start()
        params = handle.parameters()
        assert (params.format, params.depth, params.bytes_per_line) == (FRAME_GRAY, 1, 12)
        bits = read(handle)
        for line in range(LINES):
            for x in range(WIDTH):
                bit = bits[12 * line + x // 8] >> (7 - x % 8) & 1
                assert bit == (gray[WIDTH * line + x] < 128)


def test_row_30_color_is_rgb() -> None:
    with Desk() as desk:
        handle = desk.open()
        handle.start()
        assert handle.parameters().format == FRAME_RGB
        assert len(read(handle)) == WIDTH * LINES * 3


def test_row_31_sixteen_bits() -> None:
    scanner = Scanner(png_model(("RGB24", "RGB48", "Grayscale8", "Grayscale16")))
    with Desk(scanner) as desk:
        handle = desk.open(mode="Gray", depth=16)
        handle.start()
        assert handle.parameters().depth == 16
        assert len(read(handle)) == 2 * WIDTH * LINES
        assert value(sent(desk), "ColorMode") == "Grayscale16"


# Adjustments


def test_adjustments_are_the_scanners_where_it_has_them_and_ours_else() -> None:
    scanner = Scanner(png_model(ranges={"Brightness": Range(0, 10, 5), "Sharpen": Range(-3, 3, 0)}))
    with Desk(scanner) as desk:
        plain = page(desk.open(mode="Gray"))
        assert "Brightness" not in sent(desk) and "Sharpen" not in sent(desk)
        handle = desk.open(mode="Gray", brightness=100, sharpen=2, contrast=-100)
        data = page(handle)
        assert (value(sent(desk, 1), "Brightness"), value(sent(desk, 1), "Sharpen")) == ("10", "2")
        assert "Contrast" not in sent(desk, 1)
        assert set(data) <= {127, 128, 255} and data != plain
        negative = page(desk.open(mode="Gray", negative=True))
        assert bytes(255 - sample for sample in negative) == plain


def test_a_preview_is_coarse() -> None:
    with Desk() as desk:
        handle = desk.open(resolution=300, preview=True)
        handle.start()
        assert handle.parameters().pixels_per_line == WIDTH
        read(handle)
        assert value(sent(desk), "XResolution") == "75" and value(sent(desk), "Intent") == "Preview"


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
