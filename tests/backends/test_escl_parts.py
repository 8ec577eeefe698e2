"""eSCL without a scanner: capabilities, status, jobs as XML, Location, answers in parts.

The rows are those of specification escl 10.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends._driverless.capabilities import (
    ADF,
    ADF_DUPLEX,
    BITS,
    FLATBED,
    GRAY8,
    RGB8,
    Capabilities,
)
from sane.backends._driverless.choice import Choice
from sane.backends._driverless.request import Request
from sane.backends._driverless.window import Window
from sane.backends.escl import capabilities, settings, status
from sane.backends.escl.location import job_path
from sane.backends.escl.multipart import first_image
from sane.testing.escl import Model, Profile, Range, Source, Writing, feeder_model
from sane.testing.escl.capabilities import document
from sane.testing.escl.presets import PRESETS
from sane.transport.url import Url

ROOT = "http://192.0.2.7/eSCL/"
HEAD = (
    '<scan:X xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" '
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03">'
)


def read(model: Model | None = None, **writing: Any) -> Capabilities:
    found = document(model or Model(), ROOT)
    return capabilities.read(Writing(**writing).document(found))


# Capabilities


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_row_25_capabilities_of_every_preset(name: str) -> None:
    scanner = PRESETS[name]()
    found = read(scanner.model)
    assert found.name == scanner.model.name
    assert list(found.beds) == [
        source
        for source, there in (
            (FLATBED, scanner.model.platen),
            (ADF, scanner.model.adf),
            (ADF_DUPLEX, scanner.model.duplex),
        )
        if there
    ]


@pytest.mark.parametrize("prefixes", ["usual", "other", "default"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_row_25_other_prefixes_and_encodings(prefixes: str, encoding: str) -> None:
    found = read(feeder_model(), prefixes=prefixes, encoding=encoding)
    assert list(found.beds) == [FLATBED, ADF, ADF_DUPLEX]
    assert found.uuid == "6f1d3c520f3e5b7a9c402f6f0d3a9e11"
    assert found.justification == ("center", "top")


@pytest.mark.parametrize("syntax", ["range", "range-flat", "range-empty"])
def test_row_25_a_range_of_resolutions_in_three_syntaxes(syntax: str) -> None:
    model = Model(platen=Source(profiles=[Profile(resolutions=(75, 600), syntax=syntax)]))
    found = read(model).beds[FLATBED].profiles[0].of(RGB8)
    assert found.is_range and (found.low, found.high) == (75, 600)


def test_row_25_a_list_wins_over_a_range_and_modes_have_their_own() -> None:
    both = Model(platen=Source(profiles=[Profile(resolutions=(75, 300), syntax="both")]))
    assert read(both).beds[FLATBED].profiles[0].of(RGB8).offered == (75, 300)
    by_mode = Model(platen=Source(profiles=[Profile(resolutions=(75,), syntax="by-mode")]))
    profile = read(by_mode).beds[FLATBED].profiles[0]
    assert profile.of(GRAY8).offered == (75,) and not profile.of(BITS)


def test_row_25_ranges_without_prefix_and_normal() -> None:
    model = Model(ranges={"Brightness": Range(0, 2000, prefix=""), "Sharpen": Range(-3, 3, None)})
    found = read(model)
    assert found.adjusts["Brightness"].normal == 1000 and found.adjusts["Sharpen"].normal == 0


def test_row_25_shared_profiles() -> None:
    source = Source(profiles=[Profile(resolutions=(150,), ref="p0")])
    assert read(Model(platen=source)).beds[FLATBED].profiles[0].of(GRAY8).offered == (150,)


def test_row_26_unequal_resolutions_are_hidden() -> None:
    found = read(PRESETS["kyocera-m2040"]().model)
    assert found.beds[FLATBED].profiles[0].of(RGB8).offered == (200, 300, 400, 600)


def test_a_feeder_for_both_sides_scans_one_as_well_and_the_other_way_round() -> None:
    duplex = read(feeder_model(adf=None))
    assert list(duplex.beds) == [FLATBED, ADF, ADF_DUPLEX]
    simplex = feeder_model(duplex=None)
    assert ADF_DUPLEX in read(simplex).beds
    simplex.adf_options = ()
    assert ADF_DUPLEX not in read(simplex).beds
    told = capabilities.read(Writing().document(document(simplex, ROOT)), has_duplex=True)
    assert ADF_DUPLEX in told.beds


def test_a_source_that_cannot_be_used_is_left_out_and_a_scanner_without_any_refused() -> None:
    broken = Source(min_width=3000)
    assert list(read(Model(platen=broken, adf=Source())).beds) == [ADF, ADF_DUPLEX]
    for source in (
        broken,
        Source(max_height=0),
        Source(profiles=[Profile(modes=("Infrared",))]),
        Source(profiles=[Profile(formats=())]),
        Source(profiles=[Profile(resolutions=(0,))]),
        Source(profiles=()),
    ):
        with pytest.raises(errors.DeviceIOError, match="Example ScanBox 100 has no source"):
            read(Model(platen=source))
    with pytest.raises(errors.DeviceIOError, match="ScannerStatus"):
        capabilities.read(b"<ScannerStatus/>")


def test_names_with_control_characters_and_formats_with_markup_are_harmless() -> None:
    model = Model(name="A\u202e\x9bB" + "x" * 500)
    model.platen = Source(profiles=[Profile(formats=("image/jpeg", "a<b>&c", "image/png;x"))])
    found = read(model)
    assert found.name.startswith("A B") and len(found.name.encode()) <= 128
    assert found.beds[FLATBED].profiles[0].formats == ("image/jpeg",)


def test_row_34_hostile_capabilities_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]>\n'
    for writing in ({"doctype": bomb}, {"depth": 100}, {"pad_bytes": 2 << 20}):
        with pytest.raises(errors.DeviceIOError, match="XML"):
            read(None, **writing)
    assert read(None, doctype="<!doctype escl>\n").beds


@given(st.binary(max_size=200))
def test_capabilities_of_garbage(data: bytes) -> None:
    text = document(Model(), ROOT).encode()
    try:
        capabilities.read(text[: len(data) * 20] + data + text[len(data) * 20 :])
    except errors.DeviceIOError:
        return


# Status


def told(state: str, feeder: str = "", rest: str = "") -> status.Status:
    adf = f"<scan:AdfState>{feeder}</scan:AdfState>" if feeder else ""
    head = HEAD.replace("scan:X", "scan:ScannerStatus")
    return status.read(
        f"{head}<pwg:State>{state}</pwg:State>{adf}{rest}</scan:ScannerStatus>".encode()
    )


@pytest.mark.parametrize(
    ("state", "feeder", "fault"),
    [
        ("Idle", "ScannerAdfLoaded", None),
        ("Idle", "ScannedAdfLoaded", None),
        ("Idle", "ScannerAdfEmpty", None),
        ("Processing", "ScannerAdfProcessing", None),
        ("Idle", "Unknown", None),
        ("Idle", "ScannerAdfJam", errors.Jammed),
        ("Idle", "ScannerAdfMispick", errors.Jammed),
        ("Idle", "ScannerAdfMultipickDetected", errors.Jammed),
        ("Idle", "ScannerAdfInputTrayFailed", errors.Jammed),
        ("Idle", "ScannerAdfInputTrayOverloaded", errors.Jammed),
        ("Idle", "ScannerAdfDuplexPageTooLong", errors.Jammed),
        ("Idle", "ScannerAdfDoorOpen", errors.CoverOpen),
        ("Processing", "ScannerAdfHatchOpen", errors.CoverOpen),
        ("Stopped", "ScannerAdfJam", errors.Jammed),
        ("Stopped", "", errors.DeviceIOError),
        ("Down", "", errors.DeviceIOError),
        ("Testing", "", None),
    ],
)
def test_row_20_states_of_scanner_and_feeder(
    state: str, feeder: str, fault: type[errors.SaneError] | None
) -> None:
    found = told(state, feeder)
    assert type(found.fault(True)) is (fault or type(None))
    assert isinstance(found.definite(), errors.NoDocs) == (feeder == "ScannerAdfEmpty")


def test_status_with_reasons_and_jobs() -> None:
    reasons = "<pwg:StateReasons><pwg:StateReason>CoverOpen</pwg:StateReason></pwg:StateReasons>"
    assert isinstance(told("Stopped", "", reasons).fault(False), errors.CoverOpen)
    info = (
        "<scan:Jobs><scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/7</pwg:JobUri>"
        "<pwg:JobState>Processing</pwg:JobState></scan:JobInfo></scan:Jobs>"
    )
    job = told("Idle", "", info).job("http://host:80/eSCL/ScanJobs/7")
    assert job is not None and job.state == "Processing"
    assert told("Idle", "", info).job("/eSCL/ScanJobs/8") is None


# Jobs


def request(kind: Any = RGB8, source: str = FLATBED, format: str = "image/jpeg") -> Request:
    profile = Profile(("BlackAndWhite1", "Grayscale8", "RGB24"), ("image/jpeg", "image/png"))
    model = feeder_model(platen=Source(profiles=[profile]))
    bed = read(model).beds[source]
    window = Window.of(bed, (0, 0, 210, 297))
    return Request(bed, window, kind, Choice(kind, format, (300, 300), True))


def test_row_12_settings_on_one_line_in_the_known_order() -> None:
    asked = request(source=ADF_DUPLEX)
    assert settings.build(asked).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><scan:ScanSettings '
        'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" '
        'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03">'
        "<pwg:Version>2.0</pwg:Version>"
        "<pwg:ScanRegions><pwg:ScanRegion>"
        "<pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>"
        "<pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>"
        "<pwg:Width>2480</pwg:Width><pwg:Height>3508</pwg:Height>"
        "</pwg:ScanRegion></pwg:ScanRegions>"
        "<pwg:InputSource>Feeder</pwg:InputSource><scan:ColorMode>RGB24</scan:ColorMode>"
        "<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>"
        "<scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt>"
        "<scan:XResolution>300</scan:XResolution><scan:YResolution>300</scan:YResolution>"
        "<scan:Duplex>true</scan:Duplex></scan:ScanSettings>"
    )


def test_row_13_the_format_is_named_again_only_where_it_is_listed() -> None:
    asked = request()
    asked.choice.needs_extended = False
    assert b"DocumentFormatExt" not in settings.build(asked)


def test_row_14_duplex_only_for_the_feeder() -> None:
    assert b"Duplex" not in settings.build(request())
    assert b"<scan:Duplex>false</scan:Duplex>" in settings.build(request(source=ADF))


def test_settings_with_all_that_can_be_left_out() -> None:
    asked = request(BITS, format="image/png")
    asked.intent, asked.compression = "Text and Graphic", 25
    asked.adjusts = {"Threshold": 3, "Brightness": -7}
    text = settings.build(asked, "2.63").decode()
    assert "<pwg:Version>2.63</pwg:Version><scan:Intent>TextAndGraphic</scan:Intent>" in text
    assert "<scan:CompressionFactor>25</scan:CompressionFactor><scan:ColorMode>Black" in text
    assert "<scan:Brightness>-7</scan:Brightness><scan:Threshold>3</scan:Threshold>" in text
    reduced = settings.build(asked, is_reduced=True).decode()
    for left_out in ("Intent", "Compression", "Brightness", "Threshold", "png"):
        assert left_out not in reduced
    assert "Grayscale8" in reduced and settings.can_be_reduced(asked)
    assert not settings.can_be_reduced(request())


# Location

POSTED = Url.parse("http://192.0.2.7:8080/eSCL/ScanJobs")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("http://192.0.2.7:8080/eSCL/ScanJobs/17", "/eSCL/ScanJobs/17"),
        ("http://HPDJ2540/eSCL/ScanJobs/17", "/eSCL/ScanJobs/17"),
        ("https://192.0.2.1:444/eSCL/ScanJobs/17/", "/eSCL/ScanJobs/17"),
        ("/eSCL/ScanJobs/17", "/eSCL/ScanJobs/17"),
        ("ScanJobs/17", "/eSCL/ScanJobs/17"),
        ("//other/x/ScanJobs/17", "/x/ScanJobs/17"),
        ("/eSCL/ScanJobs/urn:uuid:1c85-2a", "/eSCL/ScanJobs/urn:uuid:1c85-2a"),
        ("urn:uuid:1c85-2a", "/eSCL/urn:uuid:1c85-2a"),
        ("http://[fe80/eSCL/ScanJobs/17", "/eSCL/ScanJobs/17"),
        ("http://[fe80/escl/scanjobs/17", "/eSCL/scanjobs/17"),
        ("/eSCL/ScanJobs/a%20b?x=1", "/eSCL/ScanJobs/a%20b?x=1"),
    ],
)
def test_row_15_where_a_job_is(location: str, path: str) -> None:
    assert job_path(location, POSTED) == path


@pytest.mark.parametrize(
    "location",
    [
        *("", "  ", "http://[fe80/x", "/", "http://host", "/eSCL/../secret/1", "/a b", "/a\x01"),
        "/" + "x" * 1100,
    ],
)
def test_row_15_a_job_that_is_nowhere(location: str) -> None:
    with pytest.raises(errors.DeviceIOError):
        job_path(location, POSTED)


@given(st.text(max_size=60))
def test_location_of_any_text(location: str) -> None:
    try:
        path = job_path(location, POSTED)
    except errors.DeviceIOError:
        return
    assert path.startswith("/") and ".." not in path.partition("?")[0].split("/")


# Several parts


def test_the_first_image_of_an_answer_in_parts() -> None:
    body = (
        b"--b\r\nContent-Type: text/xml\r\n\r\n<info/>\r\n"
        b"--b\r\ncontent-type: image/jpeg\r\n\r\n\xff\xd8\xff--\r\n--b--\r\n"
    )
    assert first_image(body) == b"\xff\xd8\xff--"
    assert first_image(body.replace(b"\r\n", b"\n")) == b"\xff\xd8\xff--"
    for wrong in (b"", b"--", b"--b\r\n", body.replace(b"image", b"imagine"), b"x" * 99):
        with pytest.raises(errors.DeviceIOError, match="parts"):
            first_image(wrong)


@given(st.binary(max_size=100))
def test_an_answer_in_parts_of_garbage(data: bytes) -> None:
    try:
        first_image(b"--b\r\n" + data + b"--b\r\nContent-Type: image/png\r\n\r\n" + data)
    except errors.DeviceIOError:
        return
