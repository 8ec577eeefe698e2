"""The backend net on a server of the tests: lists, connections, names, options."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sane.errors import (
    AccessDenied,
    DeviceBusy,
    DeviceIOError,
    Invalid,
    SaneError,
)
from sane.net.client import Backend
from sane.values import TELL_FETCH
from sane.wire import messages as m
from sane.wire import protocol
from tests import TREE
from tests.fakes.saned import COUNT, DEPTH, MODE, FakeSaned
from tests.net.opening import backend, handle, wait_for
from tests.support.ports import full_listener


def names(made: Backend) -> list[str]:
    return [device.name for device in made.list_devices(False)]


# Listing and connections


def test_client_lists_the_devices_of_a_server(server: FakeSaned, net: Backend) -> None:
    (device,) = net.list_devices(False)
    assert device.name == "127.0.0.1:test:0"
    assert (device.vendor, device.model, device.type) == ("Noname", "fake", "virtual device")
    assert [type(request) for request in server.log] == [m.Init, m.GetDevices]


def test_client_a_local_list_is_empty_and_makes_no_connection(
    server: FakeSaned, net: Backend
) -> None:
    assert net.list_devices(True) == []
    assert server.connections == 0


def test_client_connects_once(server: FakeSaned, net: Backend) -> None:
    net.list_devices(False)
    handle(net, "127.0.0.1:test:0").close()
    net.list_devices(False)
    assert server.connections == 1


def test_client_an_ipv6_host_is_listed_in_brackets(tmp_path: Path) -> None:
    for text in ("::1", "[::1]"):
        with FakeSaned("::1") as server:
            made = backend(tmp_path, f"{text} port = {server.port}\n")
            assert names(made) == ["[::1]:test:0"]
            handle(made, "[::1]:test:0").close()
            made.exit()


def test_client_hosts_are_listed_last_configured_first(tmp_path: Path) -> None:
    with FakeSaned() as one, FakeSaned("127.0.0.2") as two:
        made = backend(
            tmp_path, f"127.0.0.1 port = {one.port}\n127.0.0.2 port = {two.port}\n127.0.0.9\n"
        )
        assert names(made) == ["127.0.0.2:test:0", "127.0.0.1:test:0"]
        made.exit()


def test_client_dead_hosts_cost_one_timeout(tmp_path: Path) -> None:
    """Ten servers that accept and say nothing; the eleventh answers."""
    silent: Any = {m.Init: lambda fake, server, request: []}
    servers = [FakeSaned(f"127.0.0.{n}", answers=silent) for n in range(2, 12)]
    with FakeSaned() as good:
        for server in servers:
            server.__enter__()
        conf = "".join(f"{s.host} port = {s.port}\n" for s in [*servers[:5], good, *servers[5:]])
        made = backend(tmp_path, f"connect_timeout = 1\n{conf}")
        begin = time.monotonic()
        assert names(made) == ["127.0.0.1:test:0"]
        assert time.monotonic() - begin < 3
        made.exit()
        for server in servers:
            server.stop()


def test_client_a_silent_host_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a connect_timeout too: a list does not wait for it."""
    monkeypatch.setattr("sane.net.client.HOSTS_SECONDS", 0.2)
    before = len(os.listdir("/proc/self/fd"))
    silent: Any = {m.Init: lambda fake, server, request: []}
    with FakeSaned() as good, FakeSaned("127.0.0.2", answers=silent) as bad:
        made = backend(tmp_path, f"127.0.0.1 port = {good.port}\n127.0.0.2 port = {bad.port}\n")
        begin = time.monotonic()
        assert names(made) == ["127.0.0.1:test:0"]
        assert time.monotonic() - begin < 3
        made.exit()
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)


