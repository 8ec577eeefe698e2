"""Challenges and their answers, with the examples of the standards."""

from __future__ import annotations

import pytest

from sane.transport import http_auth
from sane.transport.http_auth import Answers, best, parse

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_auth_digest_as_in_rfc_7616(
    algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (challenge,) = parse(RFC_7616.format(algorithm))
    answers = Answers(challenge, "Mufasa", "Circle of Life")
    monkeypatch.setattr(answers, "_client_nonce", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    header = answers.header("GET", "/dir/index.html")
    assert f'response="{response}"' in header
    assert "qop=auth, nc=00000001, " in header
    assert "nc=00000002" in answers.header("GET", "/")


def test_auth_digest_without_qop_as_in_rfc_2069() -> None:
    text = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    (challenge,) = parse(text)
    header = Answers(challenge, "Mufasa", "CircleOfLife").header("GET", "/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in header
    assert "cnonce" not in header


def test_auth_digest_with_a_session_key(monkeypatch: pytest.MonkeyPatch) -> None:
    (challenge,) = parse('Digest realm="r", nonce="n", qop=auth, algorithm=MD5-sess')
    answers = Answers(challenge, 'a "b"', "p")
    header = answers.header("GET", "/")
    assert r'username="a \"b\""' in header
    assert "algorithm=MD5-sess" in header


def test_auth_basic() -> None:
    (challenge,) = parse('Basic realm="x"')
    assert Answers(challenge, "Aladdin", "open sesame").header("GET", "/") == (
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )


def test_auth_the_best_challenge_is_chosen() -> None:
    one = 'Basic realm="b", Digest realm="m", nonce="1", qop="auth"'
    other = 'Digest realm="s", nonce="2", qop="auth", algorithm=SHA-256'
    found = best([one, other])
    assert found is not None
    assert found.realm == "s"
    found = best([one])
    assert found is not None
    assert found.realm == "m"
    found = best(['Digest realm="m", nonce="1", qop="auth-int"', 'Basic realm="b"'])
    assert found is not None
    assert found.scheme == http_auth.BASIC


@pytest.mark.parametrize(
    "text",
    [
        *("", "Negotiate", "Bearer abc==", "=", '"', "Digest", "Digest realm=", "Digest =x", ",,,"),
        *(
            'Digest realm="unfinished',
            "Digest algorithm=SHA-512, nonce=x",
            "\\",
            'Digest realm="\\',
        ),
    ],
)
def test_auth_garbage_is_no_way_in(text: str) -> None:
    found = best([text])
    assert found is None or found.scheme == http_auth.DIGEST
    if found is not None:
        Answers(found, "u", "p").header("GET", "/")
