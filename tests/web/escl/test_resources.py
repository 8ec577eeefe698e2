"""The documents and resources of shared scanners: what stands in them, and who may do what."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from sane.backends.escl import capabilities as reader
from sane.backends.escl.schema import PWG, SCAN
from sane.web.config import ScannersSettings, ServerSettings, ShareSettings
from sane.web.encoders import JPEG, PDF, available
from sane.web.escl import icon
from sane.web.facts import Adjust, Source, Status
from tests.support.escl_client import HOST, looped, posted, served, settings
from tests.support.web import FakeScanner, source

CAPABILITIES = "/eSCL/ScannerCapabilities"
GLASS = (source(),)
FEEDER = (source("adf"),)
DUPLEX = (source(), source("adf-duplex"))


@looped
async def test_capabilities_have_the_adjustments_that_the_device_has(tmp_path: Path) -> None:
    bright = Adjust("brightness", -4, 3, 0, 1, ("gray",))
    threshold = Adjust("threshold", 0, 255, 128, 2, ("lineart",))
    glass = source(adjusts={"Threshold": threshold})
    feeder = source("adf", adjusts={"Brightness": bright, "Threshold": threshold})
    async with served(tmp_path, FakeScanner(sources=(glass, feeder))) as client:
        answer = await client.get(CAPABILITIES)
        kinds = [child.name for child in answer.xml.children][-3:]
        assert kinds == ["BrightnessSupport", "CompressionFactorSupport", "ThresholdSupport"]
        found = reader.read(answer.body).adjusts
        assert sorted(found) == ["Brightness", "Threshold"]
        scale = found["Threshold"]
        assert (scale.low, scale.high, scale.normal) == (0, 255, 128)


@looped
async def test_capabilities_have_what_clients_look_for(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        answer = await client.get(CAPABILITIES)
        assert answer.headers["content-type"] == "text/xml"
        assert int(answer.headers["content-length"]) == len(answer.body)
        text = answer.body.decode()
        assert "<scan:Platen><scan:PlatenInputCaps>" in text  # the first child, for sane-airscan
        assert f'xmlns:pwg="{PWG}" xmlns:scan="{SCAN}">\n' in text
        assert "ResolutionRange" not in text
        root = answer.xml
        assert root.value("Version") == "2.0"
        assert root.value("UUID") == "5a7e0000-0000-5000-8000-000000000001"
        assert root.value("MakeAndModel") == "Noname frontend-tester"
        assert root.value("SerialNumber").isalnum()
        assert root.value("IconURI") == f"http://{HOST}/eSCL/ScannerIcon"
        assert root.value("AdminURI") == f"http://{HOST}/"
        caps = root.find("Platen", "PlatenInputCaps")
        assert caps is not None and caps.value("MaxWidth") == "2550"
        profile = caps.find("SettingProfiles", "SettingProfile")
        assert profile is not None
        # The original escl reads the first list only: with PNG in it, it shows sheets upside down.
        usual = [PDF, JPEG] if JPEG in available() else list(available())
        assert profile.values("DocumentFormats", "DocumentFormat") == usual
        assert profile.values("DocumentFormats", "DocumentFormatExt") == list(available())
        modes = ["RGB24", "Grayscale8", "BlackAndWhite1", "RGB48", "Grayscale16"]
        assert profile.values("ColorModes", "ColorMode") == modes
        assert caps.values("SupportedIntents", "Intent")[0] == "Preview"
        feeder = root.find("Adf")
        assert feeder is not None
        assert [child.name for child in feeder.children][:2] == [
            "AdfSimplexInputCaps",
            "AdfDuplexInputCaps",
        ]
        assert feeder.values("AdfOptions", "AdfOption") == ["Duplex"]


@pytest.mark.parametrize(("is_true", "serial"), [(True, "K1 & 23"), (True, ""), (False, "K1 & 23")])
@looped
async def test_true_serial_numbers_are_told_where_that_is_wanted(
    is_true: bool, serial: str, tmp_path: Path
) -> None:
    scanner = FakeScanner()
    scanner.serial = serial
    given = ShareSettings(scanners=ScannersSettings(serial_numbers=is_true))
    async with served(tmp_path, scanner, settings=given) as client:
        told = (await client.get(CAPABILITIES)).xml.value("SerialNumber")
        assert told and (told == serial) == (is_true and bool(serial))


@looped
async def test_a_newer_version_lists_formats_twice(tmp_path: Path) -> None:
    async with served(tmp_path, version="2.63") as client:
        root = (await client.get(CAPABILITIES)).xml
        place = ("Platen", "PlatenInputCaps", "SettingProfiles", "SettingProfile")
        for name in ("DocumentFormat", "DocumentFormatExt"):
            assert root.values(*place, "DocumentFormats", name) == list(available())
        assert root.value("Version") == "2.63"


@pytest.mark.parametrize(
    ("sources", "parts"),
    [(GLASS, ["Platen"]), (FEEDER, ["Adf"]), (DUPLEX, ["Platen", "Adf"])],
)
@looped
async def test_only_what_is_there_is_listed(
    sources: tuple[Source, ...], parts: list[str], tmp_path: Path
) -> None:
    async with served(tmp_path, FakeScanner(sources=sources)) as client:
        root = (await client.get(CAPABILITIES)).xml
        assert [child.name for child in root.children if child.name in ("Platen", "Adf")] == parts
        if "Adf" in parts:
            assert root.find("Adf", "AdfSimplexInputCaps") is not None
        adf = (await client.status()).value("AdfState")
        assert bool(adf) == ("Adf" in parts)


@looped
async def test_our_own_client_reads_the_capabilities(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        found = reader.read((await client.get(CAPABILITIES)).body)
        assert list(found.beds) == ["Flatbed", "ADF", "ADF Duplex"]


@looped
async def test_names_of_scanners_inject_nothing(tmp_path: Path) -> None:
    evil = '</pwg:MakeAndModel><x a="1">&\'\x1b[2J'
    async with served(tmp_path, FakeScanner(model=evil)) as client:
        root = (await client.get(CAPABILITIES)).xml
        assert root.value("MakeAndModel") == 'Noname </pwg:MakeAndModel><x a="1">&\'[2J'


@looped
async def test_an_address_of_a_proxy_is_told(tmp_path: Path) -> None:
    given = ShareSettings(server=ServerSettings(base_url="https://scan.example.org/x"))
    async with served(tmp_path, settings=given) as client:
        root = (await client.get(CAPABILITIES)).xml
        assert root.value("IconURI") == "https://scan.example.org/x/eSCL/ScannerIcon"


@looped
async def test_other_scanners_are_at_their_uuids(tmp_path: Path) -> None:
    one, two = FakeScanner(1), FakeScanner(2)
    async with served(tmp_path, one, two) as client:
        for path, scanner in (("/eSCL", one), (f"/{one.id}", one), (f"/{two.id}", two)):
            root = (await client.get(f"{path}/ScannerCapabilities")).xml
            assert root.value("UUID") == scanner.id
        job = await client.post(settings(), f"/{two.id}")
        assert job.startswith(f"/{two.id}/ScanJobs/")
        assert (await client.page(job)).status == 200
        unknown = two.id[:-1] + "9"
        assert (await client.get(f"/{unknown}/ScannerStatus")).status == 404


@looped
async def test_each_scanner_has_its_own_port_where_that_is_wanted(tmp_path: Path) -> None:
    one, two = FakeScanner(1), FakeScanner(2)
    async with served(tmp_path, one, two) as client:
        client.app.state.context.ports[8090] = two.id
        assert (await client.get(CAPABILITIES)).xml.value("UUID") == two.id


@pytest.mark.parametrize(
    ("status", "state", "adf"),
    [
        (Status(), "Idle", "ScannerAdfLoaded"),
        (Status(feeder="empty"), "Idle", "ScannerAdfEmpty"),
        (Status(feeder="loaded", problem="no-documents"), "Idle", "ScannerAdfEmpty"),
        (Status(problem="jammed", feeder="loaded"), "Idle", "ScannerAdfJam"),
        (Status(problem="cover-open"), "Idle", "ScannerAdfDoorOpen"),
        (Status("busy", "simple-scan"), "Processing", "ScannerAdfLoaded"),
        (Status("unreachable"), "Stopped", "ScannerAdfLoaded"),
    ],
)
@looped
async def test_how_the_scanner_is(status: Status, state: str, adf: str, tmp_path: Path) -> None:
    scanner = FakeScanner()
    scanner.status = status
    async with served(tmp_path, scanner) as client:
        root = await client.status()
        assert (root.value("State"), root.value("AdfState")) == (state, adf)
        assert root.find("Jobs") is None


@pytest.mark.parametrize("has_sensor", [True, False])
@looped
async def test_sensors_are_asked_beside_the_answer(has_sensor: bool, tmp_path: Path) -> None:
    """Or the driver, where it tells by itself what is in a scan's way."""
    scanner = FakeScanner(sensors=("page-loaded",) if has_sensor else ())
    scanner.tells_conditions = not has_sensor
    asked = []

    async def poll(*, buttons: bool = False) -> list[str]:
        asked.append(1)
        return []

    scanner.poll = poll  # type: ignore[method-assign]
    async with served(tmp_path, scanner) as client:
        capabilities = (await client.get(CAPABILITIES)).xml
        options = capabilities.values("Adf", "AdfOptions", "AdfOption")
        assert ("DetectPaperLoaded" in options) == has_sensor
        for _ in range(3):
            await client.status()
            await asyncio.sleep(0)
        assert asked == [1]


