"""ScanSettings: what clients leave out, overdo and get wrong, and what no client sends."""

from __future__ import annotations

from typing import Any

import pytest

from sane.backends.escl.schema import PWG, SCAN
from sane.web.config import EsclSettings
from sane.web.encoders import JPEG, PDF, PNG, TIFF, available
from sane.web.escl.settings import Ticket, TicketError, parsed, ticket
from sane.web.facts import Adjust, Capabilities
from tests.support.escl_client import settings
from tests.support.web import source

ALL = Capabilities((source(), source("adf"), source("adf-duplex")))
PLATEN = Capabilities((source(),))
FEEDER = Capabilities((source("adf"),))
ROOT = f'<scan:ScanSettings xmlns:pwg="{PWG}" xmlns:scan="{SCAN}">'
USUAL = EsclSettings()
has_jpeg = pytest.mark.skipif(JPEG not in available(), reason="this build makes no JPEG")


def read(body: bytes | str, facts: Capabilities = ALL) -> Ticket:
    """Return the ticket for a document, or for what stands in one."""
    if isinstance(body, str):
        body = f"{ROOT}{body}</scan:ScanSettings>".encode()
    return ticket(parsed(body, "ScanSettings"), facts, USUAL)


def refused(body: bytes | str, facts: Capabilities = ALL) -> tuple[int, str]:
    """Return the status and the text of a refusal."""
    with pytest.raises(TicketError) as caught:
        read(body, facts)
    return caught.value.status, str(caught.value)


def test_what_airscan_asks_for() -> None:
    found = read(
        settings("Feeder", "Grayscale8", PNG, 300, extra="<scan:Duplex>true</scan:Duplex>")
    )
    wanted = found.settings
    assert (wanted.source, wanted.mode, wanted.depth, wanted.dpi) == ("adf-duplex", "gray", 8, 300)
    assert (wanted.left, wanted.top, wanted.width, wanted.height) == (0, 0, 400, 300)
    assert found.format == PNG and found.is_feeder and not wanted.encoded


# What is left out. Source: specification escl 2.5.


@has_jpeg
@pytest.mark.parametrize(
    ("intent", "mode", "format"),
    [
        ("", "gray", JPEG),
        ("Photo", "color", JPEG),
        ("Document", "gray", PDF),
        ("TextAndGraphic", "gray", PDF),
        ("Preview", "gray", JPEG),
    ],
)
def test_an_intent_stands_for_what_is_left_out(intent: str, mode: str, format: str) -> None:
    found = read(f"<scan:Intent>{intent}</scan:Intent>")
    assert (found.settings.mode, found.format) == (mode, format)
    wanted = found.settings
    assert (wanted.source, wanted.dpi) == ("platen", 300)
    assert (wanted.left, wanted.top, wanted.width, wanted.height) == (0, 0, 2550, 3508)


def test_without_a_glass_the_feeder_is_usual() -> None:
    assert read("", FEEDER).settings.source == "adf"


def test_a_feeder_that_always_scans_both_sides_gives_fronts() -> None:
    both = Capabilities((source("adf-duplex"),))
    found = read("<pwg:InputSource>Feeder</pwg:InputSource>", both)
    assert found.fronts_only and found.settings.source == "adf-duplex"
    wanted = "<pwg:InputSource>Feeder</pwg:InputSource><scan:Duplex>1</scan:Duplex>"
    assert not read(wanted, both).fronts_only


@pytest.mark.parametrize(
    ("formats", "chosen"),
    [
        (f"<scan:DocumentFormatExt>{TIFF}</scan:DocumentFormatExt>", TIFF),
        (f"<pwg:DocumentFormat>{PNG}</pwg:DocumentFormat>", PNG),
        (
            f"<pwg:DocumentFormat>{PDF}</pwg:DocumentFormat>"
            f"<scan:DocumentFormatExt>{PNG}</scan:DocumentFormatExt>",
            PNG,
        ),
        (
            f"<pwg:DocumentFormat>{PDF}</pwg:DocumentFormat>"
            "<scan:DocumentFormatExt>image/heic</scan:DocumentFormatExt>",
            PDF,
        ),
        ("<pwg:DocumentFormat> IMAGE/PNG </pwg:DocumentFormat>", PNG),
    ],
)
def test_the_extended_format_wins_where_it_is_known(formats: str, chosen: str) -> None:
    assert read(formats).format == chosen


