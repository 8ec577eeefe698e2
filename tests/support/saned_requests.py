"""Requests to a saned, byte by byte where a client of ours would not send them."""

from __future__ import annotations

import struct

from sane.wire import messages
from tests.support.saned import Client


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


BOOL, INT, FIXED, STRING, BUTTON, GROUP = range(6)


def ask(client: Client, *fields: int, value: bytes = b"") -> messages.ControlReply:
    """Send a CONTROL_OPTION of any fields at all."""
    client.send(words(5, *fields) + value)
    reply = client.take(messages.ControlReply)
    assert isinstance(reply, messages.ControlReply)
    return reply


def set_word(client: Client, handle: int, index: int, kind: int, word: int) -> None:
    value = struct.pack("=i", word)
    reply = client.ask(messages.ControlOption(handle, index, 1, kind, 4, value))
    assert reply.status == 0
    client.ask(messages.GetDescriptors(handle))


def option(client: Client, handle: int, name: str) -> int:
    found = client.ask(messages.GetDescriptors(handle)).descriptors
    return next(i for i, descriptor in enumerate(found) if descriptor.name == name)


USERS = "joe:secret:test\nann:two words:test\n#bob:pw2:test\njoe:x:other\n"


def challenge(client: Client, name: str = "test:0") -> str:
    """Open a device, return the resource of the auth challenge."""
    client.send(messages.Open(name).encode())
    assert client.receive(8) == words(0, 0)
    size = int.from_bytes(client.receive(4), "big")
    assert size
    return client.receive(size)[:-1].decode()


def answer(client: Client, resource: str, user: str | None, password: str | None) -> int:
    """Answer the challenge; return the status of the final reply."""
    client.send(messages.Authorize(resource, user, password).encode())
    assert client.take(messages.Acknowledgement).dummy == 0
    reply = client.take(messages.OpenReply)
    assert reply.resource is None
    return int(reply.status)
