"""Users and passwords (net-protocol 4, 11: 65 to 74)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from sane.wire import messages
from tests.support.saned import Client, Saned, configure
from tests.support.saned_requests import USERS, answer, challenge, option, set_word, words


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saned]:
    folder = tmp_path_factory.mktemp("server")
    config = configure(folder, saned_users=USERS, dll_aliases="alias harmless test:1\n")
    with Saned(config) as server:
        yield server


@pytest.fixture
def client(protected: Saned) -> Iterator[Client]:
    with protected.client() as client:
        yield client


def hashed(resource: str, password: str) -> str:
    random = resource.partition("$MD5$")[2]
    return "$MD5$" + hashlib.md5((random + password).encode()).hexdigest()


def test_a_protected_backend_asks_for_a_password(client: Client) -> None:
    backend, mark, random = challenge(client).partition("$MD5$")
    assert (backend, mark) == ("test", "$MD5$")
    assert len(bytes.fromhex(random)) == 16


CREDENTIALS = (
    ("joe", "secret", 0),
    ("ann", "two words", 0),
    ("#bob", "pw2", 0),
    ("joe", "wrong", 11),
    ("joe", "x", 11),
    ("nobody", "secret", 11),
    ("", "", 11),
    (None, None, 11),
    ("joe", "", 11),
    ("joe", "$MD5$" + "0" * 32, 11),
    ("j" * 128, "secret", 11),
    ("joe", "s" * 128, 11),
    ("j" * 5000, "s" * 5000, 11),
    ("joe", "s" * 1_000_000, 11),
)


@pytest.mark.parametrize(("user", "password", "status"), CREDENTIALS)
@pytest.mark.parametrize("md5", [True, False], ids=["MD5", "plain"])
def test_credentials_are_checked(
    client: Client, user: str | None, password: str | None, status: int, md5: bool
) -> None:
    resource = challenge(client)
    sent = hashed(resource, password) if md5 and password else password
    expected = 11 if md5 and password and password.startswith("$MD5$") else status
    if md5 and password and len(password) > 127:
        expected = 11
    assert answer(client, resource, user, sent) == expected
    assert client.ask(messages.GetDevices()).status == 0


def test_a_new_attempt_gets_a_new_challenge(client: Client) -> None:
    first = challenge(client)
    assert answer(client, first, "joe", "wrong") == 11
    second = challenge(client)
    assert second != first
    assert answer(client, second, "joe", hashed(first, "secret")) == 11
    third = challenge(client)
    assert answer(client, third, "joe", hashed(third, "secret")) == 0


def test_authorization_is_for_one_open_only(client: Client) -> None:
    resource = challenge(client)
    assert answer(client, resource, "joe", "secret") == 0
    assert challenge(client, "test:1") != resource


def test_another_request_in_place_of_the_answer_is_no_answer(client: Client) -> None:
    challenge(client)
    client.send(words(6, 0))
    assert client.receive(12) == words(11, 0, 0)
    assert client.ask(messages.GetDevices()).status == 0


def test_a_client_that_leaves_at_the_challenge_ends_its_process(protected: Saned) -> None:
    for last_words in (b"", words(10), words(9, 3)):
        with protected.client() as client:
            challenge(client)
            client.send(last_words)
        protected.wait_for_children(0)


def test_a_resource_that_does_not_come_back_is_not_minded(client: Client) -> None:
    resource = challenge(client)
    assert answer(client, "something else", "joe", hashed(resource, "secret")) == 0


@pytest.mark.parametrize("name", ["", "test", "test:", "test:1", "harmless"])
def test_every_name_of_a_protected_device_wants_a_password(client: Client, name: str) -> None:
    """The empty name and an alias were ways around it (net-protocol 9)."""
    assert challenge(client, name).startswith("test$MD5$")


def test_unlisted_backends_want_none(tmp_path: Path) -> None:
    config = configure(tmp_path, saned_users="joe:secret:other\n")
    with Saned(config) as server, server.client() as client:
        client.open()


def test_users_are_read_at_every_open(tmp_path: Path) -> None:
    config = configure(tmp_path)
    with Saned(config) as server, server.client() as client:
        client.ask(messages.Close(client.open()))
        (config / "saned.users").write_text("joe:secret:test\n")
        resource = challenge(client)
        assert answer(client, resource, "joe", hashed(resource, "secret")) == 0


def test_users_that_cannot_be_read_open_nothing(tmp_path: Path) -> None:
    config = configure(tmp_path)
    (config / "saned.users").symlink_to("saned.users")
    with Saned(config) as server, server.client() as client:
        assert client.ask(messages.Open("test:0")).status == 11


def test_challenges_and_passwords_are_in_no_log(protected: Saned, client: Client) -> None:
    resource = challenge(client)
    digest = hashed(resource, "secret")
    assert answer(client, resource, "joe", digest) == 0
    client.ask(messages.Close(0))
    resource = challenge(client)
    assert answer(client, resource, "joe", "guessed") == 11
    protected.wait_for("wrong user or password for test")
    for secret in (resource.partition("$MD5$")[2], digest, "guessed", "secret"):
        assert secret not in protected.log


# Backends that ask themselves, in all three requests


@pytest.mark.parametrize(("password", "status"), [("pw", 0), ("wrong", 11)])
def test_a_backend_may_ask_for_a_password_to_open(odd: Saned, password: str, status: int) -> None:
    with odd.client() as client:
        assert challenge(client, "odd:ask") == "odd-open"
        assert answer(client, "odd-open", "joe", password) == status


@pytest.mark.parametrize(("password", "status"), [("pw", 0), ("wrong", 11)])
def test_a_backend_may_ask_for_a_password_to_set_an_option(
    odd: Saned, password: str, status: int
) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        index = option(client, handle, "secret")
        one = struct.pack("=i", 1)
        client.send(messages.ControlOption(handle, index, 1, 0, 4, one).encode())
        assert client.receive(20) == words(0, 0, 0, 0, 0)
        assert client.receive(15) == words(11) + b"odd-option\0"
        client.send(messages.Authorize("odd-option", "joe", password).encode())
        # The two come one by one: the reference client loses what comes with the first.
        assert client.sock.recv(100) == words(0)
        assert client.take(messages.ControlReply).status == status


@pytest.mark.parametrize(("password", "status"), [("pw", 0), ("wrong", 11)])
def test_a_backend_may_ask_for_a_password_to_start(odd: Saned, password: str, status: int) -> None:
    with odd.client() as client:
        handle = client.open("odd:0")
        set_word(client, handle, option(client, handle, "ask"), 0, 1)
        client.send(messages.Start(handle).encode())
        assert client.receive(12) == words(0, 0, 0)
        assert client.receive(14) == words(10) + b"odd-start\0"
        client.send(messages.Authorize("odd-start", "joe", password).encode())
        assert client.sock.recv(100) == words(0)
        assert client.take(messages.StartReply).status == status