# What is overdone


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ({"Width": 2551, "Height": 3509}, (0, 0, 2550, 3508)),
        ({"Width": 9999, "Height": 9999}, (0, 0, 2550, 3508)),
        ({"XOffset": 2500, "Width": 400}, (2500, 0, 50, 300)),
        ({"XOffset": 2545, "Width": 400}, (2534, 0, 16, 300)),
        ({"Width": 1, "Height": 0}, (0, 0, 16, 16)),
    ],
)
def test_areas_are_made_to_fit(region: dict[str, Any], expected: tuple[int, ...]) -> None:
    wanted = read(settings(**region)).settings
    assert (wanted.left, wanted.top, wanted.width, wanted.height) == expected


def test_an_area_that_must_be_is_not_made_to_fit() -> None:
    body = settings(Width=2700).replace(b"<pwg:ScanRegions>", b'<pwg:ScanRegions MustHonor="true">')
    assert refused(body)[0] == 409
    read(body.replace(b"2700", b"2560"))  # rounding


def test_what_need_not_be_is_what_there_is() -> None:
    body = settings(mode="AutoColorDetection", dpi=333, format="image/heic")
    for name in (b"ColorMode", b"XResolution", b"DocumentFormat"):
        body = body.replace(name + b">", name + b' pwg:MustHonor="false">', 1)
    found = read(body)
    assert (found.settings.mode, found.settings.dpi) == ("gray", 300)


@pytest.mark.parametrize(("factor", "quality"), [(0, 95), (50, 68), (100, 40)])
def test_compression_is_a_quality(factor: int, quality: int) -> None:
    found = read(settings(extra=f"<scan:CompressionFactor>{factor}</scan:CompressionFactor>"))
    assert found.quality == quality
    assert read(settings()).quality == USUAL.quality


@has_jpeg
def test_the_devices_jpeg_is_wanted_only_where_it_will_do() -> None:
    sends = Capabilities((source(),), encoded=(JPEG,))
    assert read(settings(format=JPEG), sends).settings.encoded
    assert read(settings(format=PDF), sends).settings.encoded
    assert not read(settings(format=PNG), sends).settings.encoded
    assert not read(settings(format=JPEG, mode="BlackAndWhite1"), sends).settings.encoded
    assert not read(settings(format=JPEG), ALL).settings.encoded
    best, small = (f"<scan:CompressionFactor>{f}</scan:CompressionFactor>" for f in (0, 60))
    assert read(settings(format=JPEG, extra=best), sends).settings.encoded
    assert not read(settings(format=JPEG, extra=small), sends).settings.encoded


@has_jpeg
def test_sixteen_bits_are_scanned_only_where_they_are_kept() -> None:
    assert read(settings(mode="RGB48", format=PNG)).settings.depth == 16
    assert read(settings(mode="RGB48", format=JPEG)).settings.depth == 8


@pytest.mark.parametrize(
    ("extra", "expected"), [("", 0), ("<scan:NumberOfPages>3</scan:NumberOfPages>", 3)]
)
def test_a_number_of_pages_is_kept(extra: str, expected: int) -> None:
    assert read(settings("Feeder", extra=extra)).most_pages == expected


# What cannot be


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (settings("Camera"), "InputSource"),
        (settings(mode="CMYK32"), "ColorMode"),
        (settings(format="application/octet-stream"), "DocumentFormat"),
        (settings(dpi=333), "XResolution"),
        (settings(XOffset=2550), "XOffset"),
        (settings(extra="<scan:CompressionFactor>101</scan:CompressionFactor>"), "Compression"),
        (settings().replace(b"Resolution>75</scan:Y", b"Resolution>100</scan:Y"), "YResolution"),
        (settings().replace(b"escl:Three", b"escl:Thousandths"), "ContentRegionUnits"),
        (
            settings().replace(
                b"</pwg:ScanRegions>", b"<pwg:ScanRegion></pwg:ScanRegion></pwg:ScanRegions>"
            ),
            "one region",
        ),
    ],
)
def test_unsupported_values_are_conflicts(body: bytes, named: str) -> None:
    status, text = refused(body)
    assert status == 409 and named in text


LONG = Capabilities(
    tuple(source(id, max_height=66_000, resolutions=(300, 600)) for id in ("platen", "adf"))
)


@has_jpeg
@pytest.mark.parametrize("region", [{"Height": 40_000}, {"Width": 33_000, "Height": 100}])
def test_an_area_beyond_a_jpeg_is_a_conflict(region: dict[str, Any]) -> None:
    wide = Capabilities((source(max_width=66_000, max_height=66_000, resolutions=(600,)),))
    status, text = refused(settings(format=JPEG, dpi=600, **region), wide)
    assert status == 409 and "65500 pixels" in text
    for format in (PDF, PNG):
        assert read(settings(format=format, dpi=600, **region), wide).format == format


