"""The emulated eSCL scanner: what hosts ask and get, its jobs, its feeder, what it tells."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from sane.testing.escl import Delivery, Emulator, Reply, Scanner, feeder_model
from sane.testing.escl.knobs import LOCATIONS
from sane.testing.escl.model import JPEG, PDF, PNG, Model, Profile, Source
from sane.testing.escl.pixels import grid, reference
from tests.support.escl_host import ask, begin, page, png_pixels, post, ticket

FORMATS = (JPEG, PNG, PDF)
MODES = ("BlackAndWhite1", "Grayscale8", "RGB24", "Grayscale16", "RGB48")


def model() -> Model:
    profile = Profile(MODES, FORMATS, (75, 150))
    return feeder_model(
        **{name: Source(profiles=(profile,)) for name in ("platen", "adf", "duplex")}
    )


@pytest.fixture
def device() -> Iterator[Emulator]:
    with Emulator(Scanner(model())) as emulator:
        yield emulator


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_page_of_the_glass(device: Emulator) -> None:
    assert "<pwg:MakeAndModel>Example ScanBox 100" in ask(device, "GET", "ScannerCapabilities").text
    assert "<pwg:State>Idle" in ask(device, "GET", "ScannerStatus").text
    job = begin(device)
    answer = page(device, job)
    assert (answer.status, answer.header("Content-Type")) == (200, PNG)
    assert png_pixels(answer.body) == reference("Grayscale8", 75, (0, 0, 30, 20))
    assert page(device, job).status == 404
    assert ask(device, "DELETE", job).status == 404  # it is over
    assert device.log.names() == [
        "GET capabilities 200",
        "GET status 200",
        "POST jobs 201",
        "GET document 200",
        "GET document 404",
        "DELETE delete 404",
    ]
    assert device.log.of("document")[0].sent == len(answer.body)


@pytest.mark.parametrize("mode", MODES)
def test_a_page_in_every_mode(device: Emulator, mode: str) -> None:
    answer = page(device, begin(device, ticket(mode=mode, dpi=150, size=(122, 34))))
    assert png_pixels(answer.body) == reference(mode, 150, (0, 0, 61, 17))


def test_a_feeder_gives_side_after_side_and_ends_idle(device: Emulator) -> None:
    device.scanner.load(2)
    assert "ScannerAdfLoaded" in ask(device, "GET", "ScannerStatus").text
    job = begin(device, ticket("Feeder", extra="<scan:Duplex>true</scan:Duplex>"))
    for side in range(4):
        pixels = png_pixels(page(device, job).body)
        assert pixels == reference("Grayscale8", 75, (0, 0, 30, 20), side)
        told = ask(device, "GET", "ScannerStatus").text
        assert "<pwg:State>Processing" in told and "ScannerAdfProcessing" in told
        assert f"<pwg:ImagesCompleted>{side + 1}" in told
    assert page(device, job).status == 404
    told = ask(device, "GET", "ScannerStatus").text
    assert "<pwg:State>Idle" in told and "ScannerAdfEmpty" in told and "Completed</pwg:Job" in told


def test_a_short_sheet_is_a_short_page(device: Emulator) -> None:
    device.scanner.load(1, 40)
    answer = page(device, begin(device, ticket("Feeder")))
    assert png_pixels(answer.body) == reference("Grayscale8", 75, (0, 0, 30, 10))


def test_an_empty_feeder_ends_at_once(device: Emulator) -> None:
    assert page(device, begin(device, ticket("Feeder"))).status == 404
    assert "Aborted" in ask(device, "GET", "ScannerStatus").text


@pytest.mark.parametrize(
    ("fault", "state"), [("is_jammed", "AdfJam"), ("is_cover_open", "AdfDoorOpen")]
)
def test_a_fault_of_the_feeder_between_pages(device: Emulator, fault: str, state: str) -> None:
    device.scanner.load(2)
    job = begin(device, ticket("Feeder"))
    assert page(device, job).status == 200
    setattr(device.scanner, fault, True)
    assert page(device, job).status == 409
    assert state in ask(device, "GET", "ScannerStatus").text
    assert post(device, ticket("Feeder")).status == 409
    assert post(device).status == 201  # the glass is well


def test_one_job_at_a_time_and_delete_ends_it(device: Emulator) -> None:
    job = begin(device)
    busy = post(device)
    assert (busy.status, busy.header("Retry-After")) == (503, "2")
    assert ask(device, "DELETE", job).status == 200
    assert page(device, job).status == 404
    assert "Canceled" in ask(device, "GET", "ScannerStatus").text
    begin(device)


def test_a_job_that_nobody_asks_for_is_given_up(device: Emulator) -> None:
    begin(device)
    device.scanner.timing.job = 0.0
    begin(device)
    assert "Aborted" in ask(device, "GET", "ScannerStatus").text


def test_a_page_that_broke_off_is_sent_again(device: Emulator) -> None:
    device.scanner.pages.deliveries = [Delivery(reset_at=100)]
    device.scanner.load(1)
    job = begin(device, ticket("Feeder"))
    with pytest.raises(OSError):
        page(device, job)
    assert not device.log.wait_for("document").is_whole
    assert png_pixels(page(device, job).body) == reference("Grayscale8", 75, (0, 0, 30, 20))


def test_a_second_request_for_a_page_that_is_being_sent(device: Emulator) -> None:
    device.scanner.timing.page = 30.0
    job = begin(device)
    broken = []

    def get() -> None:
        with pytest.raises((OSError, HTTPException)):
            page(device, job)
        broken.append(True)

    other = threading.Thread(target=get)
    other.start()
    until(lambda: device.log.of("document")[0].sent > 0 if device.log.of("document") else False)
    assert page(device, job).status == 503
    assert "Processing" in ask(device, "GET", "ScannerStatus").text
    assert ask(device, "DELETE", job).status == 200  # breaks the page off
    other.join(10)
    assert broken == [True]


def test_a_feeder_runs_on_by_itself_and_tells_how_long_it_waited(device: Emulator) -> None:
    device.scanner.timing.page = 0.1
    device.scanner.load(4)
    job = begin(device, ticket("Feeder"))
    start = time.monotonic()
    page(device, job)
    assert time.monotonic() - start >= 0.09
    time.sleep(0.6)  # a slow host: the third page waits whole, the fourth cannot begin
    for _ in range(3):
        assert page(device, job).status == 200
    first, second, third = device.scanner.feeder_waits
    assert first == 0.0 and second < third and third > 0.2


def test_scripted_answers_come_first(device: Emulator) -> None:
    device.scanner.script("jobs", 503, Reply(503, headers={"Retry-After": "1"}), None)
    assert [post(device).status for _ in range(3)] == [503, 503, 201]


def test_what_status_tells_is_scripted(device: Emulator) -> None:
    knobs = device.scanner.status
    knobs.states, knobs.adf_states = ["Stopped"], ["ScannerAdfMispick", ""]
    told = [ask(device, "GET", "ScannerStatus").text for _ in range(3)]
    assert "Stopped" in told[0] and "Mispick" in told[0]
    assert "Idle" in told[1] and "AdfState" not in told[1]
    assert "ScannerAdfEmpty" in told[2]


@pytest.mark.parametrize("form", LOCATIONS)
def test_the_place_of_a_job(device: Emulator, form: str) -> None:
    device.scanner.jobs.location = form
    place = post(device).header("Location")
    path = "/eSCL/ScanJobs/0b8c7d0e-6b0b-4c51-8d3e-000000000001"
    host, port = device.address
    expected = {
        "path": path,
        "absolute": f"http://{host}:{port}{path}",
        "wrong-host": f"http://scanner.invalid:{port}{path}",
        "wrong-port": f"http://{host}:1{path}",
        "other-host": f"http://192.0.2.1{path}",
        "https": f"https://{host}:443{path}",
        "relative": path.removeprefix("/eSCL/"),
        "slash": f"{path}/",
        "scheme": f"//{host}:{port}{path}",
        "host-header": f"http://{host}:{port}{path}",
        "usb": f"http://HPDJ2540:80{path}",
        "broken-ipv6": f"http://[fe80{path}",
        "empty": "",
        "missing": None,
        "long": f"{path}/{'x' * 2000}",
        "dots": f"{path}/../../../secret",
    }
    assert place == expected[form]


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("root", ticket(), ticket().replace(b" xmlns:scan", b"\nxmlns:scan")),
        ("ext", ticket(), ticket().replace(b"scan:DocumentFormatExt", b"scan:Unknown")),
        ("elements", ticket(), ticket(extra="<scan:Unknown>1</scan:Unknown>")),
        ("elements", ticket(), ticket().replace(b"pwg:InputSource", b"scan:InputSource")),
        ("elements", ticket(), ticket(extra="<scan:ColorMode>RGB24</scan:ColorMode>")),
        ("order", ticket(extra="<scan:Sharpen>1</scan:Sharpen>"), ticket(extra="<scan:Intent/>")),
        ("whole", ticket(), ticket(size=(2551, 80))),
        ("whole", ticket(), ticket().replace(b"pwg:XOffset", b"pwg:Other")),
    ],
)
def test_strict_rules(device: Emulator, rule: str, good: bytes, bad: bytes) -> None:
    device.scanner.jobs.rules = (rule,)
    ask(device, "DELETE", begin(device, good))
    assert post(device, bad).status in (400, 409)
    device.scanner.jobs.rules = ()
    begin(device, bad)


def test_settings_that_are_left_out_have_defaults(device: Emulator) -> None:
    body = b'<ScanSettings xmlns="http://schemas.hp.com/imaging/escl/2011/05/03"/>'
    device.scanner.model.platen = Source(profiles=(Profile(MODES, FORMATS, (300,)),))
    begin(device, body)
    job = device.scanner.history[0].settings
    assert (job.mode, job.mime, job.x_dpi, job.is_feeder) == ("Grayscale8", JPEG, 300, False)
    assert (job.width, job.height) == (2550, 3508)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<ScanSettings", 400),
        (b"<Other/>", 400),
        (ticket("Camera"), 409),
        (ticket(mode="RGB4"), 409),
        (ticket(dpi=76), 409),
        (ticket(mime="image/webp"), 409),
        (ticket().replace(b">75<", b">x<"), 400),
    ],
)
def test_settings_that_make_no_sense(device: Emulator, body: bytes, status: int) -> None:
    assert post(device, body).status == status


def test_the_size_of_an_image_is_told(device: Emulator) -> None:
    size = "<scan:ImageWidth>30</scan:ImageWidth><scan:ImageHeight>20</scan:ImageHeight>"
    assert size in ask(device, "PUT", "ScanBufferInfo", ticket()).text
    job = begin(device)
    assert ask(device, "GET", f"{job}/ScanImageInfo").status == 404
    device.scanner.pages.more_lines = -1
    page(device, job)
    assert "<scan:ActualHeight>19<" in ask(device, "GET", f"{job}/ScanImageInfo").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Nothing", 404),
        ("GET", "/other/ScannerStatus", 404),
        ("GET", "ScanJobs", 405),
        ("POST", "ScannerStatus", 405),
        ("GET", "ScanJobs/77/NextDocument", 404),
        ("DELETE", "ScanJobs/77", 404),
        ("GET", "ScannerIcon", 200),
        ("HEAD", "ScannerCapabilities", 200),
    ],
)
def test_other_requests(device: Emulator, method: str, path: str, status: int) -> None:
    assert ask(device, method, path).status == status


def test_a_picture_on_the_glass(device: Emulator) -> None:
    device.scanner.page = grid
    pixels = png_pixels(page(device, begin(device, ticket(size=(400, 400)))).body)
    assert pixels == reference("Grayscale8", 75, (0, 0, 100, 100), page=grid)
    assert set(pixels) == {0, 255}


def test_a_connection_is_kept(device: Emulator) -> None:
    with socket.create_connection(device.address, 10) as link:
        head = f"GET /eSCL/ScannerStatus HTTP/1.1\r\nHost: {device.address[0]}\r\n\r\n".encode()
        for _ in range(2):
            link.sendall(head)
            data = b""
            while b"</scan:ScannerStatus>\n" not in data:
                data += link.recv(4096)
    assert [exchange.connection for exchange in device.log.exchanges] == [0, 0]


def test_on_a_unix_socket(tmp_path: Path) -> None:
    with Emulator(Scanner(), str(tmp_path / "socket")) as device:
        assert ask(device, "GET", "ScannerStatus").status == 200


@pytest.mark.parametrize(
    "data", [b"\r\n\r\n", b"GET / FTP/1\r\n\r\n", b"GET / HTTP/1.1\r\nx\r\n\r\n"]
)
def test_garbage_is_refused(device: Emulator, data: bytes) -> None:
    with socket.create_connection(device.address, 10) as link:
        link.sendall(data)
        assert link.recv(100).startswith(b"HTTP/1.1 400")