@looped
async def test_icons_are_png_with_alpha(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        for size in icon.SIZES:
            answer = await client.get(f"/eSCL/ScannerIcon?size={size}")
            assert answer.headers["content-type"] == "image/png"
            assert "max-age" in answer.headers["cache-control"]
            width, height, depth, color = struct.unpack(">IIBB", answer.body[16:26])
            assert (width, height, depth, color) == (size, size, 8, 6)
        assert (await client.get("/eSCL/ScannerIcon?size=1")).status == 404
        assert (await client.get("/eSCL/ScannerIcon?size=../x")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("HEAD", "ScannerCapabilities", 200, ""),
        ("HEAD", "ScannerStatus", 200, ""),
        ("GET", "ScannerStatus/", 200, ""),
        ("POST", "ScannerStatus", 405, "GET, HEAD"),
        ("GET", "ScanJobs", 405, "POST"),
        ("GET", "ScanBufferInfo", 405, "PUT"),
        ("PATCH", "ScannerCapabilities", 405, "GET, HEAD"),
        ("GET", "", 404, ""),
        ("GET", "Nonsense", 404, ""),
        ("GET", "ScanJobs/../ScannerStatus", 404, ""),
        ("GET", "ScanJobs//NextDocument", 404, ""),
        ("GET", "ScanJobs/1/NextDocument", 404, ""),
        ("DELETE", "ScanJobs/1", 404, ""),
        ("GET", "ScanJobs/1/Nonsense", 404, ""),
    ],
)
@looped
async def test_what_the_resources_do(
    method: str, path: str, status: int, allowed: str, tmp_path: Path
) -> None:
    async with served(tmp_path) as client:
        answer = await client.ask(method, f"/eSCL/{path}")
        assert (answer.status, answer.headers.get("allow", "")) == (status, allowed)


