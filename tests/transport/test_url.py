"""Addresses in texts: what is one, what is none, and where a reference leads."""

from __future__ import annotations

import pytest

from sane.errors import Invalid
from sane.transport.url import Url, split_port

ADDRESSES = [
    ("http://192.0.2.7", "http", "192.0.2.7", 80, ""),
    ("HTTPS://scanner.local:8443/eSCL/", "https", "scanner.local", 8443, "/eSCL/"),
    ("bjnp://office", "bjnp", "office", 0, ""),
    ("bjnp://192.0.2.7:8612/timeout=500", "bjnp", "192.0.2.7", 8612, "/timeout=500"),
    ("http://[fe80::1%25eth0]:80/x", "http", "fe80::1%eth0", 80, "/x"),
    ("http://[::1]", "http", "::1", 80, ""),
    ("http://2001:db8::1/x", "http", "2001:db8::1", 80, "/x"),
    ("http://host?query#fragment", "http", "host", 80, "/?query"),
]


@pytest.mark.parametrize(("text", "scheme", "host", "port", "path"), ADDRESSES)
def test_url_parts(text: str, scheme: str, host: str, port: int, path: str) -> None:
    url = Url.parse(text)
    assert (url.scheme, url.host, url.port, url.path) == (scheme, host, port, path)
    again = Url.parse(str(url))
    assert (again.host, again.port, again.path) == (host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "host", "http:/host", "http://", "http:///x", "http://:80", "http://[::1", "://x"),
        *(
            "http://[host]:80",
            "http://h:0",
            "http://h:65536",
            "http://h:1x",
            "http://h:",
            "a b://c",
        ),
        *("http://user@host/", "http://h o st/", "http://host\r\nX: y", "http://h/" + "x" * 3000),
        *("http://h:99999999999999999999", "http://[::1]x", "http://h:\u0663"),
    ],
)
def test_url_what_is_none_is_named(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        Url.parse(text)
    assert repr(text)[1:20] in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("ScannerStatus", "http://h:81/eSCL/ScannerStatus"),
        ("/other/x?y=http://z/", "http://h:81/other/x?y=http://z/"),
        ("https://i/x", "https://i/x"),
        ("//i:82/x", "http://i:82/x"),
        ("ScanJobs/urn:uuid:17", "http://h:81/eSCL/ScanJobs/urn:uuid:17"),
    ],
)
def test_url_where_a_reference_leads(reference: str, meant: str) -> None:
    assert str(Url.parse("http://h:81/eSCL/caps?x").join(reference)) == meant


@pytest.mark.parametrize("reference", ["", "a b", "a\r\nb", "http://[fe80/eSCL/ScanJobs/1"])
def test_url_a_reference_that_leads_nowhere(reference: str) -> None:
    with pytest.raises(Invalid):
        Url.parse("http://h/").join(reference)


@pytest.mark.parametrize(
    ("text", "found"),
    [("h", ("h", 0)), ("h:1", ("h", 1)), ("::1", ("::1", 0)), ("[::1]:2", ("::1", 2))],
)
def test_url_host_and_port(text: str, found: tuple[str, int]) -> None:
    assert split_port(text) == found
