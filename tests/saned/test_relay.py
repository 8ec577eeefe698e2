"""A server that shares the scanners of another server, which is off unless it is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from sane.wire import messages
from tests.support.ports import PORT, loopback_address
from tests.support.saned import Saned, configure, read_all, split_frame


def test_devices_of_another_server_are_listed_if_the_network_is_allowed(tmp_path: Path) -> None:
    address = loopback_address()
    with Saned(configure(tmp_path / "far"), address=address, port=PORT):
        config = configure(tmp_path / "near", "net\n", net_conf=f"{address}\n")
        with Saned(config, "-n") as near, near.client() as client:
            listed = client.ask(messages.GetDevices()).devices
            assert [device.name for device in listed] == [f"net:{address}:test:{n}" for n in (0, 1)]
            assert client.open(listed[0].name) == 0
            frame = split_frame(read_all(client.start(0)))
            assert len(frame[0]) > 0
            client.ask(messages.Cancel(0))


def test_a_server_that_leads_to_itself_answers_all_the_same(tmp_path: Path) -> None:
    """net.conf names the server: each list asks for another one, until a limit ends it."""
    address = loopback_address()
    config = configure(
        tmp_path, "net\ntest\n", net_conf=f"{address}\n", saned_conf="max_clients_per_host = 3\n"
    )
    with Saned(config, "-n", address=address, port=PORT) as server, server.client() as client:
        names = [device.name for device in client.ask(messages.GetDevices()).devices]
        assert {"test:0", f"net:{address}:test:0"} <= set(names)


@pytest.mark.parametrize("shared", [True, False])
def test_devices_of_another_server_are_relayed_if_wanted(tmp_path: Path, shared: bool) -> None:
    address = loopback_address()
    with Saned(configure(tmp_path / "far"), address=address, port=PORT) as far:
        config = configure(
            tmp_path / "near",
            "net\n",
            net_conf=f"{address}\n",
            saned_conf=f"share_net = {'yes' if shared else 'no'}\n",
        )
        name = f"net:{address}:test:0"
        with Saned(config) as near, near.client() as client:
            assert client.ask(messages.GetDevices()).devices == []  # local ones only
            if not shared:
                assert client.ask(messages.Open(name)).status == 4
                return
            relayed = split_frame(read_all(client.start(client.open(name))))
            client.ask(messages.Cancel(0))
        with far.client() as direct:
            assert split_frame(read_all(direct.start(direct.open()))) == relayed
