"""saned.conf: the access list of the specification line by line, and the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.config import Environment, Line
from sane.sessions import access
from sane.sessions.access import PARSERS, Access, Entry, Peer
from tests import ROOT
from tests.support.addresses import ALLOW_MAPPED, ALLOW_V4, ALLOW_V6, DENY_MAPPED, DENY_V4, DENY_V6

NAMES = {"scanner.example": ["10.77.0.2", "fd00:77::2"], "elsewhere.example": ["10.9.9.9"]}
V4 = ("10.77.0.2", 40000)
V6 = ("fd00:77::2", 40000, 0, 0)
MAPPED = ("::ffff:10.77.0.2", 40000, 0, 0)


def resolve(name: str) -> list[bytes]:
    found = [access.parse_address(text) for text in NAMES.get(name.lower(), [])]
    return [address for address in found if address is not None]


def lines(text: str) -> list[Line]:
    return [Line("saned.conf", n, line.strip()) for n, line in enumerate(text.split("\n"), 1)]


def reason(text: str, address: object, host: str = "") -> str:
    peer = Peer.at(address)
    assert peer is not None
    return access.reason_to_admit(peer, Access(lines(text)), resolve, lambda: host)


@pytest.mark.parametrize(
    ("address", "text"),
    [(V4, t) for t in ALLOW_V4] + [(V6, t) for t in ALLOW_V6] + [(MAPPED, t) for t in ALLOW_MAPPED],
)
def test_access_list_lets_in(address: object, text: str) -> None:
    assert reason(text, address)


@pytest.mark.parametrize(
    ("address", "text"),
    [(V4, t) for t in DENY_V4] + [(V6, t) for t in DENY_V6] + [(MAPPED, t) for t in DENY_MAPPED],
)
def test_access_list_keeps_out(address: object, text: str) -> None:
    assert reason(text, address) == ""


@pytest.mark.parametrize(
    "address",
    [
        ("127.0.0.1", 1),
        ("127.8.9.10", 1),
        ("::1", 1, 0, 0),
        ("::ffff:127.0.0.1", 1, 0, 0),
    ],
)
def test_access_of_this_machine_needs_no_list(address: object) -> None:
    assert reason("", address) == "this machine"


def test_access_by_the_machines_own_name() -> None:
    assert reason("", V4, "scanner.example") == "this machine by its name"
    assert reason("", V4, "unresolvable.example") == ""


def test_access_by_address_asks_no_name_service() -> None:
    """A broken one must not lock out who is named by address, whatever stands before."""

    def broken(name: str) -> list[bytes]:
        raise AssertionError(f"asked for {name!r}")

    peer = Peer.at(V4)
    assert peer is not None
    found = Access(lines("scanner.example\n10.77.0.0/16"))
    assert access.reason_to_admit(peer, found, broken, lambda: "x") == "saned.conf:2"


def test_access_tells_which_line_lets_in() -> None:
    assert reason("# all of us\n10.77.0.0/24\n+", V4) == "saned.conf:2"


def test_a_peer_without_an_address_is_nobody() -> None:
    assert Peer.at(None) is None
    assert Peer.at("") is None
    assert Peer.at(("not an address", 1)) is None


def test_peers_are_the_same_host_in_either_form() -> None:
    one, other = Peer.at(V4), Peer.at(MAPPED)
    third = Peer.at(V6)
    assert one and other and third
    assert one.is_same_host(other) and other.is_same_host(one)
    assert not one.is_same_host(third)


FLAWS = (
    ("10.77.0.2 # c", "comments on lines of their own"),
    ("10.77.0.*", "there are no patterns"),
    ("-host", "no entry can forbid"),
    ("name/24", "begins with a numeric address"),
    ("10.0.0.0/33", "from 0 to 32"),
    ("[fd00::]/129", "from 0 to 128"),
    ("[fd00::1", "] is missing"),
    ("[fd00::/64]", "] is missing before the /"),
    ("Käse$", "neither an address nor a host name"),
)


@pytest.mark.parametrize(("text", "flaw"), FLAWS)
def test_access_list_says_what_is_wrong_with_a_line(text: str, flaw: str) -> None:
    problems = Access(lines(f"\n{text}")).problems
    assert len(problems) == 1
    assert problems[0].startswith(f"saned.conf:2: {text}: ")
    assert flaw in problems[0]


def test_an_entry_without_a_flaw_has_none() -> None:
    for text in ("+", "host.example", "10.0.0.0/8", "[::]/0", "fe80::1%eth0"):
        assert Entry(Line("f", 1, text)).flaw == "", text


# Settings


def test_settings_have_the_documented_defaults() -> None:
    settings = Access([]).settings
    assert settings.data_portrange == (0, 0)
    assert settings.data_connect_timeout == 4.0
    assert (settings.max_clients, settings.max_clients_per_host, settings.max_handles) == (
        *(64, 32),
        64,
    )
    assert (settings.idle_timeout, settings.request_timeout) == (3600, 60)
    assert not (settings.hosts_equiv or settings.share_net or settings.share_files)
    assert settings.announce
    assert settings.listen_unix == ""


VALUES = (
    ("data_portrange = 10000 - 10100", "data_portrange", (10000, 10100)),
    ("data_portrange=1-65535", "data_portrange", (1, 65535)),
    ("data_portrange = 5 -\t5", "data_portrange", (5, 5)),
    ("data_connect_timeout = 250", "data_connect_timeout", 0.25),
    ("data_connect_timeout = 0", "data_connect_timeout", 0.0),
    ("max_clients = 200", "max_clients", 200),
    ("idle_timeout = 0", "idle_timeout", 0.0),
    ("share_net = Yes", "share_net", True),
    ("announce = no", "announce", False),
    ("listen_unix = /run/saned.sock", "listen_unix", "/run/saned.sock"),
)


@pytest.mark.parametrize(("text", "name", "value"), VALUES)
def test_settings_are_read(text: str, name: str, value: object) -> None:
    found = Access(lines(text))
    assert found.problems == []
    assert found.entries == []
    assert getattr(found.settings, name) == value


def test_the_last_line_of_a_setting_counts() -> None:
    assert Access(lines("max_clients=3\nmax_clients=4")).settings.max_clients == 4


REFUSED = (
    *("data_portrange = 10-5", "data_portrange = 70000-70001", "data_portrange = 10000"),
    *("data_portrange = -1 - 5", "data_portrange = 1 - x5", "data_portrange = 1--5"),
    *("data_portrange = 1 - 99999999999999999999", "data_portrange = ٢-٣"),
    *("data_portrange = a-b", "data_portrange =", "data_connect_timeout = 65536"),
    *("data_connect_timeout = -1", "data_connect_timeout = 4s", "max_clients = 0"),
    *("max_clients = 99999999999999999999", "max_handles = 1e3", "share_net = perhaps"),
    *("listen_unix = run/saned.sock", f"listen_unix = /{'x' * 99}", "request_timeout = 0"),
)


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_value_is_named_and_leaves_the_default(text: str) -> None:
    found = Access(lines(f"# first\n{text}"))
    key = text.partition("=")[0].strip()
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"saned.conf:2: {key}: ")
    assert getattr(found.settings, key) == getattr(Access([]).settings, key)


@pytest.mark.parametrize(
    ("text", "surplus"),
    [
        ("20000 - 20010 extra", "'extra' is ignored"),
        ("20000 - 20010, 20020", "', 20020' is ignored"),
        ("20000-20010;", "';' is ignored"),
        ("20000x - 20010", "'x' is ignored"),
        ("20000 tcp - 20010 tcp # both", "'tcp' and 'tcp' is ignored"),
        ("20000-20010-3", "'-3' is ignored"),
        ("+20000 - +20010", ""),
        ("020000 - 00000000020010", ""),
    ],
)
def test_a_port_range_counts_whatever_follows_its_numbers(text: str, surplus: str) -> None:
    """As with other saned programs; any port instead of these would end at the firewall."""
    found = Access(lines(f"data_portrange = {text}"))
    assert found.settings.data_portrange == (20000, 20010)
    expected = f"saned.conf:1: data_portrange: {surplus}; the range is 20000 - 20010"
    assert found.problems == ([expected] if surplus else [])


@pytest.mark.parametrize("text", ["xx data_portrange = 1-2", "=", "portrange = 1-2", "10.0.0.1=1"])
def test_an_unknown_setting_is_named_and_lets_nobody_in(text: str) -> None:
    found = Access(lines(text))
    assert "unknown setting" in found.problems[0]
    assert found.entries == []
    assert found.settings.data_portrange == (0, 0)


def test_saned_conf_is_found_by_the_usual_search(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    (second / "saned.conf").write_text("10.0.0.0/8\nmax_clients = 5\n")
    environment = Environment({"SANE_CONFIG_DIR": f"{first}:{second}"})
    found = Access.read(environment)
    assert found.file == f"{second}/saned.conf"
    assert len(found.entries) == 1
    assert found.settings.max_clients == 5
    assert Access.read(Environment({"SANE_CONFIG_DIR": str(first)})).file == ""


def test_hosts_equiv_is_read_only_if_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    equivalent = tmp_path / "hosts.equiv"
    equivalent.write_text("10.77.0.2\n+bad host\nx=1\n")
    monkeypatch.setattr(access, "HOSTS_EQUIV", str(equivalent))
    environment = Environment({"SANE_CONFIG_DIR": str(tmp_path)})
    (tmp_path / "saned.conf").write_text("")
    assert Access.read(environment).entries == []
    (tmp_path / "saned.conf").write_text("hosts_equiv = yes\n")
    found = Access.read(environment)
    assert [entry.address for entry in found.entries] == [bytes((10, 77, 0, 2)), None]


def test_the_shipped_file_shows_every_setting_with_its_default() -> None:
    text = (ROOT / "etc" / "saned.conf").read_text()
    shown = [line[1:] for line in text.split("\n") if line.startswith("#") and " = " in line]
    found = Access(lines("\n".join(line for line in shown if line.partition(" ")[0] in PARSERS)))
    settings, defaults = found.settings, Access([]).settings
    assert {line.partition(" ")[0] for line in shown} >= set(PARSERS)
    assert found.problems == []
    for key in set(PARSERS) - {"listen_unix"}:
        assert getattr(settings, key) == getattr(defaults, key), key


def test_the_shipped_file_lets_nobody_in() -> None:
    found = Access(lines((ROOT / "etc" / "saned.conf").read_text()))
    assert (found.entries, found.problems) == ([], [])


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("data_portrange = 10000 - 10100 # firewall", "data_portrange", (10000, 10100)),
        ("data_portrange=10000-10100#x", "data_portrange", (10000, 10100)),
        ("data_portrange = 10000 - 10100 # not - this", "data_portrange", (10000, 10100)),
        ("data_portrange = 10000 # a - 10100", "data_portrange", (0, 0)),
        ("data_portrange = # 10000 - 10100", "data_portrange", (0, 0)),
        ("data_connect_timeout = 3000 # ms", "data_connect_timeout", 3.0),
        ("data_connect_timeout = # c", "data_connect_timeout", 4.0),
        ("max_clients = 5 # few", "max_clients", 5),
        ("idle_timeout = 5# s", "idle_timeout", 5.0),
        ("announce = no # hidden", "announce", False),
        ("listen_unix = /run/a#b/c # here", "listen_unix", "/run/a#b/c"),
        ("listen_unix = # nowhere", "listen_unix", ""),
        ("# max_clients = 5", "max_clients", 64),
    ],
)
def test_a_comment_may_follow_a_setting(text: str, name: str, value: object) -> None:
    assert getattr(Access(lines(text)).settings, name) == value


@pytest.mark.parametrize("name", ["scanhöst", "scanh\udcf6st", "a" * 70, "x." + "b" * 64])
def test_a_name_is_asked_for_as_it_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def getaddrinfo(host: object, *_: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", ("10.77.0.2", 0))]

    monkeypatch.setattr("sane.sessions.access._socket.getaddrinfo", getaddrinfo)
    found = Access(lines(name))
    assert not found.problems
    peer = Peer.at(V4)
    assert peer is not None
    reason = access.reason_to_admit(peer, found, access.resolve_name, lambda: "")
    assert reason == "saned.conf:1"
    assert asked == [name.encode("utf-8", "surrogateescape")]
