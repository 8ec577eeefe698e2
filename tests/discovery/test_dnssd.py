"""Discovery: what avahi-browse and python-zeroconf say, and when nobody is asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sane.config import Environment
from sane.debug import Debug
from sane.discovery import dnssd, mdns
from sane.discovery.service import Service, unescape
from sane.wire import DNSSD_TYPE as TYPE
from tests.support.avahi import OUTPUT, program

DEBUG = Debug("net", Environment({}))
LONG = 10.0


def test_dnssd_reads_what_avahi_says() -> None:
    found = [(host.name, host.port, host.address) for host in dnssd.parse(OUTPUT)]
    assert found == [
        ("server.local", 6566, "192.0.2.7"),
        ("server.local", 6566, "fe80::1%eth0"),
        ("other.local", 7000, "fe80::2%eth1"),
    ]


def test_dnssd_tells_what_services_say_of_themselves() -> None:
    line = r"=;eth0;IPv4;EPSON\032DS-530\032\0401A\041;_scanner._tcp;local;a.local;192.0.2.7;1865;"
    (service,) = dnssd.parse(line + '"mdl=DS-530" "Note=a;b" "mfg=EPSON" "mdl=other"')
    assert (service.instance, service.address) == ("EPSON DS-530 (1A)", "192.0.2.7")
    assert service.texts == {"mdl": "DS-530", "note": "a;b", "mfg": "EPSON"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r"a\032b", "a b"),
        (r"\195\164", "ä"),
        (r"\999", r"\999"),
        ("\\", "\\"),
        (r"\12", r"\12"),
        (r"a\.b\\c", r"a.b\c"),
        (r"\\032", r"\032"),
    ],
)
def test_dnssd_escapes_of_names(text: str, meant: str) -> None:
    assert unescape(text) == meant


def test_dnssd_a_program_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "=;eth0;IPv4;a;_sane-port._tcp;local;server.local;192.0.2.7;6566;"
    program(tmp_path, monkeypatch, f"echo '{line}'\nexec sleep 60\n")
    begin = time.monotonic()
    assert [host.name for host in dnssd.services(TYPE, DEBUG, 0.2)] == ["server.local"]
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("rows", "is_over"),
    [
        ([], False),
        (["+;eth0;IPv4;a;_x._tcp;local"], False),
        (["+;eth0;IPv4;a;_x._tcp;local", "=;eth0;IPv4;a;_x._tcp;local;h;192.0.2.7;80;"], True),
        (
            [
                *("+;eth0;IPv4;a;_x._tcp;local", "+;eth0;IPv6;a;_x._tcp;local"),
                "=;eth0;IPv4;a;_x._tcp;local;h;192.0.2.7;80;",
            ],
            False,
        ),
        (["=;eth0;IPv4;a;_x._tcp;local;h;192.0.2.7;80;"], True),
    ],
)
def test_dnssd_a_list_goes_on_when_all_that_was_found_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], is_over: bool
) -> None:
    """avahi-browse goes on for a second and more; who is in its cache need not wait for it."""
    assert dnssd.is_complete("\n".join(rows)) == is_over
    script = "".join(f"echo '{row}'\n" for row in rows)
    program(tmp_path, monkeypatch, f"{script}exec sleep 60\n")
    monkeypatch.setattr(mdns, "GROUPS", ())
    begin = time.monotonic()
    found = dnssd.services("_x._tcp", DEBUG, LONG if is_over else 2.0)
    assert time.monotonic() - begin < LONG / 2
    assert len(found) == sum(row.startswith("=") for row in rows)


def test_dnssd_the_cache_is_asked_before_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "=;eth0;IPv4;a;_x._tcp;local;h.local;192.0.2.7;80;"
    for warm in (True, False):
        option = "-rpc" if warm else "-rpt"
        log = tmp_path / option
        script = f"echo $1 >> {log}\n[ $1 != {option} ] || echo '{row}'\n"
        program(tmp_path, monkeypatch, script)
        assert [it.name for it in dnssd.services("_x._tcp", DEBUG, LONG)] == ["h.local"]
        assert log.read_text().split() == ["-rpc", "-rpt"][: 1 if warm else 2]


def test_dnssd_who_has_found_one_type_does_not_wait_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = "=;eth0;IPv4;a;_x._tcp;local;h.local;192.0.2.7;80;"
    script = f"[ $1 = -rpc ] || exec sleep 60\n[ $2 != _x._tcp ] || echo '{row}'\n"
    program(tmp_path, monkeypatch, script)
    begin = time.monotonic()
    found = dnssd.services_of(("_y._tcp", "_x._tcp"), DEBUG, LONG)
    assert time.monotonic() - begin < LONG / 2
    assert {type: [it.name for it in services] for type, services in found.items()} == {
        "_y._tcp": [],
        "_x._tcp": ["h.local"],
    }


def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every way to ask."""
    monkeypatch.setattr(dnssd, "PROGRAM", "/nonexistent")
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    monkeypatch.setattr(mdns, "GROUPS", ())


