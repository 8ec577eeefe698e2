"""The parts of the backend wsd that do no I/O: messages, discovery, capabilities, parts, faults."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sane.backends._driverless.capabilities import ADF, ADF_DUPLEX, BITS, FLATBED, RGB8
from sane.backends.wsd import capabilities, finding, mtom, soap, status, ticket
from sane.backends.wsd.quirks import quirks_of
from sane.errors import DeviceIOError, NoMemory, SaneError
from sane.testing.wsd import Scanner
from sane.testing.wsd.multipart import MULTIPART, answer

OLD_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def message(body: str, action: str = "", space: str = soap.SOAP, code: str = "") -> bytes:
    header = f'<a:Action xmlns:a="{soap.ADDRESSING}">{action}</a:Action>' if action else ""
    return (
        f'<?xml version="1.0"?><e:Envelope xmlns:e="{space}"><e:Header>{header}</e:Header>'
        f"<e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


# SOAP


def test_soap_what_is_written_can_be_read() -> None:
    data = soap.envelope("urn:action", "urn:uuid:1", "http://h/<&>", soap.element("X", 1))
    found = soap.read(data)
    assert (found.action, found.identity, found.fault) == ("urn:action", "urn:uuid:1", "")
    assert found.body.value("X") == "1"


def test_soap_ids_are_random_uuids() -> None:
    assert soap.message_id(bytes(16)) == "urn:uuid:00000000-0000-4000-8000-000000000000"
    assert soap.message_id(b"\xff" * 16) == "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff"


@pytest.mark.parametrize(
    "space", [soap.SOAP, OLD_SOAP, OLD_SOAP.replace("http", "https"), f"{soap.SOAP}/"]
)
def test_soap_namespaces_are_compared_loosely(space: str) -> None:
    assert soap.read(message("<b/>", space=space)).body.children


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<Fault><Code><Value>x:Sender</Value></Code></Fault>", "Sender"),
        (
            "<Fault><Code><Value>Sender</Value><Subcode><Value>w:Outer</Value>"
            "<Subcode><Value>w:Inner</Value></Subcode></Subcode></Code></Fault>",
            "Inner",
        ),
        ("<Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></Fault>", "Client"),
        ("<Fault/>", "Fault"),
        ("<Answer/>", ""),
    ],
)
def test_soap_fault_codes(body: str, code: str) -> None:
    assert soap.read(message(body)).fault == code


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_row_54_a_fault_is_known_by_its_action_alone(scheme: str) -> None:
    action = f"{scheme}:{soap.plain(soap.FAULT)}"
    assert soap.read(message("<Other/>", action)).fault == "Fault"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html/>",
        b"<a><b></a>",
        message("").replace(b"Body", b"Boby"),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + message(""),
        message("<a>" * 100 + "</a>" * 100),
        message("x" * 70000),
    ],
)
def test_soap_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(DeviceIOError):
        soap.read(data)


# WS-Discovery


def match(kind: str, types: str, urls: str, address: str = "urn:uuid:1") -> bytes:
    one = (
        f'<w:{kind}Match xmlns:w="{soap.DISCOVERY}" xmlns:a="{soap.ADDRESSING}">'
        f"<a:EndpointReference><a:Address>{address}</a:Address></a:EndpointReference>"
        f"<w:Types>{types}</w:Types><w:XAddrs>{urls}</w:XAddrs></w:{kind}Match>"
    )
    body = f'<w:{kind}Matches xmlns:w="{soap.DISCOVERY}">{one}</w:{kind}Matches>'
    return message(body, f"{soap.DISCOVERY}/{kind}Matches")


def told(kind: str) -> bytes:
    body = (
        f'<w:{kind} xmlns:w="{soap.DISCOVERY}" xmlns:a="{soap.ADDRESSING}"><a:EndpointReference>'
        "<a:Address>urn:uuid:1</a:Address></a:EndpointReference>"
        f"<w:XAddrs>http://h/d</w:XAddrs></w:{kind}>"
    )
    return message(body, f"{soap.DISCOVERY}/{kind}")


def test_row_51_a_probe_asks_for_devices() -> None:
    data = finding.probe("urn:uuid:1").decode()
    assert f"<wsa:To>{finding.EVERYBODY}</wsa:To>" in data
    assert "<wsd:Types>wsdp:Device</wsd:Types>" in data
    assert f'xmlns:wsdp="{soap.DEVICE}"' in data  # of a name that stands in a text


@pytest.mark.parametrize("kind", ["Probe", "Resolve"])
@pytest.mark.parametrize(
    ("types", "is_scanner"),
    [
        ("wscn:ScanDeviceType wsdp:Device", True),
        ("p:PrintDeviceType", True),
        ("", True),
        ("x:Camera", False),
    ],
)
def test_wsd_matches_are_heard(kind: str, types: str, is_scanner: bool) -> None:
    (found,) = finding.heard(match(kind, types, " http://10.0.0.1/a\n http://[fe80::1]/b "))
    assert (found.address, found.is_scanner, found.has_left) == ("urn:uuid:1", is_scanner, False)
    assert found.urls == ["http://10.0.0.1/a", "http://[fe80::1]/b"]


def test_wsd_hello_and_bye_are_heard() -> None:
    assert [target.has_left for target in finding.heard(told("Hello"))] == [False]
    assert [target.has_left for target in finding.heard(told("Bye"))] == [True]
    assert finding.heard(message("<x/>", f"{soap.DISCOVERY}/Probe")) == []


@pytest.mark.parametrize(
    ("text", "sender", "url"),
    [
        ("http://10.0.0.1:5357/d", "10.0.0.1", "http://10.0.0.1:5357/d"),
        ("https://10.0.0.1/d", "10.0.0.1", "https://10.0.0.1/d"),
        ("http://printer.local:80/d", "10.0.0.1", "http://10.0.0.1/d"),  # nobody is asked for it
        ("http://[fe80::1]:80/d", "fe80::1%eth0", "http://[fe80::1%25eth0]/d"),
        ("http://10.0.0.2/d", "10.0.0.1", None),
        ("http://127.0.0.1:22/", "10.0.0.1", None),
        ("http://[::1]/", "10.0.0.1", None),
        ("ftp://10.0.0.1/", "10.0.0.1", None),
        ("http://", "10.0.0.1", None),
        ("nonsense", "10.0.0.1", None),
    ],
)
def test_wsd_devices_are_asked_at_their_own_address_alone(
    text: str, sender: str, url: str | None
) -> None:
    found = finding.reachable(text, sender)
    assert (None if found is None else (found.host, found.path)) == (
        None if url is None else (sender, found.path if found else "")
    )


def test_wsd_metadata() -> None:
    scanner = Scanner(vendor="Acme & Co", model="Acme & Co S1")
    question = finding.metadata_question("urn:uuid:2", f"urn:uuid:{scanner.uuid}")
    found = finding.metadata(
        scanner.metadata(question, "http://h/scan"), f"urn:uuid:{scanner.uuid}"
    )
    assert (found.full_model, found.serial) == ("Acme & Co S1", "0815")
    assert (found.name, found.urls) == ("Acme in the hall", ["http://h/scan"])
    assert found.uuid == scanner.uuid.replace("-", "")


@pytest.mark.parametrize(
    ("vendor", "model", "full"),
    [
        ("Acme", "S1", "Acme S1"),
        ("Acme", "ACME S1", "ACME S1"),
        ("", "S1", "S1"),
        ("", "", "urn:uuid:1"),
    ],
)
def test_wsd_names_of_models(vendor: str, model: str, full: str) -> None:
    found = finding.Metadata()
    found.vendor, found.model, found.address = vendor, model, "urn:uuid:1"
    assert found.full_model == full


# Capabilities


def read(scanner: Scanner) -> capabilities.ScanCapabilities:
    data = soap.envelope(f"{soap.SCAN}/GetScannerElements", "urn:1", "x", capabilities.question())
    status_code, _, answered = scanner.answer(data)
    assert status_code == 200
    return capabilities.read(soap.read(answered).body)


def test_wsd_capabilities() -> None:
    found = read(Scanner(formats=("jfif", "tiff-single-g4", "tiff-single-uncompressed", "jbig")))
    assert list(found.beds) == [FLATBED, ADF, ADF_DUPLEX]
    bed = found.beds[FLATBED]
    assert (bed.least_width, bed.most_width, bed.most_height) == (8500, 8500, 11700)
    by_kind = {profile.kinds[0]: profile for profile in bed.profiles}
    assert by_kind[BITS].formats == ("image/tiff",)
    assert by_kind[RGB8].formats == ("image/jpeg", "image/tiff")
    assert by_kind[RGB8].of(RGB8).offered == (75, 100, 200, 300)
    assert found.value_of("image/tiff", BITS) == "tiff-single-g4"
    assert found.value_of("image/tiff", RGB8) == "tiff-single-uncompressed"
    assert bed.intents == ("Auto", "Document", "Photo", "Text and Graphic")


def test_wsd_a_bed_without_common_resolutions_is_none() -> None:
    with pytest.raises(DeviceIOError, match="nothing that can be scanned"):
        read(Scanner(widths=(100,), heights=(200,)))
    with pytest.raises(DeviceIOError, match="nothing that can be scanned"):
        read(Scanner(formats=("xps", "jbig")))


def test_wsd_quirks_are_found_by_the_model() -> None:
    assert quirks_of("RICOH Aficio MP 201 [1234]") == ("counts-images",)
    assert quirks_of("Acme S1") == ()


@pytest.mark.parametrize("token", ["<a>", "a&b", "<wscn:JobId>1</wscn:JobId>"])
def test_wsd_names_of_jobs_are_escaped(token: str) -> None:
    data = soap.envelope("x", "y", "z", ticket.retrieve(ticket.JobName("1", token)))
    body = soap.read(data).body
    assert body.value("RetrieveImageRequest", "JobToken") == token
    assert body.value("RetrieveImageRequest", "JobId") == "1"


@pytest.mark.parametrize("content", ["", "<JobId>1</JobId>", "<JobToken>1</JobToken>"])
def test_wsd_a_job_without_a_name_is_an_error(content: str) -> None:
    body = soap.read(message(f"<CreateScanJobResponse>{content}</CreateScanJobResponse>")).body
    with pytest.raises(DeviceIOError, match="not told its name"):
        ticket.created(body)


def test_wsd_a_status_without_reasons_is_one() -> None:
    body = soap.read(message("<ScannerStatus><ScannerState>w:Idle</ScannerState></ScannerStatus>"))
    found = status.read(body.body)
    assert (found.state, found.reasons) == ("Idle", ())
    assert status.read(soap.read(message("<x/>")).body).state == ""


# Parts

IMAGE = b"\xff\xd8\xff" + bytes(range(256)) * 40 + b"\r\n--not the boundary\xff\xd9"


def image_in(kind: str, data: bytes, piece: int = 1 << 20) -> bytes:
    boundary = mtom.boundary_of(kind)
    if not boundary:
        return mtom.without_image(data)[1]
    reader = mtom.MtomReader(boundary)
    found = []
    for at in range(0, len(data), piece):
        found += reader.feed(data[at : at + piece])
    return b"".join(found + reader.end())


@pytest.mark.parametrize("form", MULTIPART)
@pytest.mark.parametrize("piece", [1, 7, 1000, 1 << 20])
def test_row_53_the_image_does_not_depend_on_the_pieces(form: str, piece: int) -> None:
    kind, data = answer(IMAGE, "image/jpeg", "urn:uuid:1", form)
    assert image_in(kind, data, piece) == IMAGE


def test_wsd_an_image_is_handed_on_while_it_comes() -> None:
    kind, data = answer(IMAGE, "image/jpeg", "urn:uuid:1", "usual")
    reader = mtom.MtomReader(mtom.boundary_of(kind))
    found = b"".join(reader.feed(data[: len(data) // 2]))
    assert len(found) > 1000
    assert IMAGE.startswith(found)


def test_wsd_an_image_that_is_cut_off_is_what_came() -> None:
    kind, data = answer(IMAGE, "image/jpeg", "urn:uuid:1", "usual")
    assert IMAGE.startswith(image_in(kind, data[:-3000], 100)[:-10])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DeviceIOError),
        (b"x" * 100_000, DeviceIOError),
        (b"--b\r\n" + b"a: b\r\n" * 20_000, DeviceIOError),
        (b"--b\r\n\r\n\r\nno XML\r\n--b--", DeviceIOError),
        (b"--b\r\na: b\r\n\r\n" + message("<x/>") + b"\r\n--b--", DeviceIOError),
        (b"--b\r\na: b\r\n\r\n" + b" " * (2 << 20), NoMemory),
        (
            b"--b\r\na: b\r\n\r\n" + message("<x/>") + b"\r\n--b\r\na: b\r\n\r\nx" * 40,
            DeviceIOError,
        ),
    ],
)
def test_wsd_parts_without_an_image_are_an_error(data: bytes, error: type[SaneError]) -> None:
    reader = mtom.MtomReader(b"b")
    with pytest.raises(error):
        reader.feed(data)
        reader.end()


def test_wsd_heads_of_parts() -> None:
    assert mtom.head_of(b" odd\r\nno colon\r\n more\r\nA: b\r\n\tc\r\na: d") == {"a": "b c"}


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        ('multipart/related; boundary="a b"; type=x', b"a b"),
        ("Multipart/Related;boundary=ab;x=y", b"ab"),
        ('multipart/related; start="<a;b>"; boundary=c', b"c"),
        ("application/soap+xml; boundary=x", b""),
        ("", b""),
    ],
)
def test_wsd_boundaries(value: str, boundary: bytes) -> None:
    assert mtom.boundary_of(value) == boundary


@pytest.mark.parametrize("value", ["multipart/related", f"multipart/related; boundary={'x' * 300}"])
def test_wsd_no_boundary_is_an_error(value: str) -> None:
    with pytest.raises(DeviceIOError, match="without their boundary"):
        mtom.boundary_of(value)


@settings(max_examples=200)
@given(form=st.sampled_from(MULTIPART), seed=st.integers(0, 1 << 32), piece=st.integers(1, 3000))
def test_wsd_damaged_parts_never_do_worse_than_an_error(form: str, seed: int, piece: int) -> None:
    kind, data = answer(IMAGE[:2000], "image/jpeg", "urn:uuid:1", form)
    chance, damaged = random.Random(seed), bytearray(data)
    for _ in range(chance.choice((1, 5, 30))):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    del damaged[chance.randrange(len(damaged)) + 1 :]
    try:
        found = image_in(kind, bytes(damaged), piece)
    except SaneError:
        return
    assert len(found) <= len(data)
