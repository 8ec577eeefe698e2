"""saned.users: which backends are protected, and what opens them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sane.config import Environment, Line
from sane.errors import AccessDenied
from sane.sessions import users
from sane.sessions.users import Users, challenge, digest

VECTOR = ("6a196b005b511d218cd9", b"secret", b"$MD5$8bb416c3398301c91c70eb750dfc735e")  # 4.2


def of(text: str) -> Users:
    return Users(Line("saned.users", n, line) for n, line in enumerate(text.split("\n"), 1))


def test_digest_is_the_specifications() -> None:
    random, password, expected = VECTOR
    assert digest(random, password) == expected


def test_a_backend_is_protected_if_a_line_names_it() -> None:
    found = of("joe:secret:test\nann:x:epson2")
    assert found.protects("test") and found.protects("epson2")
    assert not found.protects("tes") and not found.protects("Test") and not found.protects("")
    assert found.counts() == {"test": 1, "epson2": 1}


CREDENTIALS = (
    (b"joe", b"secret", True),
    (b"joe", VECTOR[2], True),
    (b"ann", b"two words", True),
    (b"#bob", b"pw2", True),
    (b"joe", b"Secret", False),
    (b"Joe", b"secret", False),
    (b"joe", b"", False),
    (b"", b"secret", False),
    (b"", b"", False),
    (b"ann", b"secret", False),
    (b"nobody", b"secret", False),
    (b"joe", VECTOR[2].upper(), False),
    (b"joe", b"$MD5$", False),
    (b"joe", b"$MD5$" + b"0" * 32, False),
    (b"j" * 128, b"secret", False),
    (b"joe", b"s" * 1_000_000, False),
)


@pytest.mark.parametrize(("user", "password", "granted"), CREDENTIALS)
def test_credentials(user: bytes, password: bytes, granted: bool) -> None:
    found = of("joe:secret:test\nann:two words:test\n#bob:pw2:test\nann:secret:other")
    assert found.check("test", VECTOR[0], user, password) is granted
    assert not found.check("unlisted", VECTOR[0], user, password)


def test_a_user_may_have_several_passwords() -> None:
    found = of("joe:one:test\njoe:two:test")
    assert found.check("test", "", b"joe", b"one") and found.check("test", "", b"joe", b"two")


def test_an_unknown_user_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the backend is compared in full, user and password, whoever asks."""
    compared: list[tuple[int, int]] = []

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(users, "same_in_constant_time", counting)
    found = of("joe:secret:test\nann:x:test\nbob:y:test")
    counts = []
    for user in (b"joe", b"nobody", b"bob"):
        compared.clear()
        found.check("test", "r", user, b"x")
        counts.append(list(compared))
    assert counts[0] == counts[1] == counts[2] == [(16, 16)] * 6


def test_challenge_is_fresh_and_short_enough() -> None:
    resources = set()
    for backend in ("test", "x" * 300):
        resource, random = challenge(backend)
        assert resource.split("$MD5$", 1)[1] == random
        assert len(bytes.fromhex(random)) >= 16
        assert len(resource) <= 128
        resources |= {resource, challenge(backend)[0]}
    assert len(resources) == 4


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("joe:secret", "not USER:PASSWORD:BACKEND"),
        ("joe", "not USER:PASSWORD:BACKEND"),
        ("joe:secret:", "not USER:PASSWORD:BACKEND"),
        ("joe:secret:test:0", "a backend's name has no colon"),
        (f"{'j' * 128}:secret:test", "longer than 127"),
        (f"joe:{'s' * 128}:test", "longer than 127"),
    ],
)
def test_a_wrong_line_is_named_without_its_password(line: str, problem: str) -> None:
    found = of(f"\n{line}")
    assert len(found.problems) == 1
    assert found.problems[0].startswith("saned.users:2: ")
    assert problem in found.problems[0]
    assert "secret" not in found.problems[0]


def test_a_line_that_nobody_can_use_still_protects() -> None:
    found = of(f"joe:{'s' * 128}:test")
    assert found.protects("test")
    assert not found.check("test", "", b"joe", b"s" * 128)


def test_bytes_that_are_no_utf8_are_compared_as_they_are() -> None:
    found = of(b"j\xf6rg:\xe4:test".decode("utf-8", "surrogateescape"))
    assert found.check("test", "r", b"j\xf6rg", b"\xe4")
    hashed = b"$MD5$" + hashlib.md5(b"r\xe4").hexdigest().encode()
    assert found.check("test", "r", b"j\xf6rg", hashed)


def test_without_a_file_nothing_is_protected(tmp_path: Path) -> None:
    assert Users.read(Environment({"SANE_CONFIG_DIR": str(tmp_path)})).counts() == {}


def test_a_file_that_cannot_be_read_protects_everything(tmp_path: Path) -> None:
    """Else a wrong mode would open all devices."""
    (tmp_path / "saned.users").symlink_to("saned.users")
    with pytest.raises(AccessDenied, match=r"saned\.users cannot be read"):
        Users.read(Environment({"SANE_CONFIG_DIR": str(tmp_path)}))