@pytest.mark.parametrize("by", ["file", "variable"])
def test_client_a_host_that_does_not_answer_costs_the_timeout(tmp_path: Path, by: str) -> None:
    """A full queue stands for an address that nobody has: packets are dropped without a word."""
    with full_listener() as port:
        conf = f"connect_timeout = {1 if by == 'file' else 30}\n127.0.0.1 port = {port}\n"
        variables: Any = {} if by == "file" else {"SANE_NET_TIMEOUT": "1"}
        made = backend(tmp_path, conf, **variables)
        begin = time.monotonic()
        with pytest.raises(DeviceIOError, match="timed out"):
            made.open("127.0.0.1:test:0")
        assert 0.9 < time.monotonic() - begin < 3
        made.exit()


@pytest.mark.parametrize("status", [3, 11])
def test_client_a_status_of_init_is_passed_on(tmp_path: Path, status: int) -> None:
    answers: Any = {m.Init: lambda fake, server, _: server.reply(m.InitReply(status, 0))}
    with FakeSaned(answers=answers) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        assert names(made) == []
        with pytest.raises({3: DeviceBusy, 11: AccessDenied}[status]):
            made.open("127.0.0.1:test:0")
        made.exit()


@pytest.mark.parametrize("version", [0x01010001, 0x01010004, 0x02010003])
def test_client_a_server_of_another_version_is_refused(tmp_path: Path, version: int) -> None:
    with FakeSaned(version=version) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        assert names(made) == []
        with pytest.raises(DeviceIOError, match="the server speaks version"):
            made.open("127.0.0.1:test:0")
        made.exit()


def test_client_a_server_that_is_gone_is_contacted_anew(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    server.drop()
    with pytest.raises(DeviceIOError):
        opened.get(1)
    with pytest.raises(DeviceIOError):
        opened.start()
    opened.close()
    assert names(net) == ["127.0.0.1:test:0"]
    handle(net, "127.0.0.1:test:0").close()
    assert server.connections == 2


def test_client_exit_says_so_to_every_server(tmp_path: Path) -> None:
    with FakeSaned() as one, FakeSaned("127.0.0.2") as two:
        made = backend(tmp_path, f"127.0.0.1 port = {one.port}\n127.0.0.2 port = {two.port}\n")
        opened = [handle(made, f"127.0.0.{n}:test:0") for n in (1, 2)]
        for each in opened:
            each.close()
        made.exit()
        for server in (one, two):
            wait_for(lambda server=server: server.requests(m.Exit))
            assert len(server.requests(m.Close)) == 1


def test_client_texts_that_a_server_leaves_out_or_garbles(tmp_path: Path) -> None:
    devices = [
        m.Device("a", None, None, None),
        m.Device(None, "x", "y", "z"),
        m.Device("b", "v\n", "\udcff", ""),
    ]
    with FakeSaned(devices=devices) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        first, second = made.list_devices(False)
        assert (first.name, first.vendor, first.model) == ("127.0.0.1:a", "Noname", "unknown")
        assert (second.vendor, second.model, second.type) == ("v?", "?", "scanner")
        made.exit()


# Names


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        ("127.0.0.1:a:b:c", "a:b:c"),
        ("127.0.0.1:", ""),
        ("127.0.0.1", ""),
        ("[127.0.0.1]:x", "x"),
        ("[127.0.0.1]", ""),
        ("", ""),
        ("alias", "alias"),
    ],
)
def test_client_what_a_name_opens(server: FakeSaned, net: Backend, name: str, remote: str) -> None:
    handle(net, name).close()
    assert server.requests(m.Open) == [m.Open(remote)]


@pytest.mark.parametrize("name", [":dev", "[::1", "[]:x", "[::1]x"])
def test_client_names_that_are_none(server: FakeSaned, net: Backend, name: str) -> None:
    with pytest.raises(Invalid):
        net.open(name)
    assert server.connections == 0


def test_client_no_name_needs_a_host(tmp_path: Path) -> None:
    made = backend(tmp_path, "")
    with pytest.raises(Invalid, match="no host is configured"):
        made.open("")
    made.exit()


