"""eSCL on an emulated scanner: exchanges and the feeder; rows of specification escl 10."""

from __future__ import annotations

import pytest

from sane import errors
from sane.const import FRAME_GRAY
from sane.testing.escl import Delivery, Profile, Scanner
from tests.support.escl import (
    LINES,
    PNG,
    WIDTH,
    Desk,
    both_formats,
    png_model,
    sent,
    value,
    without_pauses,
)
from tests.support.handles import page, put, read

OPENED = "GET capabilities 200"
BEGUN = ["GET status 200", "POST jobs 201"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


def feeder(sheets: int = 3) -> Scanner:
    return Scanner(png_model(), sheets=sheets)


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
