"""eSCL without a scanner: capabilities, status, jobs as XML, Location, quirks, names, escl.conf.

The rows are those of specification escl 10.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends._driverless import names
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
from sane.backends.escl import capabilities, quirks, settings, status
from sane.backends.escl.conf import Conf
from sane.backends.escl.known_quirks import KNOWN
from sane.backends.escl.location import job_path
from sane.backends.escl.multipart import first_image
from sane.backends.escl.places import announced, made_uuid, ordered
from sane.discovery.service import Service
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


# Quirks


def test_row_32_every_known_quirk_is_a_line_with_reason_and_source() -> None:
    for line, reason, source in KNOWN:
        assert quirks.read(line).actions and len(reason) > 20 and source.startswith("E ")


@pytest.mark.parametrize(
    ("model", "maker", "server", "expected"),
    [
        ("HP LaserJet MFP M630 [ABC]", "", "", {"host": "localhost"}),
        ("HP Color LaserJet FlowMFP M578", "", "", {"host": "localhost"}),
        ("HP PageWide 586", "", "HP_Compact_Server 1.0", {"host": "localhost"}),
        ("OKI MC853", "", "", {"host": "default"}),
        ("ET-2850", "EPSON", "", {"host": "port"}),
        ("EPSON ET-2850", "", "", {"host": "port"}),
        ("MF410 Series", "Canon", "", {"flags": {"adf-precheck"}}),
        ("WorkCentre 3345", "Xerox", "", {"flags": {"adf-precheck", "retry-410"}}),
        ("Xerox B205", "", "", {"flags": {"retry-404", "retry-410", "no-delete"}}),
        ("B215", "Xerox", "", {"flags": {"retry-404", "retry-410", "no-delete"}}),
        ("Brother MFC-9340CDW", "", "", {"load_delay": -1.0}),
        ("Canon iR2625/2630", "", "", {"max_resolution": 300}),
        ("HP LaserJet MFP M28w", "", "", {"retries": 90}),
        ("HP DeskJet 5000 series", "", "", {"flags": {"full-area"}}),
        ("Xerox VersaLink B405", "", "", {"flags": {"no-delete"}}),
        ("Brother MFC-J985DW", "", "", {"refused_formats": ["application/pdf"]}),
        ("HP Laser MFP 131 133 135-138", "", "", {"flags": set()}),
    ],
)
def test_row_32_quirks_by_device(
    model: str, maker: str, server: str, expected: dict[str, Any]
) -> None:
    found = quirks.quirks_of(Conf().quirks, model, maker, server)
    for name, value in expected.items():
        assert getattr(found, name) == value


def test_row_32_a_quirk_of_usb_alone() -> None:
    name = "HP Laser MFP 131 133 135-138"
    assert quirks.quirks_of(Conf().quirks, name, place=quirks.USB).has("disable")


def test_an_administrators_quirks_come_last_and_count() -> None:
    conf = Conf()
    assert conf.read('quirk model="epson*" host=default version-text=2.6 load-delay=250')
    assert conf.read("pdfblacklist Acme_S1 Acme_S2")
    found = quirks.quirks_of(conf.quirks, "EPSON ET-2850")
    assert (found.host, found.version, found.load_delay) == ("default", "2.6", 0.25)
    assert quirks.quirks_of(conf.quirks, "Acme S2 Plus").refused_formats == ["application/pdf"]


@pytest.mark.parametrize(
    "line",
    [
        *("quirk", "quirk model=x", "quirk retry-404", "quirk model=x retry-405", 'quirk model="x'),
        *("quirk model=x host=elsewhere", "quirk model=x retries=0", "quirk model=x retries=x"),
        *("quirk model=x load-delay=-1", "quirk model=x no-format=jpeg", "quirk model=x disable=1"),
        "quirk model=x version-text=",
    ],
)
def test_a_quirk_that_is_none_is_told(line: str) -> None:
    with pytest.raises(errors.Invalid, match="quirk"):
        Conf().read(line)


# Names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://192.0.2.7", "http://192.0.2.7"),
        ("https://scanner:8443/eSCL", "https://scanner:8443/eSCL"),
        ("escl:Kitchen:http://192.0.2.7:80/", "http://192.0.2.7/"),
        ("airscan:escl:My: box:https://192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_names_with_an_address(text: str, expected: str) -> None:
    found = names.parse(text)
    assert found is not None and str(found.url) == expected


def test_other_names() -> None:
    def parsed(text: str) -> names.Name:
        found = names.parse(text)
        assert found is not None
        return found

    uuid = "1c852a4db8001f08abcd0123456789ab"
    assert parsed("uuid:1C852A4D-B800-1f08-abcd-0123456789ab").uuid == uuid
    assert parsed("1c852a4d-b800-1f08-abcd-0123456789ab").uuid == uuid
    assert names.hyphenated(uuid) == "1c852a4d-b800-1f08-abcd-0123456789ab"
    assert parsed("airscan:e0:HP: LaserJet").instance == "HP: LaserJet"
    assert parsed("e1f:Box").instance == "Box"
    assert parsed("airscan:w0:Box").is_wsd and parsed("wsd:Box:http://h/x").is_wsd
    assert parsed("unix:/run/x.sock:http://localhost:80").socket == "/run/x.sock"
    short = parsed("unix://box/eSCL")
    assert (short.socket, short.url and short.url.path) == ("box", "/eSCL")
    assert names.parse("libusb:001:002") is None and names.parse("e:x") is None


@pytest.mark.parametrize(
    "text",
    [
        *("http://", "https://h:0", "uuid:12", "unix:/a/../b:http://h", "unix:x:http://h"),
        *("unix:/a", "unix://../eSCL", "unix://", "escl:Box:ftp://h", "airscan:escl:Box"),
    ],
)
def test_names_that_are_wrong(text: str) -> None:
    with pytest.raises(errors.Invalid):
        names.parse(text)


def test_row_2_where_the_service_is() -> None:
    assert names.root_of_text(None) == "/eSCL/"
    assert names.root_of_text("") == names.root_of_text("/") == "/"
    assert names.root_of_text("/eSCL") == names.root_of_text("eSCL/") == "/eSCL/"
    assert names.service_paths("") == ["/eSCL/", "/"]
    assert names.service_paths("/x/y/") == ["/x/y/"]


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_none(text: str) -> None:
    for prefix in ("", "http://", "unix:/", "uuid:", "airscan:e0:", "escl:"):
        try:
            names.parse(prefix + text)
        except errors.Invalid:
            continue


# DNS-SD


def service(
    address: str = "192.0.2.7",
    instance: str = "Box",
    type: str = "_uscan._tcp",
    port: int = 80,
    **texts: str,
) -> Service:
    found = Service("box.local", port, address, instance, {"ty": "Acme S1", **texts})
    found.type = type
    return found


UUID = "1c852a4d-b800-1f08-abcd-0123456789ab"


def test_row_3_one_scanner_however_often_it_announces_itself() -> None:
    every = [
        service(address, type=type, port=port, uuid=UUID)
        for address in ("169.254.1.1", "198.51.100.7", "2001:db8::7")
        for type, port in (("_uscan._tcp", 80), ("_uscans._tcp", 443))
    ]
    (found,) = announced([*every, *every], Conf())
    assert found.name == UUID and len(found.endpoints) == 6
    assert [str(one.url) for one in found.endpoints[:4]] == [
        "https://[2001:db8::7]/eSCL/",
        "https://198.51.100.7/eSCL/",
        "https://169.254.1.1/eSCL/",
        "http://[2001:db8::7]/eSCL/",
    ]


def test_row_3_same_name_other_uuid_and_same_uuid_other_name() -> None:
    other = "2c852a4d-b800-1f08-abcd-0123456789ab"
    two = announced([service(uuid=UUID), service("192.0.2.8", uuid=other)], Conf())
    assert [place.name for place in two] == [UUID, other]
    one = announced([service(uuid=UUID), service(instance="Box (2)", uuid=UUID)], Conf())
    assert [place.name for place in one] == [UUID]
    apart = announced(
        [service(uuid=UUID), service("192.0.2.8", instance="Other", uuid=UUID)], Conf()
    )
    assert [place.name for place in apart] == [UUID, "http://192.0.2.8/eSCL/"]


def test_row_10_a_scanner_without_uuid_has_always_the_same_name() -> None:
    (found,) = announced([service()], Conf())
    assert found.name == names.hyphenated(made_uuid("Box")) and found.uuid == ""
    assert len(made_uuid("x")) == 32 and made_uuid("x")[12] == "5" and made_uuid("x")[16] in "89ab"


def test_row_5_the_policy_for_https_orders_the_ways() -> None:
    ways = announced(
        [
            service(type=type, port=port)
            for type, port in (("_uscan._tcp", 80), ("_uscans._tcp", 443))
        ],
        Conf(),
    )[0].endpoints
    schemes = {
        policy: [one.url.scheme for one in ordered(ways, policy)]
        for policy in ("prefer", "if-needed", "require", "never")
    }
    assert schemes == {
        "prefer": ["https", "http"],
        "if-needed": ["http", "https"],
        "require": ["https"],
        "never": ["http"],
    }


def test_row_8_the_blacklist_and_the_number_of_scanners() -> None:
    conf = Conf()
    for line in (
        'blacklist model "acme s?"',
        "blacklist name Bad*",
        "blacklist ip 198.51.100.0/24",
    ):
        assert conf.read(line)
    refused = [
        service(uuid=UUID),
        service(instance="Bad box", ty="Good"),
        service("198.51.100.9", ty="Good", instance="x"),
    ]
    assert announced(refused, conf) == []
    many = [service(instance=f"box {n}", port=1 + n) for n in range(1000)]
    assert len(announced(many, Conf())) == 256
    ways = [service(f"192.0.2.{n}", uuid=UUID) for n in range(1, 200)]
    assert len(announced(ways, Conf())[0].endpoints) == 32


def test_what_a_list_shows() -> None:
    named = service(uuid=UUID)
    named.texts["is"] = "platen,adf"
    (found,) = announced([named], Conf())
    assert found.vendor_and_model == ("Acme", "S1") and found.type == "flatbed or ADF scanner"
    (bare,) = announced([service(ty="")], Conf())
    assert bare.vendor_and_model == ("Box", "Box") and bare.type == "flatbed or ADF scanner"
    (strange,) = announced([service(ty="\x01\x02", instance="\x03")], Conf())
    assert all(strange.vendor_and_model)


# escl.conf


def test_lines_of_escl_conf() -> None:
    conf = Conf()
    for line in (
        *("https require", "tls-verify pin", "pretend-local on", "socket-dir /run/x/"),
        *("page-timeout 240", "stall-timeout 30", "max-document 10", "max-pages 3", "; note"),
    ):
        assert conf.read(line), line
    assert (conf.https, conf.verify, conf.pretends_local, conf.sockets) == (
        *("require", "pin", True),
        "/run/x",
    )
    limits = conf.limits
    assert (limits.page_seconds, limits.stall_seconds) == (240.0, 30.0)
    assert (limits.document_bytes, limits.pages) == (10 << 20, 3)
    assert not conf.read("something else")


@pytest.mark.parametrize(
    "line",
    [
        *("https maybe", "tls-verify x", "pretend-local perhaps", "socket-dir x", "page-timeout 0"),
        *("max-document x", "blacklist", "blacklist ip x", "blacklist color red", "max-pages -1"),
    ],
)
def test_lines_of_escl_conf_that_are_wrong(line: str) -> None:
    with pytest.raises(errors.Invalid, match=line.split(maxsplit=1)[0]):
        Conf().read(line)