def test_client_a_name_without_a_colon_is_looked_for_in_order(tmp_path: Path) -> None:
    """A configured host; a device of the last configured; a host that is not configured."""

    def known(fake: FakeSaned, server: protocol.Server, request: m.Open) -> bytes:
        good = request.name in ("", "alias", "test:0")
        return server.reply(m.OpenReply(0 if good else 4, 7 if good else 0, None))

    with FakeSaned() as other, FakeSaned("127.0.0.2") as default:
        default.answers = other.answers = {m.Open: known}
        conf = f"127.0.0.1 port = {other.port}\n127.0.0.2 port = {default.port}\n"
        made = backend(tmp_path, conf)
        handle(made, "127.0.0.1").close()
        assert (other.requests(m.Open), default.connections) == ([m.Open("")], 0)
        handle(made, "alias").close()
        assert default.requests(m.Open) == [m.Open("alias")]
        with pytest.raises(DeviceIOError, match=r"no\.such\.host\.invalid"):
            made.open("no.such.host.invalid")
        assert default.requests(m.Open) == [m.Open("alias"), m.Open("no.such.host.invalid")]
        made.exit()


def test_client_a_default_host_that_denies_is_believed(tmp_path: Path) -> None:
    answers: Any = {m.Open: lambda fake, server, _: server.reply(m.OpenReply(11, 0, None))}
    with FakeSaned(answers=answers) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        with pytest.raises(AccessDenied):
            made.open("alias")
        made.exit()


# Options