def test_dnssd_without_any_means_finds_nothing_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nobody(monkeypatch)
    debug = Debug("net", Environment({"SANE_DEBUG_NET": "2"}))
    assert dnssd.services(TYPE, debug, LONG) == []
    stderr = capfd.readouterr().err
    assert f"discovery of {TYPE}: [Errno 2]" in stderr
    assert f"discovery of {TYPE}: import of zeroconf halted" in stderr


def test_dnssd_asks_the_network_where_nobody_else_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody(monkeypatch)
    asked: list[tuple[str, float]] = []

    def browse(
        types: Sequence[str], _debug: Debug, seconds: float, cancel: object
    ) -> dict[str, list[Service]]:
        asked.extend((type, seconds) for type in types)
        return {type: [Service("a.local", 6566, "192.0.2.7", "a", {})] for type in types}

    monkeypatch.setattr(mdns, "browse_all", browse)
    assert [it.name for it in dnssd.services(TYPE, DEBUG, 5.0)] == ["a.local"]
    program(tmp_path, monkeypatch, "exit 1\n")  # there is no daemon
    assert [it.name for it in dnssd.services(TYPE, DEBUG, 5.0)] == ["a.local"]
    assert all(type == TYPE and seconds > 1.0 for type, seconds in asked)
    program(tmp_path, monkeypatch, "exec sleep 60\n")  # the time is over then
    assert dnssd.services(TYPE, DEBUG, 0.05) == []
    assert len(asked) == 2


def test_dnssd_asks_zeroconf_where_there_is_no_avahi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with the names of python-zeroconf that are used."""
    closed = []

    class Network:
        def __init__(self, **where: Any) -> None:
            pass

        def __enter__(self) -> Network:
            return self

        def __exit__(self, *exc: object) -> None:
            closed.append("network")

        def get_service_info(self, service: str, name: str, timeout: int) -> Any:
            assert service == "_sane-port._tcp.local."
            if name == "gone":
                return None
            return SimpleNamespace(
                server=f"{name}.local.", port=7000, parsed_scoped_addresses=lambda: ["192.0.2.8"]
            )

    def browser(network: Network, services: list[str], listener: Any) -> Any:
        (service,) = services
        for name in ("a", "b", "gone"):
            listener.add_service(network, service, name)
        listener.remove_service(network, service, "b")
        return SimpleNamespace(cancel=lambda: closed.append("browser"))

    monkeypatch.setattr(dnssd, "PROGRAM", "/nonexistent")
    module: Any = SimpleNamespace(Zeroconf=Network, ServiceBrowser=browser)
    monkeypatch.setitem(sys.modules, "zeroconf", module)
    (host,) = dnssd.services(TYPE, DEBUG, 0.5)
    assert (host.name, host.port, host.address) == ("a.local", 7000, "192.0.2.8")
    assert closed == ["browser", "network"]
