"""Clients that leave and drivers that stay: who frees the device, and what is finished before."""

from __future__ import annotations

import socket
import struct

import pytest

from sane.wire import messages
from tests.support.saned import Client, Saned
from tests.support.saned_requests import option, set_word
from tests.support.timing import wait_until


def test_a_client_that_vanishes_during_a_frame_frees_the_device(odd: Saned) -> None:
    client = odd.client()
    handle = client.open("odd:0")
    set_word(client, handle, option(client, handle, "block"), 0, 1)
    stream = client.start(handle)
    odd.wait_for("odd: reading")
    client.close()
    assert wait_until(lambda: is_free(odd), 1.0)
    odd.wait_for("odd: finish True")
    odd.wait_for("odd: close")
    stream.close()


def is_free(server: Saned) -> bool:
    """Tell whether another client can open the device."""
    with server.client() as client:
        status = client.ask(messages.Open("odd:0")).status
    assert status in (0, 3)
    return bool(status == 0)


@pytest.mark.parametrize("name", ["obedient", "stubborn"])
def test_a_client_that_vanishes_during_a_call_of_the_driver_frees_the_device(
    odd: Saned, name: str
) -> None:
    client = odd.client()
    handle = client.open("odd:0")
    index = option(client, handle, name)
    client.send(messages.ControlOption(handle, index, 1, 0, 4, struct.pack("=i", 1)).encode())
    odd.wait_for("odd: waiting" if name == "obedient" else "odd: sleeping")
    client.close()
    assert wait_until(lambda: is_free(odd), 1.5)
    odd.wait_for_children(0)


def test_a_client_that_vanishes_under_a_stuck_read_frees_the_device(odd: Saned) -> None:
    client = odd.client()
    handle = client.open("odd:0")
    set_word(client, handle, option(client, handle, "stuck"), 0, 1)
    stream = client.start(handle)
    odd.wait_for("odd: stuck")
    client.close()
    stream.close()
    assert wait_until(lambda: is_free(odd), 1.5)


def test_a_client_is_served_while_another_ones_driver_is_stuck(odd: Saned) -> None:
    client = odd.client()
    handle = client.open("odd:0")
    index = option(client, handle, "stubborn")
    client.send(messages.ControlOption(handle, index, 1, 0, 4, struct.pack("=i", 1)).encode())
    odd.wait_for("odd: sleeping")
    with odd.client() as other:
        assert len(other.ask(messages.GetDevices()).devices) == 1
    client.close()


def late(server: Saned, client: Client) -> tuple[int, socket.socket]:
    """Return a device and its frame, whose driver is in a read that takes longer than a cancel."""
    handle = client.open("odd:0")
    set_word(client, handle, option(client, handle, "late"), 1, 7)
    stream = client.start(handle)
    server.wait_for("odd: late")
    return handle, stream


def test_a_driver_that_ignores_cancel_finishes_when_it_is_back(odd: Saned) -> None:
    with odd.client() as client:
        handle, stream = late(odd, client)
        client.ask(messages.Cancel(handle))
        odd.wait_for("its driver does not come back")
        assert client.ask(messages.Start(handle)).status == 3
        assert client.ask(messages.GetDescriptors(handle)).descriptors == []
        odd.wait_for("odd: finish")
        stream.close()
        assert wait_until(lambda: client.ask(messages.Start(handle)).status == 0, 5.0)


def test_a_driver_that_ignores_close_closes_when_it_is_back(odd: Saned) -> None:
    with odd.client() as client:
        handle, stream = late(odd, client)
        client.ask(messages.Close(handle))
        assert client.ask(messages.Open("odd:0")).status == 3
        odd.wait_for("odd: close")
        stream.close()
        assert wait_until(lambda: client.ask(messages.Open("odd:0")).status == 0, 5.0)


def resting(client: Client, **settings: int) -> int:
    """Open the device; its finish takes two seconds."""
    handle = client.open("odd:0")
    for name, value in {"rest": 2, **settings}.items():
        kind = 0 if name == "block" else 1
        set_word(client, handle, option(client, handle, name), kind, value)
    return handle


@pytest.mark.parametrize("request_class", [messages.Cancel, messages.Close])
def test_a_client_that_vanishes_while_a_driver_finishes_lets_it(
    odd: Saned, request_class: type[messages.Cancel | messages.Close]
) -> None:
    client = odd.client()
    handle = resting(client, block=1)
    stream = client.start(handle)
    odd.wait_for("odd: reading")
    client.send(request_class(handle).encode())
    odd.wait_for("odd: finish True")
    client.close()
    odd.wait_for("odd: at rest")
    odd.wait_for("odd: close")
    stream.close()


def test_a_client_that_vanishes_in_a_start_that_fails_lets_it_finish(odd: Saned) -> None:
    client = odd.client()
    handle = resting(client, failure=9)
    client.send(messages.Start(handle).encode())
    odd.wait_for("odd: finish")
    client.close()
    odd.wait_for("odd: at rest")
    odd.wait_for("odd: close")


def test_a_client_that_leaves_before_it_fetches_the_data_frees_the_device(odd: Saned) -> None:
    client = odd.client()
    client.ask(messages.Start(client.open("odd:0")))
    client.close()
    assert wait_until(lambda: is_free(odd), 1.0)
