"""eSCL without a scanner: quirks, names, announcements, escl.conf.

The rows are those of specification escl 10.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import errors
from sane.backends._driverless import names
from sane.backends.escl import quirks
from sane.backends.escl.conf import Conf
from sane.backends.escl.known_quirks import KNOWN
from sane.backends.escl.places import announced, made_uuid, ordered
from sane.discovery.service import Service

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