@has_jpeg
def test_all_that_a_feeder_takes_is_made_to_fit_a_jpeg() -> None:
    """Its sheets mostly end before."""
    for format, dpi, height in ((JPEG, 600, 32_750), (JPEG, 300, 65_500), (PDF, 600, 66_000)):
        body = settings("Feeder", format=format, dpi=dpi, Height=66_000)
        assert read(body, LONG).settings.height == height


def test_what_the_scanner_lacks_is_a_conflict() -> None:
    assert refused(settings("Feeder"), PLATEN)[0] == 409
    assert refused(settings("Platen"), FEEDER)[0] == 409
    duplex = "<scan:Duplex>true</scan:Duplex>"
    assert refused(settings("Feeder", extra=duplex), FEEDER)[0] == 409
    assert read(settings("Platen", extra=duplex), PLATEN).settings.source == "platen"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"scan, please",
        b"<scan:ScanSettings>",
        ROOT.encode(),
        f"{ROOT}<pwg:InputSource></scan:ScanSettings>".encode(),
        b"<a/>",
        settings().replace(b"ScanSettings", b"ScanSetting"),
        settings(Width=-1),
        settings().replace(b">75<", b">many<"),
        settings("Feeder", extra="<scan:Duplex>perhaps</scan:Duplex>"),
        settings().replace(b">75<", b">99999999999999999999<"),
        b"\xff\xfe<\0a\0/\0>\0",
        b"\0" * 1000,
    ],
)
def test_what_is_no_ticket_is_a_bad_request(body: bytes) -> None:
    assert refused(body)[0] == 400


BOMB = "<!ENTITY a 'aaaa'>" + "".join(
    f"<!ENTITY {new} '{f'&{old};' * 9}'>" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE a>",
        "<!doctype a>",
        f"<!DOCTYPE a [{BOMB}]>",
        '<!DOCTYPE a SYSTEM "http://192.168.1.1/a.dtd">',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_document_types_are_refused(head: str, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{head}{settings().decode()[38:]}'
    assert refused(text.encode(encoding))[0] == 400


@pytest.mark.parametrize(
    "inner",
    [
        "<a>" * 100 + "</a>" * 100,
        "<a/>" * 21_000,
        f"<a b='{'x' * 5000}'/>",
        f"<a>{'x' * 70_000}</a>",
        "&undeclared;",
    ],
)
def test_what_is_too_much_is_refused(inner: str) -> None:
    assert refused(inner)[0] == 400


# Brightness and its kin: options of the device, where it has them


BRIGHT = Adjust("brightness", -4, 3, 0, 1, ("gray", "color"))
ADJUSTABLE = Capabilities((source(adjusts={"Brightness": BRIGHT}),))


@pytest.mark.parametrize("name", ["Brightness", "BrightnessSupport"])
@pytest.mark.parametrize(("value", "extra"), [(-3, {"brightness": -3}), (0, {})])
def test_an_adjustment_is_an_option_of_the_device(
    name: str, value: int, extra: dict[str, int]
) -> None:
    found = read(f"<scan:{name}>{value}</scan:{name}>", ADJUSTABLE)
    assert found.settings.extra == extra


def test_an_adjustment_beyond_its_limits_is_refused_unless_it_may_be_changed() -> None:
    asked = "<scan:Brightness>9</scan:Brightness>"
    assert refused(asked, ADJUSTABLE) == (409, "Brightness: 9 is not within -4 to 3")
    lenient = asked.replace("Brightness>9", 'Brightness MustHonor="false">9')
    assert read(lenient, ADJUSTABLE).settings.extra == {"brightness": 3}
    assert refused(asked.replace("9", "light"), ADJUSTABLE)[0] == 400


def test_a_number_that_the_original_sends_by_itself_is_let_be() -> None:
    """It knows thresholds of 0 to 255; nobody has asked for one."""
    assert (
        read("<scan:BrightnessSupport>128</scan:BrightnessSupport>", ADJUSTABLE).settings.extra
        == {}
    )


def test_an_adjustment_that_does_nothing_is_let_be() -> None:
    asked = "<scan:Brightness>2</scan:Brightness><scan:Contrast>2</scan:Contrast>"
    bits = "<scan:ColorMode>BlackAndWhite1</scan:ColorMode>"
    assert read(asked).settings.extra == {}
    assert read(asked + bits, ADJUSTABLE).settings.extra == {}
    assert read(asked, ADJUSTABLE).settings.extra == {"brightness": 2}