@looped
async def test_head_takes_no_sheet(tmp_path: Path) -> None:
    async with posted(settings(), tmp_path) as (client, job):
        answer = await client.ask("HEAD", f"{job}/NextDocument")
        assert (answer.status, answer.headers["allow"]) == (405, "GET")
        assert (await client.get(f"{job}/ScanImageInfo")).status == 404
        assert (await client.get(f"{job}/NextDocument/")).status == 200


@looped
async def test_a_job_is_created_as_clients_expect(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        answer = await client.ask("POST", "/eSCL/ScanJobs/", settings())
        assert answer.status == 201 and answer.body == b""
        assert answer.headers["content-length"] == "0"
        assert answer.headers["location"].startswith("/eSCL/ScanJobs/")
        assert (await client.ask("POST", "/eSCL/ScanJobs", b"<x/>")).status == 400
        assert (await client.ask("POST", "/eSCL/ScanJobs", b"x" * 70_000)).status == 413


@looped
async def test_buffer_info_tells_the_size_of_a_job(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        inner = settings(mode="Grayscale8", dpi=150, Width=1001).partition(b"?>")[2]
        body = f'<scan:ScanBufferInfo xmlns:pwg="{PWG}" xmlns:scan="{SCAN}">'.encode()
        body += inner + b"</scan:ScanBufferInfo>"
        root = (await client.ask("PUT", "/eSCL/ScanBufferInfo", body)).xml
        told = [root.value(n) for n in ("ImageWidth", "ImageHeight", "BytesPerLine")]
        assert told == ["500", "150", "500"]
        assert root.value("ScanSettings", "ScanRegions", "ScanRegion", "Width") == "1001"
        assert (await client.ask("PUT", "/eSCL/ScanBufferInfo", inner)).status == 400


@looped
async def test_a_scanner_that_is_gone_is_not_there(tmp_path: Path) -> None:
    scanner = FakeScanner()
    async with served(tmp_path, scanner) as client:
        scanners = client.app.state.context.scanners
        await client.get(CAPABILITIES)
        scanners.list.remove(scanner)
        scanners.tell("removed", scanner)
        assert (await client.get(CAPABILITIES)).status == 404
        assert not client.escl.services
