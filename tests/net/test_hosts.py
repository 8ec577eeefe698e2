"""net.conf, SANE_NET_HOSTS, SANE_NET_TIMEOUT and device names (net-protocol 7.1 to 7.4)."""

from __future__ import annotations

import pytest

from sane.config import Environment, Line
from sane.debug import Debug
from sane.errors import Invalid
from sane.net.hosts import NetConf, load, split_device, split_hosts
from sane.wire import PORT

DEBUG = Debug("net", Environment({}))


def settings(text: str = "", **variables: str) -> NetConf:
    lines = [Line("net.conf", n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
    return load(Environment(variables), lines, DEBUG)


def names(found: NetConf) -> list[str]:
    return [host.name for host in found.hosts]


def test_hosts_of_the_file_come_last_configured_first() -> None:
    assert names(settings("a\nb\n::1\n[fe80::1%eth0]\nb\n")) == ["fe80::1%eth0", "::1", "b", "a"]


def test_hosts_of_the_environment_come_before_those_of_the_file() -> None:
    assert names(settings("a\nb", SANE_NET_HOSTS="c:b:d")) == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a:b", ["a", "b"]),
        ("[::1]", ["::1"]),
        ("a:[::1]:b", ["a", "::1", "b"]),
        ("::1", ["1"]),
        ("a:", ["a"]),
        ("::", []),
        ("", []),
        ("[::1", []),
        ("[name]:b", ["name", "b"]),
        (" a ", [" a "]),
        ("[::1]x:b", ["b"]),
        ("[]:b", ["b"]),
    ],
)
def test_hosts_the_variable_is_split_at_colons_outside_brackets(
    text: str, found: list[str]
) -> None:
    assert list(split_hosts(text)) == found


def test_hosts_a_duplicate_of_the_variable_is_ignored() -> None:
    assert names(settings(SANE_NET_HOSTS="[::1]:[::1]:b")) == ["b", "::1"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("connect_timeout = 3", 3.0),
        ("connect_timeout=7", 7.0),
        ("connect_timeout = 7 # s", 7.0),
        ("localhost # connect_timeout = 7", 7.0),
        ("connect_timeout = 3\nconnect_timeout = 4", 4.0),
        ("xx connect_timeout yy = 5", 5.0),
        ("connect_timeout = 3\nconnect_timeout =", 3.0),
        ("connect_timeout = 3\nconnect_timeout 9", 3.0),
        ("connect_timeout = many", None),
        ("connect_timeout = 0", None),
        ("connect_timeout = -1", None),
        ("", None),
    ],
)
def test_hosts_connect_timeout(text: str, seconds: float | None) -> None:
    found = settings(text)
    assert found.connect_seconds == seconds
    assert found.hosts == []


@pytest.mark.parametrize(("value", "seconds"), [("9", 9.0), ("", None), ("x", None), ("0", None)])
def test_hosts_the_variable_overrides_the_timeout_whenever_set(
    value: str, seconds: float | None
) -> None:
    assert settings("connect_timeout = 3", SANE_NET_TIMEOUT=value).connect_seconds == seconds


def test_hosts_our_own_settings() -> None:
    found = settings("reply_timeout = 5\ndiscovery = yes\nscanner port = 7000\n[::1] port=7001\n")
    assert (found.reply_seconds, found.discovery) == (5.0, True)
    assert [(host.name, host.port) for host in found.hosts] == [("::1", 7001), ("scanner", 7000)]


@pytest.mark.parametrize(
    "line", ["discovery = maybe", "a port = 0", "a port = 70000", "a port = x", "colour = red"]
)
def test_hosts_a_setting_that_is_none_is_named_and_ignored(
    line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    load(Environment({}), [Line("net.conf", 1, line)], Debug("net", Environment({})))
    debug = Debug("net", Environment({"SANE_DEBUG_NET": "1"}))
    found = load(Environment({}), [Line("net.conf", 1, line)], debug)
    assert found.hosts == []
    assert f"net.conf:1: not understood, ignored: {line}" in capfd.readouterr().err


def test_hosts_the_port_is_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(name: str, protocol: str) -> int:
        assert (name, protocol) == ("sane-port", "tcp")
        return 4711

    monkeypatch.setattr("_socket.getservbyname", known)
    assert settings("a").hosts[0].port == 4711


def test_hosts_the_port_is_6566_where_the_service_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str, protocol: str) -> int:
        raise OSError

    monkeypatch.setattr("_socket.getservbyname", unknown)
    assert settings("a").hosts[0].port == PORT == 6566


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("h:a:b:c", ("h", "a:b:c")),
        ("h", ("h", None)),
        ("h:", ("h", "")),
        ("[::1]", ("::1", "")),
        ("[::1]:x:y", ("::1", "x:y")),
        ("[1.2.3.4]:x", ("1.2.3.4", "x")),
        ("", ("", None)),
    ],
)
def test_hosts_a_device_name_is_split(name: str, found: tuple[str, str | None]) -> None:
    assert split_device(name) == found


@pytest.mark.parametrize("name", [":dev", "[::1", "[]", "[]:x", "[::1]x"])
def test_hosts_what_is_no_device_name(name: str) -> None:
    with pytest.raises(Invalid):
        split_device(name)


def test_hosts_comments_may_follow_our_own_settings() -> None:
    """Behind a host the original takes none, and looks for a host of that name."""
    text = "reply_timeout = 9 # s\ndiscovery = yes # DNS-SD\na port = 6567 # moved\nb # c"
    found = settings(text)
    assert (found.reply_seconds, found.discovery) == (9.0, True)
    assert [(host.name, host.port) for host in found.hosts][1:] == [("a", 6567)]
    assert found.hosts[0].name == "b # c"
