"""Multicast DNS of emulated devices: questions in, answers out, and a network of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from sane.discovery import dns
from sane.testing.mdns import Announced, answer, encoded, questions
from tests import ROOT
from tests.conftest import ABSENT

TYPE = ("_uscan", "_tcp", "local")
SERVICE = Announced("My Scanner", "_uscan._tcp", 8080, {"rs": "eSCL", "x": None}, "box.local",
                    ("192.0.2.7", "2001:db8::7"))  # fmt: skip


def query(*names: str, kind: int = dns.PTR) -> bytes:
    return dns.query((dns.name_of(name), kind) for name in names)


def test_questions_of_hosts() -> None:
    asked = questions(query("_uscan._tcp.local", "x.local"))
    assert asked == [(TYPE, dns.PTR, True), (("x", "local"), dns.PTR, True)]
    assert questions(answer([SERVICE], None)) == []  # an answer asks nothing
    packed = query("_uscan._tcp.local")
    again = packed[:4] + b"\0\2" + packed[6:] + b"\x01y\xc0\x0c\0\x01\0\x01"
    assert questions(again)[1] == (("y", *TYPE), dns.A, False)


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 11, query("a.local")[:-1], bytes(4) + b"\0\1" + bytes(6) + b"\xc0\x0c"]
)
def test_garbage_asks_nothing(data: bytes) -> None:
    assert questions(data) == []


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("_uscan._tcp.local", dns.PTR, 6),
        ("_USCAN._tcp.local", dns.PTR, 6),
        ("_services._dns-sd._udp.local", dns.PTR, 6),
        ("My Scanner._uscan._tcp.local", dns.SRV, 6),
        ("box.local", dns.A, 6),
        ("box.local", 255, 6),
        ("_ipp._tcp.local", dns.PTR, 0),
        ("box.local", dns.TXT, 0),
    ],
)
def test_answers_have_all_that_goes_with_them(name: str, kind: int, count: int) -> None:
    data = answer([SERVICE], questions(query(name, kind=kind)))
    assert len(dns.parse(data)) == count if count else data == b""


def test_an_answer_to_a_host_that_keeps_nothing_repeats_its_question() -> None:
    asked = b"\x12\x34" + query("_uscan._tcp.local")[2:]
    data = answer([SERVICE], questions(asked), 10, asked)
    assert data[:2] == b"\x12\x34"
    assert data[12:].startswith(encoded(TYPE) + b"\0\x0c\0\x01")
    records = {record.type: record.value for record in dns.parse(data)}
    assert records[dns.SRV] == ((b"box", b"local"), 8080)
    assert records[dns.TXT] == [b"rs=eSCL", b"x"]
    assert records[dns.A] == bytes((192, 0, 2, 7))


def test_in_a_network_of_its_own() -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip(f"{ABSENT}unshare (util-linux) or ip (iproute2)")
    program = [sys.executable, "-m", "tests.testing.mdns_namespace"]
    command = ["unshare", "--map-root-user", "--net", *program]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    if "unshare:" in done.stderr:
        pytest.skip(f"{ABSENT}a network namespace ({done.stderr.strip()})")
    assert done.stdout == "all is well\n", done.stderr