def test_client_options_are_what_was_described(net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    assert [option.name for option in opened.options.declared] == ["", "depth", "mode"]
    assert opened.options.constraints == [None, (8, 16), ("Gray", "Color")]
    assert opened.get(0) == (3).to_bytes(4, "little")
    assert opened.get(2) == b"Gray\0"
    assert opened.set(1, (16).to_bytes(4, "little")) == ((16).to_bytes(4, "little"), 0)
    opened.close()


def test_client_requests_have_the_layout_of_the_original(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    opened.get(1)
    opened.get(2)
    opened.set(2, b"Gray\0")
    opened.set(2, b"Greenish\0")
    opened.set_auto(1)
    opened.close()
    assert server.requests(m.ControlOption) == [
        m.ControlOption(7, 1, 0, 1, 4, bytes(4)),
        m.ControlOption(7, 2, 0, 3, 6, bytes(6)),
        m.ControlOption(7, 2, 1, 3, 5, b"Gray\0"),
        m.ControlOption(7, 2, 1, 3, 6, b"Greeni"),
        m.ControlOption(7, 1, 2, 0, 0, b""),
    ]


def test_client_a_build_2_server_gets_its_set_auto(tmp_path: Path) -> None:
    with FakeSaned(version=0x01010002) as server:
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        connection: Any = opened.device.connection  # type: ignore[attr-defined]
        assert connection._protocol.version == 2
        made.exit()
        opened.close()


def test_client_descriptors_are_fetched_anew_after_a_reload_and_only_then(
    server: FakeSaned, net: Backend
) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    opened.descriptor(1)
    assert len(server.requests(m.GetDescriptors)) == 1
    server.descriptors = [COUNT, m.Descriptor("depth", "New", "", 1, 2, 4, 5, 0, None), MODE]
    assert opened.set(2, b"Color\0")[1] == 6
    assert opened.direct[1] == TELL_FETCH
    assert len(server.requests(m.GetDescriptors)) == 1
    opened.get(1)  # silently
    assert len(server.requests(m.GetDescriptors)) == 2
    assert opened.options.declared[1].title == "New"
    assert opened.options.changed == [1]
    assert opened.direct[1] == 0
    opened.close()


def test_client_a_reload_may_change_the_number_of_options(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    for descriptors in ([COUNT, MODE], [COUNT, DEPTH, MODE, DEPTH, MODE], [COUNT]):
        server.descriptors = descriptors
        server.values = {index: bytes(6) for index in range(9)}
        opened.options.is_stale = True  # type: ignore[attr-defined]
        assert opened.descriptor(len(descriptors) - 1).title == descriptors[-1].title
        assert len(opened.options) == len(descriptors)
        with pytest.raises(Invalid):
            opened.descriptor(len(descriptors))
    opened.close()


def test_client_a_value_of_another_size_is_not_taken(server: FakeSaned, net: Backend) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    server.answers[m.ControlOption] = lambda fake, half, request: half.reply(
        m.ControlReply(0, 6, 1, 8, bytes(8), None)
    )
    with pytest.raises(DeviceIOError, match="8 bytes came, not 4"):
        opened.get(1)
    assert opened.set(1, b"\1\0\0\0") == (b"\1\0\0\0", 6)
    server.answers[m.ControlOption] = lambda fake, half, request: half.reply(
        m.ControlReply(4, 7, request.value_type, request.value_size, request.value, None)
    )
    with pytest.raises(Invalid):
        opened.get(1)
    opened.close()


def test_client_a_text_longer_than_the_one_that_was_sent_is_not_cut(
    server: FakeSaned, net: Backend
) -> None:
    opened = handle(net, "127.0.0.1:test:0")
    server.answers[m.ControlOption] = lambda fake, half, request: half.reply(
        m.ControlReply(0, 0, request.value_type, 3, b"Gra", None)
    )
    assert opened.set(2, b"gr\0") == (b"gr\0", 0)
    opened.close()


ODD = [
    m.Descriptor(None, None, None, 1, 0, 4, 5, 0, None),
    m.Descriptor("no-size", "t", "d", 1, 0, 0, 0x25, 2, ()),
    m.Descriptor("vector", "t", "d", 2, 3, 24, 5, 1, None),
    m.Descriptor("odd", "t", "d", 0, 9, 4, 0x7F, 0, None),
    m.Descriptor("text", "t", "d", 3, 0, 0, 0x25, 3, ()),
    m.Descriptor("kind", "t", "d", 99, 0, 4, 5, 44, None),
    m.Descriptor("group", None, "d", 5, 0, 0, 0, 0, None),
]


def test_client_odd_descriptors_do_no_harm(tmp_path: Path) -> None:
    from sane.wire.records import Range

    ODD[2].constraint = Range(5, -5, -1)
    with FakeSaned(descriptors=[COUNT, *ODD]) as server:
        server.values = {index: bytes(24) for index in range(9)}
        made = backend(tmp_path, f"127.0.0.1 port = {server.port}\n")
        opened = handle(made, "127.0.0.1:test:0")
        for index, option in enumerate(opened.options.declared):
            assert opened.descriptor(index) is option
            for call in (lambda i=index: opened.get(i), lambda i=index: opened.set_auto(i)):
                try:
                    call()
                except SaneError:
                    continue
        opened.close()
        made.exit()


OPENING = """
import sys
sys.path.insert(0, sys.argv[1])
from sane.backend import Context
from sane.config import Environment
from sane.dll.registry import registry_for
from sane.transport import streams

connect = streams.ByteStream.to_address

def told(*arguments):
    stream = connect(*arguments)
    print("protocol:", "sane.wire.messages" in sys.modules)
    return stream

streams.ByteStream.to_address = told
registry_for("", Context(Environment({"SANE_CONFIG_DIR": sys.argv[2]}))).open(sys.argv[3]).close()
print("listing:", "sane.dll.listing" in sys.modules)
"""


def test_client_connects_before_it_imports_what_it_says(server: FakeSaned, tmp_path: Path) -> None:
    """The server makes a process for its client meanwhile."""
    (tmp_path / "dll.conf").write_text("net\n")
    (tmp_path / "net.conf").write_text(f"127.0.0.1 port = {server.port}\n")
    line = [sys.executable, "-I", "-c", OPENING, str(TREE), str(tmp_path), "net:127.0.0.1:test:0"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    assert done.stdout == "protocol: False\nlisting: False\n"
